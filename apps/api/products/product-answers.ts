import type { TableContract } from '#contracts';
import type { Row } from '#engine';
import { LakeError } from '#errors';
import type { Release } from '#releases';
import {
  answerKey,
  parseQuery,
  tablesRead,
  type AnswerCache,
  type Answers,
  type CachedAnswer,
  type PinnedRelease,
  type Query,
  type Tables,
} from '#serving';
import type { Scope } from '../edge/caller.js';
import { contentTypes } from './answer-form.js';
import type { AnswerOptions } from './answer-options.js';
import { batchWriter, pageText, rowText } from './answer-text.js';
import { contractHeaders, productName } from './products.js';

/** A question about a product, read from a request. */
export interface Ask {
  readonly contract: TableContract;
  /** The body of POST …/query. */
  readonly json: unknown;
  /** `row`: the only row of the query, not a list. */
  readonly shape: 'rows' | 'row';
  readonly options: AnswerOptions;
  readonly scopes: ReadonlySet<Scope>;
  /** Whether the asker has the answer with that ETag. */
  readonly has: (etag: string) => boolean;
  readonly signal: AbortSignal;
}

export type Reply =
  | { readonly kind: 'unchanged'; readonly release: Release; readonly etag: string }
  | { readonly kind: 'whole'; readonly release: Release; readonly answer: CachedAnswer }
  | {
      readonly kind: 'stream';
      readonly release: Release;
      readonly etag: string;
      readonly contentType: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly text: AsyncIterable<string>;
      /** Has to be called, whether the text was read or not. */
      readonly close: () => Promise<void>;
    };

/** Answers questions about products as bytes. */
export class ProductAnswers {
  constructor(
    private readonly answers: Answers,
    private readonly tables: Tables,
    private readonly cache: AnswerCache,
  ) {}

  /** Throws as `parseQuery`, `Answers.pin` and `answerQuery` do; `row.not_found`. */
  async answer(ask: Ask): Promise<Reply> {
    const { contract, options, scopes } = ask;
    const query = parseQuery(ask.json, contract, this.tables, { streamed: options.format !== 'json' });
    const { release: asked } = options;
    const pinned = await this.answers.pin({
      ...(asked === undefined ? {} : { release: asked }),
      ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
    });
    let isHeld = false;
    try {
      const { release } = pinned;
      const read = tablesRead(query, contract, this.tables);
      const form = formOf(ask);
      const etag = answerKey({ versions: pinned.versionOf(read), table: contract.name, query, scopes, form });
      if (ask.has(etag)) return { kind: 'unchanged', release, etag };
      if (options.format !== 'json') {
        const stream = await this.#stream(ask, query, etag, pinned);
        isHeld = true;
        return stream;
      }
      const answer = this.cache.get(etag) ?? (await this.#make(ask, query, etag, pinned, read));
      return { kind: 'whole', release, answer };
    } finally {
      if (!isHeld) pinned.unpin();
    }
  }

  async #make(
    ask: Ask,
    query: Query,
    etag: string,
    pinned: PinnedRelease,
    read: readonly string[],
  ): Promise<CachedAnswer> {
    const { contract, options, scopes, signal } = ask;
    const [page, label] = await Promise.all([
      pinned.page(query, contract, scopes, { total: options.count, signal }),
      pinned.labelOf(read),
    ]);
    const text =
      ask.shape === 'rows' ? pageText(page, label, options) : rowText(oneOf(page.rows), page.columns, label, options);
    const answer = {
      etag,
      contentType: contentTypes.json,
      headers: contractHeaders([contract], page.maskedColumns),
      body: Buffer.from(text),
    };
    this.cache.set(answer);
    return answer;
  }

  async #stream({ contract, options, scopes, signal }: Ask, query: Query, etag: string, pinned: PinnedRelease) {
    const stop = new AbortController();
    const stopped = AbortSignal.any([signal, stop.signal]);
    const stream = pinned.stream(query, contract, scopes, stopped);
    const batches = stream.batches[Symbol.asyncIterator]();
    let isOpen = true;
    const close = async (): Promise<void> => {
      if (!isOpen) return;
      isOpen = false;
      stop.abort();
      try {
        await batches.return?.();
      } finally {
        pinned.unpin();
      }
    };
    try {
      // what is wrong shows with the first rows, when there is still a status to tell it by
      const first = await batches.next();
      const { opening, toText } = batchWriter(stream.columns, options);
      async function* text(): AsyncIterable<string> {
        yield opening;
        for (let batch = first; batch.done !== true; batch = await batches.next()) yield toText(batch.value);
      }
      const file = `${productName(contract)}-release-${pinned.release.number}.${options.format}`;
      return {
        kind: 'stream' as const,
        release: pinned.release,
        etag,
        contentType: contentTypes[options.format],
        headers: {
          ...contractHeaders([contract], stream.maskedColumns),
          'Content-Disposition': `attachment; filename="${file}"`,
        },
        text: text(),
        close,
      };
    } catch (error) {
      await close();
      throw error;
    }
  }
}

function oneOf([row]: readonly Row[]): Row {
  if (row !== undefined) return row;
  throw new LakeError('row.not_found', 'notFound', 'There is no row with that key in this release.');
}

/** The answer's form, as far as its bytes depend on it. */
function formOf({ shape, options: { format, decimals, excel, count } }: Ask): string {
  return [shape, format, decimals, format === 'csv' && excel && 'excel', format === 'json' && count && 'total']
    .filter((word) => word !== false)
    .join();
}
