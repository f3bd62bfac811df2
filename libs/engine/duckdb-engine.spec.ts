import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Schema } from '#delta';
import { DuckDbEngine } from './duckdb-engine.js';
import type { BoundFile, Row, WrittenFile } from './engine.js';

const everyType: Schema = [
  { name: 'id', type: { kind: 'long' }, nullable: false },
  { name: 'n', type: { kind: 'integer' }, nullable: true },
  { name: 'amount', type: { kind: 'decimal', precision: 18, scale: 2 }, nullable: true },
  { name: 'big', type: { kind: 'decimal', precision: 38, scale: 6 }, nullable: true },
  { name: 'name', type: { kind: 'string' }, nullable: true },
  { name: 'ok', type: { kind: 'boolean' }, nullable: true },
  { name: 'day', type: { kind: 'date' }, nullable: true },
  { name: 'at', type: { kind: 'timestamp' }, nullable: true },
  { name: 'tags', type: { kind: 'strings' }, nullable: true },
];

const everyRow = `
  SELECT * FROM (VALUES
    (9007199254740993, 1, 1234567890123456.78::DECIMAL(18,2), 12345678901234567890123456789012.123456::DECIMAL(38,6),
     'a ''b'' / % é 😀', true, DATE '2024-02-29', TIMESTAMPTZ '2024-02-29 23:59:59.000001+00', ['x', NULL, 'y,z']),
    (-9007199254740995, NULL, -0.01, NULL, NULL, NULL, NULL, NULL, NULL),
    (3, -2147483648, 0, 0, '', false, DATE '0001-01-01', TIMESTAMPTZ '1969-12-31 23:59:59.5+00', [])
  ) t(id, n, amount, big, name, ok, day, "at", tags)`;

let dir: string;
let engine: DuckDbEngine;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'engine-'));
  engine = await DuckDbEngine.open({ workDir: join(dir, 'work'), memoryLimit: '400MB', threads: 2 });
});

afterEach(async () => {
  await engine.close();
  await rm(dir, { recursive: true, force: true });
});

const asBound = (files: readonly WrittenFile[]): readonly BoundFile[] =>
  files.map(({ localPath, partitionValues }) => ({ localPath, partitionValues }));

async function written(
  sql: string,
  schema: Schema,
  partitionBy: readonly string[] = [],
): Promise<readonly WrittenFile[]> {
  return engine.materialise(sql, { dir: join(dir, 'out'), filePrefix: 'run1', schema, partitionBy });
}

async function roundTrip(sql: string, schema: Schema, partitionBy: readonly string[]): Promise<readonly Row[]> {
  const files = asBound(await written(sql, schema, partitionBy));
  await engine.bind('silver.t', { schema, partitionColumns: partitionBy, files });
  return engine.query('SELECT * FROM silver.t ORDER BY 1 NULLS FIRST');
}

describe('DuckDbEngine', () => {
  it('gives back exactly what it wrote, for every type', async () => {
    const rows = await roundTrip(everyRow, everyType, []);
    expect(rows).toEqual([
      {
        id: '-9007199254740995',
        n: null,
        amount: '-0.01',
        big: null,
        name: null,
        ok: null,
        day: null,
        at: null,
        tags: null,
      },
      {
        id: '3',
        n: -2147483648,
        amount: '0.00',
        big: '0.000000',
        name: '',
        ok: false,
        day: '0001-01-01',
        at: '1969-12-31T23:59:59.5Z',
        tags: [],
      },
      {
        id: '9007199254740993',
        n: 1,
        amount: '1234567890123456.78',
        big: '12345678901234567890123456789012.123456',
        name: "a 'b' / % é 😀",
        ok: true,
        day: '2024-02-29',
        at: '2024-02-29T23:59:59.000001Z',
        tags: ['x', null, 'y,z'],
      },
    ]);
  });

  it('describes a file for the log without losing a digit', async () => {
    const [file] = await written(everyRow, everyType);
    expect(file?.rows).toBe(3);
    expect(file?.stats).toContain('"id":-9007199254740995');
    expect(file?.stats).toContain('"big":12345678901234567890123456789012.123456');
    const stats = JSON.parse(file?.stats ?? '') as { maxValues: Row; minValues: Row; nullCount: Row };
    expect(stats.maxValues['at']).toBe('2024-02-29T23:59:59.001Z');
    expect(stats.minValues['at']).toBe('1969-12-31T23:59:59.500Z');
    expect(stats.nullCount).toEqual({ id: 0, n: 1, amount: 1 - 1, big: 1, name: 1, ok: 1, day: 1, at: 1 });
    expect(stats.maxValues).not.toHaveProperty('ok');
  });

  it('keeps odd partition values through folder, log path and back', async () => {
    const schema: Schema = [
      { name: 'n', type: { kind: 'integer' }, nullable: false },
      { name: 'p', type: { kind: 'string' }, nullable: true },
    ];
    const values = ['plain', 'a b', 'a/b', '100%', 'é😀', 'x=y', '#?&', "it's", '*[a]', '%41', null];
    const literals = values.map(
      (value, at) => `(${at}, ${value === null ? 'NULL' : `'${value.replaceAll("'", "''")}'`})`,
    );
    const rows = await roundTrip(`SELECT * FROM (VALUES ${literals.join(',')}) t(n, p)`, schema, ['p']);
    expect(rows.map((row) => row['p'])).toEqual(values);
  });

  it('reads partitions by instant and by decimal', async () => {
    const schema: Schema = [
      { name: 'k', type: { kind: 'long' }, nullable: false },
      { name: 'at', type: { kind: 'timestamp' }, nullable: true },
      { name: 'price', type: { kind: 'decimal', precision: 12, scale: 2 }, nullable: true },
    ];
    const select = "SELECT 1::BIGINT AS k, TIMESTAMPTZ '2026-02-17 10:20:30.5+00' AS at, 1.50::DECIMAL(12,2) AS price";
    const row = { k: '1', at: '2026-02-17T10:20:30.5Z', price: '1.50' };
    expect(await roundTrip(select, schema, ['at'])).toEqual([row]);
    expect(await roundTrip(select, schema, ['price'])).toEqual([row]);
  });

  it('believes the log, not the path, about partition values', async () => {
    const schema: Schema = [
      { name: 'n', type: { kind: 'integer' }, nullable: false },
      { name: 'p', type: { kind: 'date' }, nullable: true },
    ];
    const files = await written(`SELECT 1 AS n, DATE '2024-01-01' AS p UNION ALL SELECT 2, DATE '2024-01-02'`, schema, [
      'p',
    ]);
    const moved = files.map(({ localPath, partitionValues }) => ({
      localPath,
      partitionValues: { p: partitionValues['p'] === '2024-01-01' ? '1999-12-31' : null },
    }));
    await engine.bind('silver.t', { schema, partitionColumns: ['p'], files: moved });
    expect(await engine.query('SELECT * FROM silver.t ORDER BY n NULLS FIRST')).toEqual([
      { n: 1, p: '1999-12-31' },
      { n: 2, p: null },
    ]);
  });

  it('gives NULL for a column that an older file lacks, also when all lack it', async () => {
    const old: Schema = [{ name: 'n', type: { kind: 'integer' }, nullable: false }];
    const newer: Schema = [...old, { name: 'more', type: { kind: 'string' }, nullable: true }];
    const newest: Schema = [...newer, { name: 'last', type: { kind: 'timestamp' }, nullable: true }];
    const files = [...(await written('SELECT 1 AS n', old)), ...(await written(`SELECT 2 AS n, 'x' AS more`, newer))];
    await engine.bind('silver.t', { schema: newest, partitionColumns: [], files: asBound(files) });
    expect(await engine.query('SELECT * FROM silver.t ORDER BY n NULLS FIRST')).toEqual([
      { n: 1, more: null, last: null },
      { n: 2, more: 'x', last: null },
    ]);
  });

  it('binds no files as an empty typed table and writes no rows as no files', async () => {
    await engine.bind('silver.t', { schema: everyType, partitionColumns: ['day'], files: [] });
    expect(await engine.query('SELECT * FROM silver.t')).toEqual([]);
    expect(await written('SELECT * FROM silver.t', everyType)).toEqual([]);
    expect(await written('SELECT * FROM silver.t', everyType, ['day'])).toEqual([]);
    expect((await readdir(join(dir, 'out'))).filter((name) => name.endsWith('.parquet'))).toEqual([]);
  });

  it.each(['sum(1)', '1.5::DOUBLE', 'uuid()', '1::UINTEGER', `TIME '01:00:00'`, `INTERVAL 1 DAY`, `'a'::ENUM('a')`])(
    'refuses to write %s, naming the column',
    async (expression) => {
      const schema: Schema = [{ name: 'c', type: { kind: 'long' }, nullable: true }];
      await expect(written(`SELECT ${expression} AS c`, schema)).rejects.toMatchObject({
        code: 'engine.unsupported_type',
        at: { field: 'c' },
      });
    },
  );

  it('refuses a decimal that would be rounded, and columns that are not the contract’s', async () => {
    const schema: Schema = [{ name: 'c', type: { kind: 'decimal', precision: 18, scale: 2 }, nullable: true }];
    await expect(written('SELECT 1.234::DECIMAL(10,3) AS c', schema)).rejects.toMatchObject({
      code: 'engine.column_type',
    });
    await expect(written('SELECT 1 AS c, 2 AS d', schema)).rejects.toMatchObject({ code: 'engine.columns_differ' });
    await expect(written('SELECT 1 AS d', schema)).rejects.toMatchObject({ code: 'engine.columns_differ' });
  });

  it.each([
    ['a plain column', { name: 'c', type: { kind: 'integer' }, nullable: false }, []],
    ['a partition column', { name: 'c', type: { kind: 'integer' }, nullable: false }, ['c']],
  ] as const)('refuses a NULL in %s that may not be NULL, and leaves no file', async (_what, field, partitionBy) => {
    const schema: Schema = [{ name: 'k', type: { kind: 'integer' }, nullable: true }, field];
    const writing = written('SELECT 1 AS k, CAST(NULL AS INTEGER) AS c', schema, partitionBy);
    await expect(writing).rejects.toMatchObject({ code: 'engine.null_in_required', at: { field: 'c' } });
    const left = await readdir(join(dir, 'out'), { recursive: true });
    expect(left.filter((name) => name.endsWith('.parquet'))).toEqual([]);
  });

  it('binds parameters instead of reading them as SQL', async () => {
    expect(await engine.query('SELECT ? AS a, ? AS b', ["'; DROP TABLE x; --", 7])).toEqual([
      { a: "'; DROP TABLE x; --", b: 7 },
    ]);
  });

  it('streams many rows in batches of bounded size', async () => {
    let rows = 0;
    for await (const batch of engine.stream('SELECT range AS n FROM range(10000)')) {
      expect(batch.length).toBeLessThanOrEqual(2048);
      rows += batch.length;
    }
    expect(rows).toBe(10_000);
  });

  it('says that a result is too large instead of cutting it', async () => {
    await expect(engine.query('SELECT * FROM range(11)', [], { maxRows: 10 })).rejects.toMatchObject({
      code: 'engine.too_many_rows',
    });
  });

  const endless = 'SELECT count(*) AS n FROM range(1000000) a, range(1000000) b WHERE (a.range * b.range) % 7 = 1';

  it('stops a running query when its signal is aborted, and goes on working', async () => {
    const abort = new AbortController();
    const running = engine.query(endless, [], { signal: abort.signal });
    setTimeout(() => abort.abort(), 50);
    await expect(running).rejects.toMatchObject({ code: 'engine.cancelled', kind: 'unavailable' });
    expect(await engine.query('SELECT 1 AS n')).toEqual([{ n: 1 }]);
  });

  it('stops everything that runs on cancelAll', async () => {
    const running = [engine.stage('work.a', endless), engine.stage('work.b', endless)];
    const ended = Promise.allSettled(running);
    setTimeout(() => engine.cancelAll(), 50);
    for (const outcome of await ended) expect(outcome).toMatchObject({ reason: { code: 'engine.cancelled' } });
  });

  it('replaces a view by a table and a table by a view of the same name', async () => {
    await engine.define('work.t', 'SELECT 1 AS n');
    expect(await engine.stage('work.t', 'SELECT * FROM range(5)')).toBe(5);
    await engine.define('work.t', 'SELECT 2 AS n');
    expect(await engine.query('SELECT * FROM work.t')).toEqual([{ n: 2 }]);
    await engine.drop('work.t');
    await expect(engine.query('SELECT * FROM work.t')).rejects.toMatchObject({ code: 'engine.query_failed' });
  });

  it('works more jobs at once than it has connections', async () => {
    const counts = await Promise.all(
      Array.from({ length: 9 }, (_, at) => engine.stage(`work.t${at}`, `SELECT * FROM range(${at})`)),
    );
    expect(counts).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('refuses a NULL list where none may be', async () => {
    const schema: Schema = [{ name: 'l', type: { kind: 'strings' }, nullable: false }];
    await expect(written('SELECT CAST(NULL AS VARCHAR[]) AS l', schema)).rejects.toMatchObject({
      code: 'engine.null_in_required',
      at: { field: 'l' },
    });
    expect(await written(`SELECT ['a', NULL] AS l`, schema)).toHaveLength(1);
  });

  it('keeps the order of a file and numbers its rows by it', async () => {
    const csv = join(dir, 'rows.csv');
    await writeFile(csv, Array.from({ length: 300_000 }, (_, at) => `line ${at}`).join('\n'));
    const schema: Schema = [
      { name: 'row', type: { kind: 'long' }, nullable: false },
      { name: 'text', type: { kind: 'string' }, nullable: false },
    ];
    const read = `SELECT row_number() OVER () AS "row", text FROM read_csv('${csv}', header = false, columns = {text: 'VARCHAR'})`;
    const files = asBound(await written(read, schema));
    await engine.bind('bronze.t', { schema, partitionColumns: [], files });
    expect(await engine.query(`SELECT count(*) AS n FROM bronze.t WHERE text <> concat('line ', "row" - 1)`)).toEqual([
      { n: '0' },
    ]);
    expect(await engine.query('SELECT "row" FROM bronze.t LIMIT 2')).toEqual([{ row: '1' }, { row: '2' }]);
  });

  it('cuts what is large into files of ranges, each partition for itself, and says which file a row stands in', async () => {
    const schema: Schema = [
      { name: 'id', type: { kind: 'long' }, nullable: false },
      { name: 'part', type: { kind: 'string' }, nullable: true },
    ];
    const layout = { sortBy: ['part', 'id'], targetBytes: 600_000 };
    // part a has 290,000 rows in a mixed order, b 10,000
    const sql = `SELECT hash(i) // 4 % 1000000007 * 300000 + i AS id, CASE WHEN i % 30 = 0 THEN 'b' ELSE 'a' END AS part FROM range(300000) t(i)`;
    for (const partitionBy of [[], ['part']]) {
      const target = { dir: join(dir, 'cut'), filePrefix: 'run1', schema, partitionBy, layout };
      const files = await engine.materialise(
        `SELECT CAST(id % 9000000000000000 AS BIGINT) AS id, part FROM (${sql}) r`,
        target,
      );
      const ofA = files.filter(({ partitionValues }) => partitionBy.length === 0 || partitionValues['part'] === 'a');
      expect(ofA.length).toBeGreaterThan(1);
      expect(files.reduce((sum, { rows }) => sum + rows, 0)).toBe(300_000);
      const numbered = asBound(files).map((file, number) => ({ ...file, number: number + 7 }));
      await engine.bind('silver.t', { schema, partitionColumns: partitionBy, files: numbered, fileColumn: 'file' });
      const ranges = await engine.query(
        `SELECT min(id) AS low, max(id) AS high, count(*) AS n, file FROM silver.t WHERE part = 'a' GROUP BY file ORDER BY low`,
      );
      for (const [n, { high }] of ranges.slice(0, -1).entries()) {
        expect(BigInt(String(high))).toBeLessThan(BigInt(String(ranges[n + 1]?.['low'])));
      }
      const rows = await engine.query('SELECT file, count(*) AS n FROM silver.t GROUP BY file ORDER BY file');
      expect(rows.map(({ file, n }) => [file, Number(n)])).toEqual(files.map((file, n) => [n + 7, file.rows]));
    }
  });

  it('writes rows apart that a column tells apart, and not the column', async () => {
    const schema: Schema = [
      { name: 'id', type: { kind: 'long' }, nullable: false },
      { name: 'part', type: { kind: 'string' }, nullable: true },
    ];
    const sql = `SELECT range AS id, CASE WHEN range % 2 = 0 THEN 'a/b' END AS part, CAST(range // 4 AS INTEGER) AS _which FROM range(8)`;
    for (const partitionBy of [[], ['part']]) {
      const target = { dir: join(dir, 'apart'), filePrefix: 'run1', schema, partitionBy, apartBy: '_which' };
      const files = await engine.materialise(sql, target);
      expect(files).toHaveLength(2 * (partitionBy.length + 1));
      for (const { addPath, localPath, sizeBytes } of files) {
        expect(addPath).not.toContain('_which');
        expect((await stat(localPath)).size).toBe(sizeBytes);
      }
      await engine.bind('silver.t', { schema, partitionColumns: partitionBy, files: asBound(files) });
      const rows = await engine.query('SELECT * FROM silver.t ORDER BY id');
      expect(rows.map(({ id, part }) => [id, part])).toEqual(
        Array.from({ length: 8 }, (_, n) => [String(n), n % 2 === 0 ? 'a/b' : null]),
      );
    }
  });

  it('reads a thousand files in any layout', async () => {
    const schema: Schema = [
      { name: 'n', type: { kind: 'integer' }, nullable: false },
      { name: 'p', type: { kind: 'integer' }, nullable: true },
    ];
    const files = asBound(
      await written('SELECT CAST(range AS INTEGER) AS n, CAST(range AS INTEGER) AS p FROM range(1000)', schema, ['p']),
    );
    expect(files).toHaveLength(1000);
    for (const partitionValues of [undefined, { p: '7' }]) {
      const bound = files.map((file) => ({ ...file, partitionValues: partitionValues ?? file.partitionValues }));
      await engine.bind('silver.t', { schema, partitionColumns: ['p'], files: bound });
      const [row] = await engine.query('SELECT count(*) AS n, sum(p) AS p, sum(n) AS all_n FROM silver.t');
      expect(row).toEqual({ n: '1000', p: partitionValues === undefined ? '499500' : '7000', all_n: '499500' });
    }
  });

  it('reads files below folders with brackets, quotes, blanks and an equals sign', async () => {
    const schema: Schema = [
      { name: 'n', type: { kind: 'integer' }, nullable: false },
      { name: 'p', type: { kind: 'date' }, nullable: true },
    ];
    const files = await engine.materialise(`SELECT 1 AS n, DATE '2024-01-01' AS p`, {
      dir: join(dir, "my [lake] *?'s a=b"),
      filePrefix: 'r',
      schema,
      partitionBy: ['p'],
    });
    await engine.bind('silver.t', { schema, partitionColumns: ['p'], files: asBound(files) });
    expect(await engine.query('SELECT * FROM silver.t')).toEqual([{ n: 1, p: '2024-01-01' }]);
  });

  it('spills a table that is larger than its memory', async () => {
    const small = await DuckDbEngine.open({ workDir: join(dir, 'small'), memoryLimit: '60MB', threads: 1 });
    try {
      const sql = 'SELECT range AS n, sha256(CAST(range AS VARCHAR)) AS h FROM range(2000000)';
      expect(await small.stage('work.big', sql)).toBe(2_000_000);
      expect(await small.query('SELECT count(*) AS n, max(n) AS m FROM work.big')).toEqual([
        { n: '2000000', m: '1999999' },
      ]);
    } finally {
      await small.close();
    }
  });

  it('says what to do when memory is not enough, and goes on working', async () => {
    const small = await DuckDbEngine.open({ workDir: join(dir, 'small'), memoryLimit: '20MB', threads: 1 });
    try {
      const greedy = small.query('SELECT len(list(sha256(CAST(range AS VARCHAR)))) AS n FROM range(3000000)');
      await expect(greedy).rejects.toMatchObject({ code: 'engine.out_of_memory', kind: 'unavailable' });
      await expect(greedy).rejects.toThrow('SHOPSMART_MEMORY_LIMIT');
      expect(await small.query('SELECT 1 AS n')).toEqual([{ n: 1 }]);
    } finally {
      await small.close();
    }
  });

  it('gives NaN and the infinities as numbers, a long sum as text', async () => {
    expect(
      await engine.query(`SELECT 'nan'::DOUBLE AS a, 'inf'::DOUBLE AS b, sum(9223372036854775807) AS c FROM range(2)`),
    ).toEqual([{ a: NaN, b: Infinity, c: '18446744073709551614' }]);
  });

  it('leaves nothing in the work folder', async () => {
    await engine.stage('work.t', 'SELECT range AS n, repeat(CAST(range AS VARCHAR), 20) AS s FROM range(100000)');
    await engine.close();
    expect(await readdir(join(dir, 'work'))).toEqual([]);
    engine = await DuckDbEngine.open({ workDir: join(dir, 'work') });
  });
});
