import { jest } from '@jest/globals';
import fc from 'fast-check';
import type { TableContract } from '#contracts';
import { shopCatalogue } from '#products';
import { Shop, AS_OF } from '../run/shop.js';
import { ServedShop } from './served-shop.js';
import {
  rowsOfGraphql,
  tableName,
  textColumns,
  toGraphql,
  toRest,
  toSql,
  type Condition,
  type Question,
  type Shown,
} from './question.js';

const SEED = Number(process.env['SHOPSMART_SEED'] ?? Date.now() % 1_000_000);
const QUESTIONS = process.env['SHOPSMART_LONG'] === '1' ? 200 : 12;

// Each question is a command of its own.
jest.setTimeout(600_000);

type Rows = readonly Readonly<Record<string, Shown>>[];

describe(`random questions of seed ${SEED}`, () => {
  const shop = Shop.make();
  let api: ServedShop;
  const samples = new Map<string, Rows>();

  beforeAll(async () => {
    await shop.call(['demo', '--as-of', AS_OF, '--scale', '0.5']);
    await shop.run();
    api = await ServedShop.start(shop);
    for (const contract of goldContracts()) {
      samples.set(contract.name, (await shop.ask(`SELECT * FROM ${tableName(contract)} LIMIT 40`)) as Rows);
    }
  });
  afterAll(async () => {
    await api.stop();
    shop.remove();
  });

  it('have one answer in GraphQL, REST and shopsmart sql', async () => {
    let rows = 0;
    for (const question of fc.sample(questions(samples), { seed: SEED, numRuns: QUESTIONS })) {
      const sql = toSql(question);
      const { stdout, stderr } = await shop.call(['sql', sql, '--json']);
      const asked = `${sql}\n${stderr}`;
      const bySql = dataText(stdout);
      // byte by byte: the same digits, the same nulls, the same order
      expect([asked, dataText(await api.text(toRest(question)))]).toEqual([asked, bySql]);

      const { answer } = await api.graphql(toGraphql(question));
      const asText = textColumns(question);
      const expected = rowsOf(bySql, asText);
      expect([asked, rowsOfGraphql(question, answer)]).toEqual([asked, expected]);
      rows += expected.length;
    }
    // questions without answers would prove nothing
    expect(rows).toBeGreaterThan(QUESTIONS);
  });
});

function goldContracts(): readonly TableContract[] {
  return shopCatalogue()
    .tables.map(({ contract }) => contract)
    .filter(({ layer }) => layer === 'gold');
}

function questions(samples: ReadonlyMap<string, Rows>): fc.Arbitrary<Question> {
  return fc.constantFrom(...goldContracts()).chain((contract) => {
    const columns = Object.keys(contract.columns).filter((name) => contract.columns[name]?.type.kind !== 'strings');
    const ofKind = (...kinds: readonly string[]) =>
      columns.filter((name) => kinds.includes(contract.columns[name]?.type.kind ?? ''));
    const rows = fc.record({
      kind: fc.constant('rows' as const),
      columns: fc.uniqueArray(fc.constantFrom(...columns), { minLength: 1, maxLength: 6 }),
      sort: fc.constantFrom(...columns),
      descending: fc.boolean(),
      limit: fc.integer({ min: 1, max: 200 }),
    });
    const times = ofKind('date', 'timestamp');
    const groups = fc
      .record({
        kind: fc.constant('groups' as const),
        monthly: fc.boolean(),
        plain: fc.constantFrom(...ofKind('string', 'boolean', 'integer')),
        time: fc.constantFrom(...times, undefined),
        sum: fc.constantFrom(...ofKind('integer', 'decimal')),
      })
      .map(({ plain: name, time, monthly, ...rest }) =>
        monthly && time !== undefined ? { ...rest, by: time, monthly } : { ...rest, by: name, monthly: false },
      );
    return fc.record({
      contract: fc.constant(contract),
      conditions: fc.array(conditions(contract, samples), { maxLength: 2 }),
      asks: fc.oneof(rows, groups),
    });
  });
}

function conditions(contract: TableContract, samples: ReadonlyMap<string, Rows>): fc.Arbitrary<Condition> {
  const own = Object.entries(contract.columns).map(([name, { type }]) => ({
    path: name,
    type,
    from: contract.name,
    name,
  }));
  const related =
    contract.name === 'gold/fact_sales'
      ? ['category', 'current_price'].map((name) => ({
          path: `product.${name}`,
          type: shopCatalogue().byName.get('gold/dim_product')?.contract.columns[name]?.type,
          from: 'gold/dim_product',
          name,
        }))
      : [];
  const fields = [...own, ...related].flatMap(({ type, ...field }) =>
    type === undefined || type.kind === 'strings' ? [] : [{ ...field, type }],
  );
  return fc.constantFrom(...fields).chain(({ path, type, from, name }) => {
    const values = [...new Set((samples.get(from) ?? []).map((row) => row[name] ?? null))].filter((v) => v !== null);
    const isNull: fc.Arbitrary<Condition> = fc.record({
      path: fc.constant(path),
      type: fc.constant(type),
      operator: fc.constant('null' as const),
      values: fc.boolean().map((value) => [value]),
    });
    // a comma in a value has a spelling of its own in a list
    if (values.length === 0 || values.some((value) => String(value).includes(','))) return isNull;
    const operators = ['eq', 'ne', 'in', ...(type.kind === 'boolean' ? [] : ['lt', 'gte'])];
    const operator = fc.constantFrom(...(type.kind === 'string' ? [...operators, 'contains'] : operators));
    const compared = fc
      .tuple(operator, fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 3 }))
      .map(([chosen, some]): Condition => {
        const found = chosen === 'in' ? some : some.slice(0, 1);
        return { path, type, operator: chosen as Condition['operator'], values: found };
      });
    return fc.oneof({ arbitrary: compared, weight: 5 }, { arbitrary: isNull, weight: 1 });
  });
}

/** The rows of an answer as they were written, but for line ends between them. */
function dataText(json: string): string {
  return /^\{"data":(\[.*\]),"(?:page|release)":/s.exec(json)?.[1]?.replaceAll('\n', '') ?? json;
}

/** Rows of JSON text; numbers of some columns as the text that they were written in. */
function rowsOf(json: string, asText: ReadonlySet<string>): Rows {
  return JSON.parse(
    json.replaceAll(/"(\w+)":(-?\d[\d.]*)(?=[,}])/g, (pair, name: string, digits: string) =>
      asText.has(name) ? `"${name}":"${digits}"` : pair,
    ),
  ) as Rows;
}
