import { proofSummary, type Proof } from '#pipeline';
import { changedTables, type Release } from '#releases';

/** A release in the list of all. */
export function releaseSummary(release: Release) {
  const { number, as_of, published_at, parent, mode, rollback_to = null, run_id } = release;
  return { id: number, as_of, published_at, parent, mode, rollback_to, run_id, changed_tables: changedTables(release) };
}

/** What a release is made of. Where its files lie is nobody's business here. */
export function releaseView(release: Release) {
  const tables = Object.entries(release.tables).map(([table, { rows, release: changed_in }]) => ({
    table,
    rows,
    changed_in,
  }));
  const { checks, loads, complete_until, withdrawn } = release;
  return { ...releaseSummary(release), tables, checks, loads, complete_until, withdrawn };
}

/** What the last proof of a release says, without the rows that differ: who may see a verdict may not see silver. */
export function proofView(proof: Proof) {
  const tables = proof.tables.map(({ table, verdict, rows, missing, unexpected, changed }) => ({
    table,
    verdict,
    rows,
    missing,
    unexpected,
    changed,
  }));
  const failed = proof.checks.filter(({ passed }) => !passed);
  const failed_checks = failed.map(({ table, name, severity, failing }) => ({ table, name, severity, failing }));
  return { ...proofSummary(proof), seconds: proof.seconds, tables, failed_checks };
}
