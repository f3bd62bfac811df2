import type { Catalogue } from '#contracts';
import {
  explain,
  jsonRowWriter,
  parseQuery,
  placeOf,
  scopeClass,
  strongEtag,
  textColumns,
  type AnswerCache,
  type Answers,
  type CachedAnswer,
  type Explanation,
  type PinnedRelease,
  type ReleaseLabel,
} from '#serving';
import { contentTypes } from './answer-form.js';
import type { AnswerOptions } from './answer-options.js';
import type { Ask, Reply } from './product-answers.js';
import { contractHeaders } from './products.js';
import { assert } from '#errors';

/** Raised when the same question of the same tables gets other bytes than before. */
const FORM_VERSION = 1;

/** What figures are made of, as bytes. */
export class ExplainAnswers {
  constructor(
    private readonly answers: Answers,
    private readonly catalogue: Catalogue,
    private readonly cache: AnswerCache,
  ) {}

  /** Throws as `parseQuery` and `Answers.pin` do; `explain.not_possible`. */
  async answer({ contract, json, options, scopes, has, signal }: Omit<Ask, 'shape'>): Promise<Reply> {
    const { catalogue } = this;
    const query = parseQuery(json, contract, catalogue);
    assert(query.kind === 'groups', 'measures make groups');
    const now = await this.answers.pin(options.release === undefined ? {} : { release: options.release });
    let before: PinnedRelease | undefined;
    try {
      const { release } = now;
      const place = await placeOf({ catalogue, query }, contract, now, this.answers);
      if (place.previous !== undefined) before = await this.answers.pin({ release: place.previous });
      const tables = place.tables.filter((name) => release.tables[name] !== undefined);
      const versions = [now.versionOf(tables), place.previous, before?.versionOf(tables)];
      const identity = [FORM_VERSION, 'explain', versions, contract.name, query, scopeClass(scopes), options.decimals];
      const etag = strongEtag(JSON.stringify(identity));
      if (has(etag)) return { kind: 'unchanged', release, etag };
      const known = this.cache.get(etag);
      if (known !== undefined) return { kind: 'whole', release, answer: known };
      const explanation = await explain({ catalogue, query, scopes, signal }, place, now, before);
      const body = toText(explanation, await now.labelOf(tables), options);
      const headers = contractHeaders([contract], []);
      const answer: CachedAnswer = { etag, contentType: contentTypes.json, headers, body: Buffer.from(body) };
      this.cache.set(answer);
      return { kind: 'whole', release, answer };
    } finally {
      before?.unpin();
      now.unpin();
    }
  }
}

/** Amounts keep their digits, as those of rows do. */
function toText(
  { measure, value, unit, definition, rowsCounted, leftOut, previous, changes, valueType }: Explanation,
  label: ReleaseLabel,
  { decimals }: AnswerOptions,
): string {
  const amountText = (amount: Explanation['value']): string => {
    const write = jsonRowWriter(textColumns([{ name: 'amount', type: valueType }], { decimals }));
    return write({ amount }).slice('{"amount":'.length, -1);
  };
  const withAmount = (object: object, name: string, amount: Explanation['value']) =>
    `${JSON.stringify(object).slice(0, -1)},"${name}":${amountText(amount)}}`;
  const left = leftOut.map(({ amount, ...rest }) => withAmount(rest, 'amount', amount));
  const changed = changes.map(({ amount, ...rest }) => withAmount(rest, 'amount', amount));
  const earlier = previous === null ? 'null' : withAmount({ release: previous.release }, 'value', previous.value);
  const rest = JSON.stringify({ unit, definition, rows_counted: rowsCounted }).slice(1, -1);
  return (
    `${withAmount({ measure }, 'value', value).slice(0, -1)},${rest},"left_out":[${left.join(',')}],` +
    `"previous":${earlier},"changes":[${changed.join(',')}],"release":${JSON.stringify(label)}}`
  );
}
