import type { Catalogue } from '#contracts';
import { LakeError } from '#errors';
import {
  QueryError,
  scopeClass,
  strongEtag,
  tablesBehind,
  type AnswerCache,
  type Answers,
  type CachedAnswer,
  type ProvenancePage,
  type ReleaseLabel,
} from '#serving';
import { publicCode } from '../edge/problem-type.js';
import { messageOf, RequestError, type RequestMistake } from '../edge/request-error.js';
import { contentTypes } from './answer-form.js';
import type { Ask, Reply } from './product-answers.js';
import { contractHeaders } from './products.js';

/** Raised when the same question of the same tables gets other bytes than before. */
const FORM_VERSION = 1;

export interface ProvenanceAsk extends Pick<Ask, 'contract' | 'scopes' | 'has' | 'signal'> {
  readonly key: string;
  readonly release?: number;
  readonly limit?: number;
  readonly cursor?: string;
}

/** What rows follow from, as bytes. */
export class ProvenanceAnswers {
  constructor(
    private readonly answers: Answers,
    private readonly catalogue: Catalogue,
    private readonly cache: AnswerCache,
  ) {}

  /** Throws `row.not_found`, `request.invalid`, `cursor-mismatch`, and what `Answers.pin` throws. */
  async answer({ contract, key, release: asked, limit, cursor, scopes, has, signal }: ProvenanceAsk): Promise<Reply> {
    const page = { ...(limit === undefined ? {} : { limit }), ...(cursor === undefined ? {} : { cursor }) };
    const pinned = await this.answers.pin({ ...page, ...(asked === undefined ? {} : { release: asked }) });
    try {
      const { release } = pinned;
      const behind = tablesBehind(contract, this.catalogue, release);
      const identity = [FORM_VERSION, 'provenance', pinned.versionOf(behind)];
      const etag = strongEtag(JSON.stringify([...identity, contract.name, key, page, scopeClass(scopes)]));
      if (has(etag)) return { kind: 'unchanged', release, etag };
      const known = this.cache.get(etag);
      if (known !== undefined) return { kind: 'whole', release, answer: known };
      const { catalogue } = this;
      const [found, label] = await Promise.all([
        pinned.provenance({ catalogue, contract, key, ...page, scopes, signal }),
        pinned.labelOf(behind),
      ]);
      const answer: CachedAnswer = {
        etag,
        contentType: contentTypes.json,
        headers: contractHeaders([contract], found.maskedColumns),
        body: Buffer.from(JSON.stringify(toBody(found, label))),
      };
      this.cache.set(answer);
      return { kind: 'whole', release, answer };
    } catch (error) {
      throw toRequestError(error);
    } finally {
      pinned.unpin();
    }
  }
}

function toBody({ records, sources, through, shared, total, nextCursor }: ProvenancePage, release: ReleaseLabel) {
  const data = records.map(({ table, load, file, line, row, record, repair }) => {
    return { table, load, file, line, row, record, repair };
  });
  return { data, sources, through, shared, page: { next_cursor: nextCursor, total }, release };
}

/** As of the row itself; the parts of the question are named as in the URL. */
function toRequestError(error: unknown): unknown {
  if (error instanceof LakeError && error.code === 'trace.no_row') {
    return new LakeError('row.not_found', 'notFound', 'There is no row with that key in this release.');
  }
  if (!(error instanceof QueryError)) return error;
  const mistakes = error.problems.map(({ pointer, code, detail }): RequestMistake => {
    return { parameter: pointer.slice(1), code: publicCode(code), detail };
  });
  return new RequestError(error.code, error.kind, messageOf(mistakes), mistakes);
}
