import { LakeError } from '#errors';
import { catalogue, inputTables } from './catalogue.js';
import { count, pii, required, text, timestamp, typeName } from './column.js';
import type { Check, Recompute, TableDefinition } from './contract.js';
import { lakeColumns } from './lake-column.js';
import { inputsOf, tablesOf } from './lineage.js';
import { brokenAny, castFailures, parsedSelect, ruleList } from './source-sql.js';
import { requires, silverTable, source, table, type TableSpec } from './table.js';

const spec: TableSpec = {
  describes: 'A table.',
  key: ['id'],
  columns: { id: required(text('Id')), n: count('Things') },
  recompute: { by: [], from: [], asOf: false },
};
const things = source('things', {
  format: 'csv',
  folder: 'in',
  fields: { id: { kind: 'id' }, n: { kind: 'integer' } },
  pii: ['id'],
});
const silverThings = silverTable('silver/things', {
  ...spec,
  source: 'things',
  rules: [requires('id'), requires('n'), { name: 'negative_n', description: 'n is below 0', broken: 'n < 0' }],
  recompute: { by: ['id'], from: [{ input: 'bronze.things', by: ['id'] }], asOf: false },
});
const silver = { contract: silverThings, sql: 'SELECT * FROM parsed.things' };

const check: Check = {
  name: 'c',
  severity: 'error',
  description: 'x',
  failing: 'SELECT id FROM gold.things',
  units: { 'gold.things': ['id'] },
};
const measured: Recompute = {
  by: [],
  from: [{ input: 'silver.things', by: 'all', own: { id: 'id' } }],
  measures: { by: ['id'], columns: ['n'] },
  asOf: false,
};

function mistakeOf(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    expect(error).toBeInstanceOf(LakeError);
    expect(error).toMatchObject({ code: 'contract.invalid', kind: 'invalid' });
    return (error as LakeError).message;
  }
  return 'none';
}

describe('a contract', () => {
  it.each<[string, string, Partial<TableSpec>]>([
    ['a name without a layer', 'things', {}],
    ['a name in capitals', 'gold/Things', {}],
    ['a column in camel case', 'gold/things', { columns: { id: text('Id'), someThing: text('x') } }],
    ['a column that says nothing', 'gold/things', { columns: { id: text(' ') } }],
    [
      'a type outside the list',
      'gold/things',
      { columns: { id: { ...text('Id'), type: { kind: 'double' as 'string' } } } },
    ],
    [
      'an impossible decimal',
      'gold/things',
      { columns: { id: { ...text('Id'), type: { kind: 'decimal', precision: 39, scale: 2 } } } },
    ],
    ['no key', 'gold/things', { key: [] }],
    ['an unknown key column', 'gold/things', { key: ['nope'] }],
    ['an unknown partition column', 'gold/things', { partitionBy: ['nope'] }],
    ['an unknown sort column', 'gold/things', { sortBy: ['nope'] }],
    [
      'an unknown related column',
      'gold/things',
      { relations: [{ name: 'r', to: 'gold/x', columns: ['nope'], references: ['id'] }] },
    ],
    [
      'a check that is no query',
      'gold/things',
      { checks: [{ name: 'c', severity: 'warn', description: 'x', failing: 'DROP TABLE x' }] },
    ],
    [
      'a check named as another',
      'gold/things',
      { checks: [{ name: 'key_unique', severity: 'warn', description: 'x', failing: 'SELECT 1' }] },
    ],
    [
      'a key path of another width',
      'gold/things',
      { recompute: { by: ['id'], from: [{ input: 'silver.x', by: ['a', 'b'] }], asOf: false } },
    ],
    [
      'a check without the units of a relation that it reads',
      'gold/things',
      { checks: [{ ...check, failing: 'SELECT id FROM gold.things JOIN gold.x USING (id)' }] },
    ],
    [
      'a check by a unit that it does not read',
      'gold/things',
      { checks: [{ ...check, units: { 'gold.things': ['n'] } }] },
    ],
    [
      'a check that pairs its units badly',
      'gold/things',
      { checks: [{ ...check, units: { 'gold.things': ['id'], 'gold.x': ['id', 'n'] } }] },
    ],
    [
      'measures of an unknown column',
      'gold/things',
      { recompute: { ...measured, measures: { by: ['id'], columns: ['x'] } } },
    ],
    [
      'measures of an input without a unit',
      'gold/things',
      { recompute: { ...measured, from: [{ input: 'silver.things', by: 'all' }] } },
    ],
    [
      'measures of a table that needs none',
      'gold/things',
      { recompute: { ...measured, by: ['id'], from: [{ input: 'silver.things', by: ['id'], own: { id: 'id' } }] } },
    ],
    [
      'rows of an input by an unknown column',
      'gold/things',
      { recompute: { by: [], from: [{ input: 'silver.x', by: 'all', own: { id: 'nope' } }], asOf: false } },
    ],
  ])('refuses %s', (_, name, change) => {
    expect(mistakeOf(() => table(name, { ...spec, ...change }))).not.toBe('none');
  });

  it('reports all mistakes together', () => {
    expect(mistakeOf(() => table('gold/x', { ...spec, key: ['a'], sortBy: ['b'] }))).toMatch(/column a.*column b/);
  });

  it('keeps reserved rule names for the platform', () => {
    const rules = [{ name: 'overflow', description: 'x', broken: 'n > 9' }];
    expect(mistakeOf(() => silverTable('silver/x', { ...spec, rules }))).toMatch(/reserved/);
  });

  it('refuses a source field that no parser reads', () => {
    const fields = { n: { kind: 'decimal', precision: 20, scale: 4 } } as const;
    expect(mistakeOf(() => source('x', { format: 'csv', folder: 'x', fields }))).toMatch(/no parser/);
  });

  it('names types as documents do', () => {
    expect([
      typeName({ kind: 'decimal', precision: 9, scale: 2 }),
      typeName({ kind: 'long' }),
      typeName(timestamp('x').type),
    ]).toEqual(['DECIMAL(9,2)', 'BIGINT', 'TIMESTAMP']);
    expect(pii(text('x')).pii).toBe('pii');
  });
});

describe('a catalogue', () => {
  const gold = {
    contract: table('gold/things', {
      ...spec,
      recompute: { by: [], from: [{ input: 'silver.things', by: 'all' }], asOf: false },
    }),
    sql: 'SELECT id, n FROM silver.things',
  };

  it('puts a table after those it reads, and adds bronze and quarantine', () => {
    const made = catalogue({ sources: [things], tables: [gold, silver] });
    expect(made.tables.map(({ contract }) => contract.name)).toEqual(['silver/things', 'gold/things']);
    expect(made.contracts.map(({ name }) => name)).toEqual([
      'bronze/things',
      'bronze/loads',
      'bronze/repairs',
      'bronze/quarantine/things',
      'silver/things',
      'gold/things',
    ]);
  });

  it('refuses unknown inputs, circles, twins and inputs that no key path speaks of', () => {
    const sources = [things];
    expect(mistakeOf(() => catalogue({ sources, tables: [gold] }))).toMatch(/silver\/things, which does not exist/);
    expect(mistakeOf(() => catalogue({ sources: [], tables: [silver] }))).toMatch(/unknown source/);
    expect(mistakeOf(() => catalogue({ sources, tables: [silver, silver] }))).toMatch(/one name/);
    expect(
      mistakeOf(() =>
        catalogue({ sources, tables: [silver, { ...gold, sql: `${gold.sql} JOIN bronze.things USING (id)` }] }),
      ),
    ).toMatch(/follow from bronze.things/);
    const from = [{ input: 'silver.things', by: 'all' as const, own: { nope: 'id' } }];
    const astray = { ...gold, contract: { ...gold.contract, recompute: { by: [], from, asOf: false } } };
    expect(mistakeOf(() => catalogue({ sources, tables: [silver, astray] }))).toMatch(/silver.things by nope/);
    const circle = {
      contract: {
        ...gold.contract,
        name: 'gold/a',
        checks: [],
        recompute: { ...gold.contract.recompute, from: [{ input: 'gold.b', by: 'all' as const }] },
      },
      sql: 'SELECT * FROM gold.b',
    };
    const back = {
      contract: {
        ...circle.contract,
        name: 'gold/b',
        recompute: { ...circle.contract.recompute, from: [{ input: 'gold.a', by: 'all' as const }] },
      },
      sql: 'SELECT * FROM gold.a',
    };
    expect(mistakeOf(() => catalogue({ sources: [], tables: [circle, back] }))).toMatch(/circle/);
  });

  it('lets a table with measures read them alone, so that no change passes it by', () => {
    const contract = table('gold/things', { ...spec, recompute: measured });
    const made = (parts: Partial<TableDefinition>) => () =>
      catalogue({ sources: [things], tables: [silver, { ...gold, contract, ...parts }] });
    const measuresSql = gold.sql;
    const sql = 'SELECT id, n FROM measures.things';
    expect(mistakeOf(made({ sql, measuresSql }))).toBe('none');
    expect(inputTables(made({ sql, measuresSql })().tables[1] ?? gold)).toEqual(['silver/things']);
    expect(mistakeOf(made({ sql }))).toMatch(/no query for its measures/);
    expect(mistakeOf(made({ measuresSql }))).toMatch(/does not read measures.things/);
    const also = `${sql} WHERE id IN (SELECT id FROM silver.things)`;
    expect(mistakeOf(made({ sql: also, measuresSql }))).toMatch(/beside its measures/);
    expect(mistakeOf(made({ contract: gold.contract, measuresSql }))).toMatch(/does not name/);
  });

  it('gives each layer its audit columns', () => {
    const made = catalogue({ sources: [things], tables: [silver, gold] });
    const names = (at: number) =>
      Object.keys(lakeColumns(made.contracts[at] ?? silverThings)).filter((name) => name.startsWith('_'));
    expect(names(0)).toEqual([
      '_rescued',
      '_record',
      '_malformed',
      '_source_file',
      '_source_row',
      '_source_line',
      '_loaded_at',
      '_batch_id',
      '_as_of',
    ]);
    expect(names(4)).toEqual(['_source_file', '_source_row', '_batch_id', '_processed_at', '_run_id']);
    expect(names(5)).toEqual(['_processed_at', '_run_id']);
    expect(lakeColumns(made.contracts[0] ?? silverThings)['_record']?.pii).toBe('pii');
  });
});

describe('lineage', () => {
  it('reads relations from the query, not from its texts and comments', () => {
    const sql =
      "SELECT 'FROM gold.text' FROM silver.a x JOIN (SELECT 1 FROM valid.b) y -- FROM gold.comment\n, parsed.c /* JOIN gold.d */ JOIN silver.a z";
    expect(inputsOf(sql)).toEqual(['silver.a', 'valid.b', 'parsed.c']);
    expect(tablesOf(sql)).toEqual(['silver/a', 'silver/b', 'bronze/c']);
  });
});

describe('SQL of a source', () => {
  it('reads each field by its parser and leaves text out of what can fail', () => {
    expect(parsedSelect(things)).toContain('parse_int(b.n) AS n');
    expect(castFailures(things)).toContain("'cast_n'");
    expect(castFailures(things)).not.toContain('cast_id');
  });

  it('excuses a missing field that could not be read', () => {
    expect(ruleList(silverThings)).not.toContain('cast_n');
    expect(ruleList(silverThings, 'casts')).toContain("NOT list_contains(casts, 'cast_n')");
    expect(brokenAny(silverThings)).toBe(
      'coalesce(_unread OR _overflow OR (id IS NULL) OR (n IS NULL) OR (n < 0), FALSE)',
    );
  });
});
