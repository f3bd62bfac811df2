import { randomBytes, randomUUID } from 'node:crypto';
import { LakeError } from '#errors';
import type { OnProgress, Repair, RunJournal, RunPlan, RunResult } from '#pipeline';
import { runIdFrom, type WithdrawnLoad } from '#releases';
import type { Settings } from '../config/settings.js';
import { systemClock, type OpenLake } from './open-lake.js';

export interface RunChoices {
  readonly runId: string;
  /** `YYYY-MM-DD` */
  readonly asOf: string;
  readonly full?: boolean;
  readonly rehash?: boolean;
  readonly tables?: readonly string[];
  /** The run replays, undoes or redoes repairs, or other loads, and does nothing else: nothing that has landed is loaded. */
  readonly repairing?: Repairing;
  /** For a run that can be called again. */
  readonly journal?: RunJournal;
  readonly onProgress: OnProgress;
  readonly signal: AbortSignal;
}

export interface Repairing {
  readonly repairs: readonly Repair[];
  /** Loads, of repairs or files, that count no more, and that count again. */
  readonly withdraw: readonly WithdrawnLoad[];
  readonly restore: readonly WithdrawnLoad[];
  readonly by: string;
  readonly reason: string | null;
}

/** Load, transform, check, publish, as the settings say. */
export async function runShop(settings: Settings, open: OpenLake, choices: RunChoices): Promise<RunResult> {
  const [options, { noteRun, runPipeline }] = await Promise.all([
    stageOptions(settings, open, choices),
    import('#pipeline'),
  ]);
  if (choices.repairing !== undefined) {
    const { repairs, ...said } = choices.repairing;
    await noteRun(open.lake.store, systemClock, {
      run_id: choices.runId,
      repairs: repairs.map(({ id }) => id),
      ...said,
    });
  }
  return runPipeline({ ...options, newNonce: randomUUID });
}

/** What such a run would do; changes nothing. */
export async function planShop(
  settings: Settings,
  open: OpenLake,
  choices: Omit<RunChoices, 'journal'>,
): Promise<RunPlan> {
  const [options, { planRun }] = await Promise.all([stageOptions(settings, open, choices), import('#pipeline')]);
  return planRun(options);
}

async function stageOptions<C extends RunChoices>(settings: Settings, open: OpenLake, choices: C) {
  refuseUnbuilt(settings);
  // Loaded when needed: small commands do without the engine.
  const [{ preludeDigestText }, { shopCatalogue }] = await Promise.all([import('#engine'), import('#products')]);
  const { lake, workDir, openEngine } = open;
  const { landing, dateFrom, dateTo } = settings;
  const { repairing, ...chosen } = choices;
  return {
    full: false,
    rehash: false,
    ...chosen,
    ...(repairing === undefined ? {} : { ...loadsOf(repairing), skipLanding: true }),
    catalogue: shopCatalogue(),
    lake,
    openEngine,
    prelude: preludeDigestText,
    landingDir: landing,
    clock: systemClock,
    workDir,
    dateFrom,
    dateTo,
  };
}

function loadsOf({ repairs, withdraw, restore }: Repairing) {
  return { repairs, withdraw, restore };
}

export function newRunId(): string {
  return runIdFrom(systemClock.nowMs(), randomBytes(4).toString('hex'));
}

/** The UTC date that is meant by today. */
export function today(): string {
  return new Date(systemClock.nowMs()).toISOString().slice(0, 10);
}

export function refuseSpark({ engine }: Settings): void {
  if (engine !== 'spark') return;
  const message = 'the engine spark is not built yet: use --engine duckdb, or leave it out';
  throw new LakeError('settings.invalid', 'invalid', message);
}

function refuseUnbuilt(settings: Settings): void {
  refuseSpark(settings);
  if (!settings.landing.includes('://')) return;
  const message = `the landing area ${settings.landing} cannot be reached yet: only a folder for now`;
  throw new LakeError('settings.invalid', 'invalid', message);
}
