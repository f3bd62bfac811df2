import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDbEngine, type Row } from '#engine';
import { shopCatalogue } from '#products';
import { compileQuery, compileTotal } from './compile.js';
import type { Position } from './keyset.js';
import { parseQuery } from './parse-query.js';
import { bindShop, line, tables } from './serving-fixture.js';

const all = new Set(['pii:read']);
const none = new Set<string>();

let dir: string;
let engine: DuckDbEngine;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'serving-'));
  engine = await DuckDbEngine.open({ workDir: dir, memoryLimit: '400MB', threads: 1 });
  await bindShop(engine, {
    line: [
      {
        order_id: 'o1',
        place: 1,
        thing_id: '1',
        word: 'Tea',
        pieces: 2,
        amount: '10.00',
        day: '2026-01-31',
        buyer: 'Ann',
      },
      { order_id: 'o1', place: 2, thing_id: '2', word: 'tea_pot', pieces: null, amount: '0.05', buyer: 'Bob' },
      { order_id: 'o2', place: null, thing_id: null, word: null, pieces: 5, amount: null, day: '2026-02-01' },
      { order_id: 'o3', place: 1, thing_id: '9', word: '100%', pieces: 1, amount: '-0.10', day: '2026-02-28' },
    ],
    thing: [
      { thing_id: '1', category: 'Drinks', price: '3.50', maker_id: 7 },
      { thing_id: '2', category: 'Pots', price: null, maker_id: null },
    ],
    maker: [{ maker_id: 7, country: 'Ceylon', owner: 'Eve' }],
  });
});

afterAll(async () => {
  await engine.close();
  await rm(dir, { recursive: true, force: true });
});

function compile(json: unknown, scopes: ReadonlySet<string> = all) {
  return compileQuery(parseQuery(json, line, tables), line, tables, scopes);
}

async function run(json: unknown, scopes?: ReadonlySet<string>): Promise<readonly Row[]> {
  const { sql, parameters, columns } = compile(json, scopes);
  const rows = await engine.query(sql, parameters);
  return rows.map((row) => Object.fromEntries(columns.map(({ name }) => [name, row[name] ?? null])));
}

function thrownBy(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

describe('rows', () => {
  it('selects columns and columns over relations, in the order of the key unless told', async () => {
    const query = { select: ['word', 'thing.category', 'thing.maker.country'] };
    expect(compile(query).sql).toBe(
      'SELECT t."word" AS "word", r1."category" AS "thing.category", r2."country" AS "thing.maker.country", ' +
        't."order_id" AS "#order_id", t."place" AS "#place" FROM "gold"."line" t ' +
        'LEFT JOIN "gold"."thing" r1 ON r1."thing_id" = t."thing_id" ' +
        'LEFT JOIN "gold"."maker" r2 ON r2."maker_id" = r1."maker_id" ' +
        'ORDER BY t."order_id" ASC NULLS FIRST, t."place" ASC NULLS FIRST LIMIT 100',
    );
    expect(await run(query)).toEqual([
      { word: 'Tea', 'thing.category': 'Drinks', 'thing.maker.country': 'Ceylon' },
      { word: 'tea_pot', 'thing.category': 'Pots', 'thing.maker.country': null },
      { word: null, 'thing.category': null, 'thing.maker.country': null },
      { word: '100%', 'thing.category': null, 'thing.maker.country': null },
    ]);
  });

  it('binds every value', () => {
    const where = { word: { icontains: "x' OR 1=1 --" }, pieces: { in: [1, 2] }, amount: { gte: '1.5' } };
    const { sql, parameters } = compile({ select: ['order_id'], where });
    expect(sql).toContain(
      'WHERE (contains(lower(t."word"), lower(CAST($1 AS VARCHAR))) AND ' +
        't."pieces" IN (CAST($2 AS INTEGER), CAST($3 AS INTEGER)) AND t."amount" >= CAST($4 AS DECIMAL(9,2)))',
    );
    expect(parameters).toEqual(["x' OR 1=1 --", '1', '2', '1.5']);
  });

  it.each([
    [{ pieces: { ne: 2 } }, '(t."pieces" <> CAST($1 AS INTEGER) OR t."pieces" IS NULL)', ['tea_pot', null, '100%']],
    [{ not: { pieces: { gt: 1 } } }, '(t."pieces" <= CAST($1 AS INTEGER) OR t."pieces" IS NULL)', ['tea_pot', '100%']],
    [{ order_id: { nin: ['o1'] } }, 't."order_id" NOT IN (CAST($1 AS VARCHAR))', [null, '100%']],
    [{ pieces: { in: [] } }, 'FALSE', []],
    [{ pieces: { eq: null } }, 'FALSE', []],
    [{ pieces: { null: true } }, 't."pieces" IS NULL', ['tea_pot']],
    [{ not: { or: [{ word: { starts: 'T' } }, { word: { null: true } }] } }, 'IS NOT NULL', ['tea_pot', '100%']],
    [{ word: { like: '%\\_%' } }, `(t."word" LIKE CAST($1 AS VARCHAR) ESCAPE '\\')`, ['tea_pot']],
    [{ word: { ends: '%' } }, 'ends_with(t."word", CAST($1 AS VARCHAR))', ['100%']],
    [{ thing: { not: { category: { eq: 'Pots' } } } }, 'r1."category" <> CAST($1', ['Tea', null, '100%']],
    [{ amount: { gt: '0.049' } }, 't."amount" > CAST($1 AS DECIMAL(38,3))', ['Tea', 'tea_pot']],
    [{ pieces: { lt: 3_000_000_000 } }, 't."pieces" < CAST($1 AS BIGINT)', ['Tea', null, '100%']],
  ])('filters in two values: %j', async (where, sql, words) => {
    const query = { select: ['word'], where };
    expect(compile(query).sql).toContain(sql);
    expect((await run(query)).map(({ word }) => word)).toEqual(words);
  });

  it('puts NULL lowest in both directions and ends in the key', async () => {
    const order = async (sort: string[]) => (await run({ select: ['word'], sort })).map(({ word }) => word);
    expect(await order(['day'])).toEqual(['tea_pot', 'Tea', null, '100%']);
    expect(await order(['-day', 'word'])).toEqual(['100%', null, 'Tea', 'tea_pot']);
    expect(compile({ select: ['word'], sort: ['-place'] }).sql).toContain(
      'ORDER BY t."place" DESC NULLS LAST, t."order_id" ASC NULLS FIRST LIMIT',
    );
  });

  it('serves columns that begin with _ only by name', () => {
    expect(compile({}).columns.map(({ name }) => name)).toEqual(Object.keys(line.columns));
    expect(compile({ select: ['_run_id'] }).sql).toContain('t."_run_id" AS "_run_id"');
  });
});

describe('personal columns without pii:read', () => {
  it('are NULL, never read, and named', async () => {
    const query = { select: ['word', 'buyer', 'buyer_hash', 'thing.maker.owner'], limit: 1 };
    const compiled = compile(query, none);
    expect(compiled.maskedColumns).toEqual(['buyer', 'buyer_hash', 'thing.maker.owner']);
    expect(compiled.sql).not.toMatch(/t\."buyer|"owner" AS/);
    expect(await run(query, none)).toEqual([{ word: 'Tea', buyer: null, buyer_hash: null, 'thing.maker.owner': null }]);
    expect(compile(query).maskedColumns).toEqual([]);
    expect(await run(query)).toMatchObject([{ buyer: 'Ann', 'thing.maker.owner': 'Eve' }]);
  });

  it.each([
    [{ where: { not: { or: [{ buyer: { null: true } }] } } }, '/where'],
    [{ where: { thing: { maker: { owner: { eq: 'Eve' } } } } }, '/where'],
    [{ where: { buyer_hash: { in: [] } } }, '/where'],
    [{ sort: ['-buyer'] }, '/sort'],
    [{ group: ['thing.maker.owner'], measures: ['count()'] }, '/group'],
    [{ measures: ['count_distinct(buyer_hash)'] }, '/measures'],
  ])('are refused in %j', (json, pointer) => {
    expect(() => compile(json)).not.toThrow();
    const refusal = {
      code: 'PII_SCOPE_REQUIRED',
      kind: 'forbidden',
      problems: [expect.objectContaining({ pointer, code: 'PII_SCOPE_REQUIRED' })],
    };
    expect(thrownBy(() => compile(json, none))).toMatchObject(refusal);
    const query = parseQuery(json, line, tables);
    expect(thrownBy(() => compileTotal(query, line, tables, none))).toMatchObject(refusal);
  });
});

describe('groups', () => {
  it('computes measures of groups, NULL being one', async () => {
    const query = {
      group: ['thing.category'],
      measures: [
        'count()',
        'pieces:sum(pieces)',
        'avg(amount)',
        'count(pieces)',
        'count_distinct(order_id)',
        'max(day)',
      ],
      having: { count: { gte: 1 } },
      sort: ['-count'],
    };
    expect(await run(query)).toEqual([
      {
        'thing.category': null,
        count: '2',
        pieces: '6',
        avg_amount: '-0.1000',
        count_pieces: '2',
        count_distinct_order_id: '2',
        max_day: '2026-02-28',
      },
      {
        'thing.category': 'Drinks',
        count: '1',
        pieces: '2',
        avg_amount: '10.0000',
        count_pieces: '1',
        count_distinct_order_id: '1',
        max_day: '2026-01-31',
      },
      {
        'thing.category': 'Pots',
        count: '1',
        pieces: null,
        avg_amount: '0.0500',
        count_pieces: '0',
        count_distinct_order_id: '1',
        max_day: null,
      },
    ]);
  });

  it('cuts time into buckets', async () => {
    const query = { group: ['month(day)', 'week(day)'], measures: ['count()'], sort: ['-month(day)'] };
    expect(compile(query).sql).toContain(`CAST(date_trunc('month', t."day") AS DATE) AS "day_month"`);
    expect(await run(query)).toEqual([
      { day_month: '2026-02-01', day_week: '2026-01-26', count: '1' },
      { day_month: '2026-02-01', day_week: '2026-02-23', count: '1' },
      { day_month: '2026-01-01', day_week: '2026-01-26', count: '1' },
      { day_month: null, day_week: null, count: '1' },
    ]);
  });

  it('gives count 0 and NULL for all else over no rows', async () => {
    const measures = ['count()', 'count(day)', 'sum(amount)', 'avg(pieces)', 'min(word)'];
    expect(await run({ measures, where: { order_id: { eq: 'none' } } })).toEqual([
      { count: '0', count_day: '0', sum_amount: null, avg_pieces: null, min_word: null },
    ]);
    expect(await run({ group: ['word'], measures, where: { order_id: { eq: 'none' } } })).toEqual([]);
  });

  it('keeps NULL where a whole group has no value, and rounds averages half away from zero', async () => {
    expect(await run({ measures: ['avg(amount)', 'avg(pieces)', 'sum(amount)'] })).toEqual([
      { avg_amount: '3.3167', avg_pieces: '2.67', sum_amount: '9.95' },
    ]);
  });
});

describe('the continuation of an order', () => {
  it('takes any mix of directions, with NULL lowest', () => {
    const query = parseQuery({ select: ['word'], sort: ['-pieces', 'day'] }, line, tables);
    const after = (position: Position) => {
      const { sql, parameters } = compileQuery(query, line, tables, all, { after: position });
      return [/WHERE (.*) ORDER BY/.exec(sql)?.[1], parameters];
    };
    expect(after(['5', '2026-01-01', 'o1', null])).toEqual([
      '((t."pieces" < CAST($1 AS INTEGER) OR t."pieces" IS NULL) OR (t."pieces" = CAST($1 AS INTEGER) AND ' +
        '(t."day" >= CAST($2 AS DATE) AND (t."day" > CAST($2 AS DATE) OR (t."day" = CAST($2 AS DATE) AND ' +
        '(t."order_id" >= CAST($3 AS VARCHAR) AND (t."order_id" > CAST($3 AS VARCHAR) OR ' +
        '(t."order_id" = CAST($3 AS VARCHAR) AND t."place" IS NOT NULL))))))))',
      ['5', '2026-01-01', 'o1'],
    ]);
    expect(after([null, null, 'o1', '2'])).toEqual([
      '(t."pieces" IS NULL AND (FALSE OR (t."pieces" IS NULL AND (t."day" IS NOT NULL OR (t."day" IS NULL AND ' +
        '(t."order_id" >= CAST($1 AS VARCHAR) AND (t."order_id" > CAST($1 AS VARCHAR) OR ' +
        '(t."order_id" = CAST($1 AS VARCHAR) AND t."place" > CAST($2 AS INTEGER)))))))))',
      ['o1', '2'],
    ]);
  });
});

describe('the gold tables', () => {
  const catalogue = shopCatalogue();
  const gold = catalogue.contracts.filter(({ layer }) => layer === 'gold');

  it.each(gold.map((contract) => [contract.name, contract] as const))('%s can be asked in whole', (_, contract) => {
    const query = parseQuery({}, contract, catalogue);
    const { columns, maskedColumns } = compileQuery(query, contract, catalogue, none);
    expect(columns.map(({ name }) => name)).toEqual(Object.keys(contract.columns));
    expect(contract.key.filter((column) => maskedColumns.includes(column))).toEqual([]);
    for (const relation of contract.relations) {
      const other = catalogue.byName.get(relation.to)?.contract.key[0] ?? '';
      expect(() => parseQuery({ select: [`${relation.name}.${other}`] }, contract, catalogue)).not.toThrow();
    }
  });
});
