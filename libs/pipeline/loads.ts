import type { Engine, Row } from '#engine';
import type { Lake, Release, WithdrawnLoad } from '#releases';
import { bindTable } from './bind-release.js';
import { LEDGER } from './lake-schema.js';
import type { Drift } from './load/ledger.js';
import { workName } from './sql-name.js';

/** What one run took in of one source, as the ledger of a release has it. */
export interface LoadSummary extends WithdrawnLoad {
  readonly files: number;
  readonly records: number;
  readonly malformed: number;
  /** RFC 3339. */
  readonly loaded_at: string;
  readonly as_of: string;
  readonly run_id: string;
  /** `withdrawn`: its records are in bronze and nothing is computed from them. */
  readonly state: 'active' | 'withdrawn';
  /** Files whose fields differ from the contract's. */
  readonly drift: readonly (Drift & { readonly path: string })[];
}

interface Question {
  readonly engine: Engine;
  readonly lake: Lake;
  readonly release: Release;
}

/** The loads that a release has in bronze, newest first. */
export async function* loadsOf({ engine, lake, release }: Question): AsyncIterable<LoadSummary> {
  if (release.tables[LEDGER] === undefined) return;
  const withdrawn = new Set(release.withdrawn.map(loadName));
  const ledger = workName('ledger', LEDGER);
  await bindTable(engine, lake, release, LEDGER, ledger);
  try {
    // A row without records only says under which other name the same bytes came.
    for await (const rows of engine.stream(`
      SELECT source, load, count(*) AS files, sum(records) AS records, sum(malformed) AS malformed,
        min(loaded_at) AS loaded_at, min(as_of) AS as_of, min(run_id) AS run_id,
        CAST(to_json(list({path: path, drift: drift} ORDER BY path) FILTER (WHERE drift IS NOT NULL)) AS VARCHAR) AS drift
      FROM ${ledger} WHERE records > 0 GROUP BY source, load
      ORDER BY loaded_at DESC NULLS LAST, source NULLS LAST, load DESC NULLS LAST`)) {
      for (const row of rows) yield toSummary(row, withdrawn);
    }
  } finally {
    await engine.drop(ledger);
  }
}

/** `orders/3`: how people name a load. */
export function loadName({ source, load }: WithdrawnLoad): string {
  return `${source}/${load}`;
}

function toSummary(row: Row, withdrawn: ReadonlySet<string>): LoadSummary {
  const load = { source: String(row['source']), load: Number(row['load']) };
  const drift = JSON.parse(String(row['drift'] ?? '[]')) as readonly { path: string; drift: string }[] | null;
  return {
    ...load,
    files: Number(row['files']),
    records: Number(row['records']),
    malformed: Number(row['malformed']),
    loaded_at: String(row['loaded_at']),
    as_of: String(row['as_of']),
    run_id: String(row['run_id']),
    state: withdrawn.has(loadName(load)) ? 'withdrawn' : 'active',
    drift: (drift ?? []).map((file) => ({ path: file.path, ...(JSON.parse(file.drift) as Drift) })),
  };
}
