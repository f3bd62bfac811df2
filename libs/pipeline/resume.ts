import { createHash } from 'node:crypto';
import type { Landing } from './load/landing.js';
import type { ParentState } from './parent-state.js';
import type { RunJournal } from './run-journal.js';
import { repairDigest } from './repair.js';
import type { StageOptions } from './stage-run.js';

/** Raise it when an entry of the journal gets another meaning: a newer version of us must not take up an older one's run. */
const FORMAT = 2;

const INPUTS = 'inputs';

interface Inputs {
  readonly digest: string;
  readonly started_at: string;
}

interface Question {
  readonly options: StageOptions;
  readonly journal: RunJournal;
  readonly state: ParentState;
  readonly landing: Landing;
  /** Digest of every computed table's logic. */
  readonly logic: ReadonlyMap<string, string>;
  /** RFC 3339, of this attempt. */
  readonly startedAt: string;
}

/**
 * Makes the journal one of exactly these inputs: steps that an earlier attempt took from others are forgotten. Returns
 * when the run began with them, which is written into its rows.
 */
export async function resume({ options, journal, state, landing, logic, startedAt }: Question): Promise<string> {
  const { asOf, dateFrom, dateTo, full, rehash, catalogue } = options;
  const digest = createHash('sha256')
    .update(
      JSON.stringify([
        FORMAT,
        state.parent?.number ?? null,
        // somebody else may have compacted a table meanwhile
        [...state.bases].map(([table, { version }]) => [table, version]),
        [...landing.files],
        landing.waiting,
        landing.skipped,
        [asOf, dateFrom, dateTo, full, rehash, options.tables ?? []],
        [options.withdraw ?? [], options.restore ?? [], (options.repairs ?? []).map(repairDigest)],
        catalogue.sources,
        [...logic],
      ]),
    )
    .digest('hex');
  const recalled = (await journal.recall(INPUTS)) as Inputs | undefined;
  if (recalled?.digest === digest) return recalled.started_at;
  await journal.clear();
  await journal.record(INPUTS, { digest, started_at: startedAt } satisfies Inputs);
  return startedAt;
}
