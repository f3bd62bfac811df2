import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { DuckDbEngine, type Row } from '#engine';
import {
  answerQuery,
  bucketType,
  fieldAt,
  measureType,
  openCursor,
  parseQuery,
  QueryError,
  related,
  restKey,
  streamQuery,
  whereKey,
  type Answer,
  type Asked,
} from '#serving';
import { byOrder, nameOf, NaiveShop, typeOf } from './naive-answer.js';
import { bindRows, bindShop, line, tables, thing } from './serving-fixture.js';

let dir: string;
let engine: DuckDbEngine;
let asked: Asked;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'serving-'));
  engine = await DuckDbEngine.open({ workDir: dir, memoryLimit: '400MB', threads: 1 });
  asked = {
    short: engine,
    scan: engine,
    release: 7,
    contract: line,
    tables,
    scopes: new Set(['pii:read']),
    cursorSecret: 'a secret',
  };
});

afterAll(async () => {
  await engine.close();
  await rm(dir, { recursive: true, force: true });
});

const ask = (json: object, backward = false, want: { total?: boolean } = {}): Promise<Answer> =>
  answerQuery({ ...parseQuery(json, line, tables), backward }, asked, want);

const orNull = <T>(values: readonly T[]) => fc.option(fc.constantFrom(...values), { nil: null, freq: 4 });
// in code points the replacement character comes before the emoji, in UTF-16 after it
const words = ['', 'a', 'A', 'ab', 'aB', 'é', 'É', '%', '_', '\\', 'a%b', 'a_b', '\uFFFD', '😀', `'; DROP TABLE x; --`];
const pieces = [-2147483648, -1, 0, 1, 2, 3, 2147483647];
const bigs = ['-9007199254740993', '-1', '0', '1', '9007199254740992', '9007199254740993'];
const amounts = ['-9999999.99', '-0.05', '-0.01', '0.00', '0.01', '0.05', '12.50', '9999999.99'];
const days = ['0001-01-01', '2024-02-29', '2025-12-31', '2026-01-01', '9999-12-31'];
const instants = [
  '1969-12-31T23:59:59.999999Z',
  '2026-01-01T00:00:00Z',
  '2026-01-01T00:00:00.5Z',
  '2026-03-30T12:34:56Z',
];
const thingIds = ['1', '2', '3'];
const categories = ['Pots', 'pots', 'Käse'];

const shopRows = fc.record({
  line: fc.uniqueArray(
    fc.record({
      order_id: fc.constantFrom('o1', 'o2', 'ö~%'),
      place: orNull([1, 2, 3]),
      thing_id: orNull([...thingIds, '9']),
      word: orNull(words),
      pieces: orNull(pieces),
      big: orNull(bigs),
      amount: orNull(amounts),
      is_gift: orNull([true, false]),
      day: orNull(days),
      sold_at: orNull(instants),
      buyer: orNull(words),
      buyer_hash: orNull(['h']),
    }),
    { selector: (row) => JSON.stringify([row.order_id, row.place]), maxLength: 12 },
  ),
  thing: fc.uniqueArray(
    fc.record({
      thing_id: fc.constantFrom(...thingIds),
      category: orNull(categories),
      price: orNull(amounts),
      maker_id: fc.constant(null),
    }),
    { selector: (row) => row.thing_id },
  ),
  maker: fc.constant([]),
});

const valuesOf: Readonly<Record<string, readonly (string | number | boolean)[]>> = {
  order_id: ['o1', 'ö~%'],
  place: [1, 2, 2.0, '3'],
  word: words,
  buyer: words,
  pieces: [...pieces, 3_000_000_000, '-3000000000'],
  big: [...bigs, 5],
  amount: [...amounts, '0.005', '-0.049', 12.5, 1e9, '-12345678901.001'],
  is_gift: [true, 'false'],
  day: days,
  sold_at: [...instants, '2026-01-01', '2026-01-01T02:00:00+02:00'],
  'thing.category': categories,
  'thing.price': amounts,
};
const columns = Object.keys(valuesOf);
const patterns = fc.array(fc.constantFrom('%', '_', 'a', 'B', 'É', '\\%', '\\_', '\\\\', '😀'), { maxLength: 4 });

function conditionOn(path: string): fc.Arbitrary<object> {
  const value = orNull(valuesOf[path] ?? []).map((raw) => canonical(raw, path));
  const compared = typeOf(path).kind === 'boolean' ? ['eq', 'ne'] : ['eq', 'ne', 'gt', 'gte', 'lt', 'lte'];
  const matched = ['contains', 'starts', 'ends', 'icontains', 'istarts', 'iends'];
  return fc
    .oneof(
      fc.record({ operator: fc.constantFrom(...compared), value }),
      fc.record({ operator: fc.constantFrom('in', 'nin'), value: fc.array(value, { maxLength: 3 }) }),
      fc.record({ operator: fc.constant('null'), value: fc.boolean() }),
      ...(typeOf(path).kind === 'string'
        ? [
            fc.record({ operator: fc.constantFrom(...matched), value }),
            fc.record({ operator: fc.constantFrom('like', 'ilike'), value: patterns.map((parts) => parts.join('')) }),
          ]
        : []),
    )
    .map(({ operator, value: operand }) => ({ [path]: { [operator]: operand } }));
}

/** The naive side compares text in one form; that other forms mean the same is for the parser's tests. */
function canonical(raw: string | number | boolean | null, path: string): string | number | boolean | null {
  if (typeOf(path).kind === 'boolean' && raw !== null) return raw === true || raw === 'true';
  if (raw === '2026-01-01') return path === 'sold_at' ? '2026-01-01T00:00:00Z' : raw;
  return raw === '2026-01-01T02:00:00+02:00' ? '2026-01-01T00:00:00Z' : raw;
}

const { where } = fc.letrec<{ where: object }>((tie) => ({
  where: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom(...columns).chain(conditionOn),
    fc.array(tie('where'), { maxLength: 3 }).map((and) => ({ and })),
    fc.array(tie('where'), { maxLength: 3 }).map((or) => ({ or })),
    tie('where').map((not) => ({ not })),
    conditionOn('thing.category').map((condition) => {
      const [operators] = Object.values(condition) as object[];
      return { thing: { not: { category: operators } } };
    }),
  ),
}));

const sort = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...columns), fc.boolean()), { selector: ([path]) => path, maxLength: 3 })
  .map((items) => items.map(([path, descending]) => (descending ? `-${path}` : path)));

async function allPages(json: object, backward = false): Promise<Row[]> {
  const found: Row[] = [];
  let page = await ask(json, backward);
  for (;;) {
    if (backward) found.unshift(...page.rows);
    else found.push(...page.rows);
    expect(page.hasMore).toBe(page.nextCursor !== null);
    if (page.nextCursor === null) return found;
    page = await ask({ ...json, cursor: page.nextCursor }, backward);
  }
}

async function allOf(batches: AsyncIterable<readonly Row[]>): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for await (const batch of batches) rows.push(...batch);
  return rows;
}

describe('answerQuery', () => {
  it('pages through exactly the rows that plain code finds, in its order, forward and backward', async () => {
    const select = fc.uniqueArray(fc.constantFrom(...columns, 'buyer_hash'), { minLength: 1, maxLength: 4 });
    const questions = fc.array(fc.record({ where, sort, select, limit: fc.integer({ min: 1, max: 7 }) }), {
      minLength: 1,
      maxLength: 5,
    });
    await fc.assert(
      fc.asyncProperty(shopRows, questions, async (rows, asks) => {
        await bindShop(engine, rows);
        const naive = new NaiveShop(rows);
        for (const json of asks) {
          const expected = naive
            .rows(json.where, json.sort)
            .map((row) => Object.fromEntries(json.select.map((path) => [path, row[path]])));
          expect(await allPages(json)).toEqual(expected);
          expect(await allPages(json, true)).toEqual(expected);
          expect((await ask(json, false, { total: true })).total).toBe(expected.length);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('computes exactly the groups that plain code computes, and pages through them', async () => {
    const group = fc.subarray(['word', 'is_gift', 'month(day)', 'week(sold_at)', 'hour(sold_at)', 'thing.category'], {
      maxLength: 2,
    });
    const measures = fc.subarray(
      [
        ...['count()', 'count(word)', 'count_distinct(word)', 'min(word)', 'max(sold_at)', 'min(big)', 'sum(big)'],
        ...['sum(pieces)', 'avg(pieces)', 'sum(amount)', 'avg(amount)', 'max(thing.price)', 'avg(thing.price)'],
      ],
      { minLength: 1 },
    );
    const question = fc.record({ where, group, measures, limit: fc.integer({ min: 1, max: 4 }), flip: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(shopRows, question, async (rows, { flip, ...json }) => {
        await bindShop(engine, rows);
        const first = nameOf(json.measures[0] ?? '');
        const order = [flip ? `-${first}` : first, ...json.group.map(nameOf)];
        const types = new Map((await ask(json)).columns.map(({ name, type }) => [name, type]));
        const expected = new NaiveShop(rows)
          .groups(json.where, json.group, json.measures)
          .toSorted(byOrder(order, (name) => types.get(name) ?? { kind: 'string' }));
        expect(await allPages({ ...json, sort: order.slice(0, 1) })).toEqual(expected);
        expect((await ask(json, false, { total: true })).total).toBe(expected.length);
      }),
      { numRuns: 60 },
    );
  });

  it('finds each row by its REST key', async () => {
    await fc.assert(
      fc.asyncProperty(shopRows, async (rows) => {
        await bindShop(engine, rows);
        for (const row of rows.line) {
          const key = decodeURIComponent(encodeURIComponent(restKey(row, line)));
          const found = await ask({ select: line.key, where: whereKey(key, line) });
          expect(found.rows).toEqual([{ order_id: row.order_id, place: row.place }]);
        }
      }),
      { numRuns: 10 },
    );
  });

  it('refuses a cursor of another query, product, release or secret, and any changed text', async () => {
    const orders = ['o1', 'o2', 'o3'].map((order_id) => ({ order_id, place: 1, buyer: 'Ann Smith' }));
    await bindShop(engine, { line: orders, thing: [{ thing_id: '1' }, { thing_id: '2' }], maker: [] });
    const json = { select: ['order_id'], sort: ['buyer'], limit: 1 };
    const { nextCursor: cursor } = await ask(json);
    expect(cursor).toBe((await ask(json)).nextCursor);
    const text = cursor ?? '';
    expect(openCursor(text, 'a secret')).toMatchObject({ release: 7, position: ['Ann Smith', 'o1', '1'] });
    expect(Buffer.from(text, 'base64url').toString('latin1')).not.toContain('Ann');
    expect((await ask({ ...json, limit: 5, cursor })).rows).toEqual([{ order_id: 'o2' }, { order_id: 'o3' }]);

    const mismatch = { code: 'cursor-mismatch', kind: 'invalid' };
    for (const other of [{ sort: ['-buyer'] }, { select: ['place'] }, { where: { place: { eq: 1 } } }]) {
      await expect(ask({ ...json, ...other, cursor })).rejects.toMatchObject(mismatch);
    }
    const query = parseQuery({ ...json, cursor }, line, tables);
    await expect(answerQuery(query, { ...asked, release: 8 })).rejects.toMatchObject(mismatch);
    const things = { ...asked, contract: thing };
    const ofThings = (await answerQuery(parseQuery({ limit: 1 }, thing, tables), things)).nextCursor;
    await expect(ask({ cursor: ofThings })).rejects.toMatchObject(mismatch);

    const bad = { code: 'query.invalid', problems: [expect.objectContaining({ code: 'bad-cursor' })] };
    await expect(answerQuery(query, { ...asked, cursorSecret: 'another' })).rejects.toMatchObject(bad);
    for (let n = 0; n < text.length; n += 1) {
      const changed = `${text.slice(0, n)}${text[n] === 'A' ? 'B' : 'A'}${text.slice(n + 1)}`;
      await expect(ask({ ...json, cursor: changed })).rejects.toBeInstanceOf(QueryError);
    }
    for (const none of ['', '!', 'AAAA', `${text}=`, text.slice(1)]) {
      await expect(ask({ ...json, cursor: none })).rejects.toMatchObject(bad);
    }
  });

  it('takes lists of thousands of values, whatever is in them', async () => {
    const odd = ["'", '"', '\\', '\0', '\u2028', '😀', '%', '', '~', '\n'];
    const rows = odd.map((word, n) => ({ order_id: `o${n}`, place: 1, word, pieces: n, big: String(n) }));
    await bindRows(engine, line, [...rows, { order_id: 'z', place: 1, word: null, pieces: null }]);
    const many = Array.from({ length: 9_900 }, (_, n) => `w${n}`);
    const places = async (where: object) => (await ask({ select: ['pieces'], where })).rows.map((row) => row['pieces']);
    expect(await places({ word: { in: [...many, ...odd] } })).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(await places({ word: { nin: [...many, ...odd.slice(3)] } })).toEqual([0, 1, 2, null]);
    const numbers = Array.from({ length: 500 }, (_, n) => n + 5);
    expect(await places({ pieces: { in: [...numbers, 3_000_000_000] } })).toEqual([5, 6, 7, 8, 9]);
    expect(await places({ not: { or: [{ big: { in: numbers } }, { pieces: { in: [3_000_000_000, 0] } }] } })).toEqual([
      ...[1, 2, 3, 4],
      null,
    ]);
  });

  it('goes on from its cursors however long the text is that rows are sorted by', async () => {
    const lines = ['x', 'y', 'z'].map((letter, n) => ({ order_id: 'o', place: n, word: letter.repeat(40_000) }));
    await bindRows(engine, line, lines);
    const json = { select: ['place'], sort: ['word'], limit: 2 };
    const { nextCursor: cursor } = await ask(json);
    expect((await ask({ ...json, cursor })).rows).toEqual([{ place: 2 }]);
  });

  it('gives every row a cursor, from which both directions go on', async () => {
    const lines = [1, 2, 3, 4, 5].map((place) => ({ order_id: 'o', place }));
    await bindRows(engine, line, lines);
    const page = await ask({ select: ['place'] });
    const cursor = page.cursorOf(2);
    expect((await ask({ select: ['place'], cursor })).rows).toEqual([{ place: 4 }, { place: 5 }]);
    const before = await ask({ select: ['place'], cursor, limit: 1 }, true);
    expect(before).toMatchObject({ rows: [{ place: 2 }], hasMore: true });
    expect(before.nextCursor).toBe(page.cursorOf(1));
    expect((await ask({ select: ['place'], cursor: before.nextCursor }, true)).rows).toEqual([{ place: 1 }]);
  });

  it('refuses more than 10,000 groups, however few are on a page', async () => {
    await engine.stage(
      'gold.line',
      `SELECT CAST(n AS VARCHAR) AS order_id, 1 AS place, CAST(n AS BIGINT) AS big FROM range(10001) r(n)`,
    );
    const json = { group: ['order_id'], measures: ['sum(big)'], sort: ['-sum_big'], limit: 2 };
    const tooMany = { code: 'too-many-groups', kind: 'invalid' };
    await expect(ask(json)).rejects.toMatchObject(tooMany);
    const { batches } = streamQuery(parseQuery(json, line, tables, { streamed: true }), asked);
    await expect(allOf(batches)).rejects.toMatchObject(tooMany);
    const fewer = { ...json, where: { big: { gt: 0 } } };
    expect((await ask(fewer)).rows).toEqual([
      { order_id: '10000', sum_big: '10000' },
      { order_id: '9999', sum_big: '9999' },
    ]);
    expect((await ask({ ...json, having: { sum_big: { lte: 1 } } })).rows).toHaveLength(2);
  });

  it('streams all rows in order without a limit, and nothing beside what was selected', async () => {
    await engine.stage(
      'gold.line',
      `SELECT CAST(n AS VARCHAR) AS order_id, CAST(n AS INTEGER) AS place, n % 7 AS pieces FROM range(25000) r(n)`,
    );
    const query = parseQuery({ select: ['place'], sort: ['-pieces', 'place'] }, line, tables, { streamed: true });
    const streamed = streamQuery(query, asked);
    expect(streamed.columns.map(({ name }) => name)).toEqual(['place']);
    const rows = await allOf(streamed.batches);
    expect(rows).toHaveLength(25_000);
    expect(rows.slice(0, 2)).toEqual([{ place: 6 }, { place: 13 }]);
  });
});

describe('contracts as queries see them', () => {
  it('reach columns over relations to a key, and no others', () => {
    expect(fieldAt('thing.maker.owner', line, tables)).toMatchObject({
      column: 'owner',
      isPrivate: true,
      nullable: true,
    });
    expect(related('namesake', thing, tables)).toBeUndefined();
    expect(fieldAt('thing.toString', line, tables)).toBeUndefined();
  });

  it('say which buckets and measures a column has', () => {
    expect(bucketType('hour', { kind: 'date' })).toBeUndefined();
    expect(bucketType('week', { kind: 'timestamp' })).toEqual({ kind: 'date' });
    const money = { kind: 'decimal', precision: 18, scale: 2 } as const;
    expect(measureType({ measure: 'avg', path: 'x' }, money)).toEqual({ kind: 'decimal', precision: 38, scale: 4 });
    expect(measureType({ measure: 'sum', path: 'x' }, { kind: 'string' })).toBeUndefined();
  });
});
