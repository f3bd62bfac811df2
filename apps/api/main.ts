import { join } from 'node:path';
import { DuckDbEngine } from '#engine';
import { LakeError } from '#errors';
import {
  exitBy,
  FAILED,
  keptSecret,
  openLake,
  openLog,
  openPlanDesk,
  openQuarantineDesk,
  openRunDesk,
  readSettings,
  systemClock,
  toldToEnd,
  type Log,
  type Settings,
} from '#platform';
import { shopCatalogue } from '#products';
import { Answers } from '#serving';
import { createApi } from './create-api.js';
import { ReleaseDiffs } from './releases/release-diffs.js';
import { noPlanDesk } from './runs/no-plan-desk.js';
import { noRunDesk } from './runs/no-run-desk.js';

/** What is being answered may end; then it is cut. */
const GRACE_MS = 5_000;

/** Of the memory limit, for comparing releases. */
const DIFF_SHARE = 0.25;

type Undo = () => Promise<unknown>;

/** Starts the api. What `opened` holds in the end has to be undone from the last to the first. */
async function serve(settings: Settings, log: Log, opened: Undo[]): Promise<string> {
  const { host, port, publicUrl, data, databaseUrl, redisUrl, memoryLimitBytes, threads } = settings;
  const open = await openLake(settings);
  const { lake, workDir, close } = open;
  opened.push(close);
  const catalogue = shopCatalogue();
  const answers = await Answers.open({
    tables: catalogue,
    lake,
    clock: systemClock,
    cursorSecret: await keptSecret(data, 'cursor'),
    cacheDir: join(data, 'cache', 'serving'),
    workDir,
    memoryLimitBytes,
    threads,
  });
  opened.push(() => answers.close());
  const runs =
    databaseUrl === undefined
      ? noRunDesk
      : openRunDesk({ databaseUrl, redisUrl, store: lake.store, clock: systemClock, log });
  opened.push(() => runs.close());
  const plans =
    databaseUrl === undefined ? noPlanDesk : openPlanDesk({ databaseUrl, redisUrl, clock: systemClock, log });
  opened.push(() => plans.close());
  const memoryLimit = `${Math.floor((memoryLimitBytes * DIFF_SHARE) / 1e6)}MB`;
  const diffs = new ReleaseDiffs({
    catalogue,
    lake,
    openEngine: () => DuckDbEngine.open({ memoryLimit, threads: 1, workDir }),
  });
  const quarantine = openQuarantineDesk(settings, open);
  opened.push(() => quarantine.close());
  const app = await createApi({ catalogue, answers, runs, diffs, quarantine, plans }, { publicUrl, log });
  opened.push(() => app.close());
  try {
    await app.listen({ port, host });
  } catch (error) {
    throw listenError(error, settings);
  }
  return app.getUrl();
}

async function undo(opened: Undo[]): Promise<void> {
  for (const close of opened.splice(0).reverse()) await close();
}

function listenError(cause: unknown, { host, port }: Settings): unknown {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') {
    const message = `port ${port} of ${host} is in use: end the program that has it, or set PORT to another one`;
    return new LakeError('settings.port_in_use', 'invalid', message, { cause });
  }
  if (code !== 'EACCES' && code !== 'EADDRNOTAVAIL') return cause;
  const message = `port ${port} of ${host} cannot be listened on (${code}): set PORT or HOST to another one`;
  return new LakeError('settings.invalid', 'invalid', message, { cause });
}

async function endWhenTold(opened: Undo[], log: Log): Promise<void> {
  log.info({ reason: await toldToEnd() }, 'ending');
  setTimeout(() => process.exit(0), GRACE_MS).unref();
  await undo(opened).then(
    () => process.exit(0),
    () => process.exit(FAILED),
  );
}

const opened: Undo[] = [];
try {
  const settings = readSettings();
  const log = openLog('api', settings.logLevel);
  void endWhenTold(opened, log);
  const url = await serve(settings, log, opened);
  log.info({ url }, 'listening');
  process.send?.({ kind: 'ready', url });
} catch (error) {
  await undo(opened).catch(() => undefined);
  exitBy(error);
}
