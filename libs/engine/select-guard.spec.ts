import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Schema } from '#delta';
import { DuckDbEngine } from './duckdb-engine.js';

const schema: Schema = [{ name: 'n', type: { kind: 'integer' }, nullable: false }];

let dir: string;
let engine: DuckDbEngine;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sealed-'));
  await mkdir(join(dir, 'lake'));
  await writeFile(join(dir, 'secret.csv'), 'a\n1\n');
  await writeFile(join(dir, 'lake', 'inside.csv'), 'a\n1\n');
  engine = await DuckDbEngine.open({ workDir: join(dir, 'work') });
  const target = { dir: join(dir, 'lake', 't'), filePrefix: 'r', schema, partitionBy: [] };
  const files = await engine.materialise('SELECT CAST(range AS INTEGER) AS n FROM range(3)', target);
  await engine.bind('gold.t', { schema, partitionColumns: [], files });
  await engine.seal([join(dir, 'lake')]);
});

afterAll(async () => {
  await engine.close();
  await rm(dir, { recursive: true, force: true });
});

describe('a sealed engine', () => {
  it.each([
    'SELECT sum(n) AS n FROM gold.t',
    'SELECT sum(n) AS n FROM GOLD.T',
    'WITH x AS (SELECT n FROM gold.t), y AS (SELECT * FROM x) SELECT sum(n) AS n FROM y',
    'SELECT (SELECT sum(n) FROM gold.t) AS n;',
    'FROM gold.t SELECT sum(n) AS n',
    'WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 2) SELECT sum(n) AS n FROM r',
  ])('answers %s', async (sql) => {
    expect(await engine.query(sql)).toEqual([{ n: '3' }]);
  });

  it.each([
    'SELECT 1; SELECT 2',
    'DROP VIEW gold.t',
    'CREATE TABLE x AS SELECT 1',
    "COPY (SELECT 1) TO 'x.csv'",
    "SET memory_limit = '1GB'",
    "ATTACH ':memory:' AS other",
    'PRAGMA database_list',
    "INSTALL 'httpfs'",
    'EXPLAIN ANALYZE SELECT 1',
    "SELECT * FROM read_csv('secret.csv')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_parquet('*.parquet')",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM 'inside.csv'",
    'SELECT * FROM duckdb_settings()',
    'SELECT * FROM test_all_types()',
    'SELECT * FROM enable_logging()',
    'SELECT * FROM duckdb_tables',
    'SELECT * FROM information_schema.tables',
    'SELECT * FROM pg_catalog.pg_class',
    "SELECT * FROM query('SELECT 1')",
    "SELECT current_setting('temp_directory')",
    "SELECT n FROM gold.t WHERE n IN (SELECT a FROM read_csv('secret.csv'))",
    "WITH t AS (SELECT * FROM read_csv('secret.csv')) SELECT * FROM t",
    'SELECT * FROM gold.other',
    'SELECT * FROM (WITH hidden AS (SELECT 1) SELECT * FROM hidden) a, hidden',
    'SELECT',
    '',
  ])('refuses %s', async (sql) => {
    await expect(engine.query(sql)).rejects.toMatchObject({ code: 'sql.refused', kind: 'invalid' });
  });

  it('describes what it would answer, and nothing else', async () => {
    expect(await engine.describe('SELECT n, CAST(1 AS DECIMAL(18,2)) AS d FROM gold.t')).toEqual([
      { name: 'n', type: 'INTEGER' },
      { name: 'd', type: 'DECIMAL(18,2)' },
    ]);
    await expect(engine.describe("SELECT * FROM read_csv('secret.csv')")).rejects.toMatchObject({
      code: 'sql.refused',
    });
  });

  it('names the table function that it refuses', async () => {
    await expect(engine.query("SELECT * FROM read_csv('x')")).rejects.toThrow('read_csv()');
  });

  it('refuses to write, and wrote nothing', async () => {
    const before = await readdir(dir, { recursive: true });
    await expect(engine.stage('work.x', 'SELECT 1')).rejects.toMatchObject({ code: 'sql.refused' });
    await expect(engine.define('work.x', 'SELECT 1')).rejects.toMatchObject({ code: 'sql.refused' });
    expect(await readdir(dir, { recursive: true })).toEqual(before);
  });
});
