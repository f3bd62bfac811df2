import type { RunReport, TableReport } from '#pipeline';
import { reportText } from './report-text.js';

const orders: TableReport = {
  table: 'orders',
  layer: 'silver',
  rows_in: 2003,
  rows_out: 1948,
  duplicates: 0,
  quarantined: 55,
  inserted: 1948,
  updated: 0,
  deleted: 0,
  files_added: 24,
  files_removed: 0,
  total_rows: 1948,
  seconds: 0.31,
  cumulative: null,
};

const dates: TableReport = {
  ...orders,
  table: 'dim_date',
  layer: 'gold',
  rows_in: null,
  rows_out: null,
  duplicates: null,
  quarantined: null,
};

function report(changes: Partial<RunReport>): string {
  return reportText({
    run_id: 'r1',
    release: 4,
    parent: 3,
    as_of: '2026-02-17',
    mode: 'full',
    started_at: '',
    finished_at: '',
    files: [],
    tables: [orders, dates],
    checks: [],
    ...changes,
  });
}

describe('the printed run report', () => {
  it('has a line for each table and ends in the release', () => {
    const lines = report({}).split('\n');
    expect(lines[1]).toMatch(/^silver\/orders\s+2,003\s+1,948\s+0\s+55\s+1,948\s+0\s+0\s+1,948\s+0\.31$/);
    expect(lines[2]).toMatch(/^gold\/dim_date\s+-\s+-\s+-\s+-\s/);
    expect(lines.at(-1)).toBe('Release 4 published, as of 2026-02-17. (run r1)');
  });

  it('says whether rows were conserved, over the tables that count them', () => {
    expect(report({})).toContain('rows in = rows out + duplicates + quarantined holds (1 tables counted)');
    expect(report({ tables: [{ ...orders, quarantined: 54 }] })).toContain('is BROKEN for silver/orders');
  });

  it('names failed checks, and the release that keeps serving', () => {
    const check = {
      table: 'fact_sales',
      layer: 'gold',
      name: 'key_unique',
      severity: 'error',
      passed: false,
      failing_rows: 1200,
    } as const;
    const text = report({ release: 3, checks: [check, { ...check, severity: 'warn' }, { ...check, passed: true }] });
    expect(text).toContain('checks: 1 passed, 1 failed, 1 with a warning');
    expect(text).toContain('  FAILED gold/fact_sales key_unique: 1,200 rows');
    expect(text).toContain('Nothing was published: a check failed. Release 3 keeps serving.');
  });

  it('says that nothing was new', () => {
    expect(report({ mode: 'none', release: 3, tables: [] })).toBe('Nothing new: release 3 is current. (run r1)');
    expect(report({ mode: 'none', release: null, parent: null, tables: [] })).toContain('no source file was found');
  });

  it('counts files by what became of them and prints their notes', () => {
    const file = {
      source: 'orders',
      path: 'o.csv',
      outcome: 'loaded',
      records: 5,
      malformed: 3,
      note: 'extra field: export_note',
    } as const;
    const text = report({ files: [file, { ...file, path: 'p.csv', outcome: 'waiting', note: null }] });
    expect(text).toContain('files: 1 loaded, 1 waiting for the next run\n  o.csv: extra field: export_note');
  });
});
