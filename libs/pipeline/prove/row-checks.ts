import type { Catalogue } from '#contracts';
import type { Engine } from '#engine';
import { isConserved } from '../conservation.js';
import type { ComputedRun } from '../compute.js';
import { countOf } from '../count-of.js';
import { LEDGER } from '../lake-schema.js';
import { relationOf, withDates } from '../sql-name.js';
import { check } from './file-checks.js';
import type { ProofCheck } from './proof.js';

/** Every check of a table's contract, references too, over all its rows; the release's tables are bound under their names. */
export async function checkContract(
  engine: Engine,
  catalogue: Catalogue,
  table: string,
  dates: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<readonly ProofCheck[]> {
  const contract = catalogue.contracts.find(({ name }) => name === table);
  const checks: ProofCheck[] = [];
  for (const { name, severity, description, failing } of contract?.checks ?? []) {
    const rows = await countOf(engine, `(${withDates(failing, dates)}) f`, signal);
    const passed = rows === 0;
    checks.push({ table, name, severity, passed, failing: rows, detail: passed ? null : `not so: ${description}` });
  }
  return checks;
}

/** rows in = rows out + duplicates + quarantined over all loads, each side counted by itself. */
export function checkConserved({ outcomes }: ComputedRun): readonly ProofCheck[] {
  return outcomes.flatMap(({ table, conservation }) => {
    if (conservation === undefined) return [];
    const { cumulative } = conservation;
    const { rows_in, rows_out, duplicates, quarantined } = cumulative;
    const said = `${rows_in} rows in, but ${rows_out} out + ${duplicates} duplicates + ${quarantined} quarantined`;
    return [check(table, 'rows_conserved', isConserved(cumulative) ? [] : [said])];
  });
}

/** Whether bronze has exactly the records that the ledger lists, each file's numbered from 1 without a gap. */
export async function checkLoads(engine: Engine, source: string, bronze: string): Promise<ProofCheck> {
  const rows = await engine.query(
    `SELECT coalesce(l.path, b._source_file) AS path, coalesce(l.load, b._batch_id) AS load,
      coalesce(l.records, 0) AS listed, coalesce(b.there, 0) AS there
    FROM (SELECT load, path, records FROM ${relationOf(LEDGER)} WHERE source = '${source}' AND records > 0) l
    FULL JOIN (SELECT _batch_id, _source_file, count(*) AS there, count(DISTINCT _source_row) AS places,
      min(_source_row) AS least, max(_source_row) AS greatest FROM ${bronze} GROUP BY _batch_id, _source_file) b
      ON b._batch_id = l.load AND b._source_file = l.path
    WHERE l.load IS NULL OR b._batch_id IS NULL OR b.there <> l.records OR b.places <> l.records
      OR b.least <> 1 OR b.greatest <> l.records
    ORDER BY load, path LIMIT 1000`,
  );
  const wrong = rows.map(
    ({ path, load, listed, there }) =>
      `load ${String(load)}, ${String(path)}: ${String(listed)} records listed, ${String(there)} in bronze`,
  );
  return check(`bronze/${source}`, 'loads_whole', wrong);
}
