import type { WithdrawnLoad } from '#releases';
import type { LandingFile } from './load/landing.js';
import type { LedgerRow } from './load/ledger.js';
import { loadName } from './loads.js';
import type { FileReport } from './report.js';

/** Says which of a source's files stay out because the load that brought their bytes is withdrawn. */
export class WithdrawnFiles {
  private readonly byPlace = new Map<string, string>();
  private readonly byDigest = new Map<string, WithdrawnLoad>();

  constructor(
    private readonly source: string,
    known: readonly LedgerRow[],
    withdrawn: readonly WithdrawnLoad[],
  ) {
    const out = new Set(withdrawn.map(loadName));
    if (out.size === 0) return;
    for (const row of known) {
      // A row without records only says under which other name the bytes came.
      if (row.records > 0 && out.has(loadName(row))) this.byDigest.set(row.digest, row);
      this.byPlace.set(placeOf(row.path, row.size_bytes, row.modified_ms), row.digest);
    }
  }

  /** What to say of bytes that have been loaded before, if they do not count. */
  note(digest: string): string | undefined {
    const load = this.byDigest.get(digest);
    if (load === undefined) return undefined;
    const name = loadName(load);
    return `its bytes came with load ${name}, which is withdrawn: \`shopsmart loads restore ${name}\` lets them count again`;
  }

  /** Files that were not opened, as their path, size and time are known. */
  unopened(files: readonly LandingFile[], opened: ReadonlySet<string>): readonly FileReport[] {
    return files.flatMap(({ path, sizeBytes, modifiedMs }): readonly FileReport[] => {
      const digest = this.byPlace.get(placeOf(path, sizeBytes, modifiedMs));
      const note = digest === undefined || opened.has(path) ? undefined : this.note(digest);
      if (note === undefined) return [];
      return [{ source: this.source, path, outcome: 'repeat', records: 0, malformed: 0, note }];
    });
  }
}

function placeOf(path: string, sizeBytes: number, modifiedMs: number): string {
  return JSON.stringify([path, sizeBytes, modifiedMs]);
}
