import { access, constants, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { findLandingFiles } from '#pipeline';
import { systemClock, unknownVariables, type Settings } from '#platform';
import { shopCatalogue } from '#products';
import { listRuns, planVacuum, ReleaseReader, tableAt, type Lake, type Release } from '#releases';
import type { Call } from '../call.js';
import { withLake } from '../composition.js';
import { exitCode, type ExitCode } from '../exit-code.js';
import { countText } from '../terminal/table-text.js';
import { failure, type Finding } from './finding.js';
import { serviceFindings } from './service-findings.js';

/** One line for each thing that can be wrong, with what to do; exit code 1 when one fails. */
export async function doctorCommand({ settings, terminal }: Call): Promise<ExitCode> {
  let failed = false;
  for await (const { verdict, what, says } of findings(settings)) {
    terminal.result(`${verdict.padEnd(4)}  ${what.padEnd(8)}  ${says}`);
    failed ||= verdict === 'fail';
  }
  return failed ? exitCode.failed : exitCode.done;
}

async function* findings(settings: Settings): AsyncGenerator<Finding> {
  yield settingsFinding(settings);
  yield await folderFinding(settings.data);
  yield* await lakeFindings(settings);
  yield* landingFindings(settings.landing);
  yield* serviceFindings(settings);
}

/** Wrong settings end every command before this; what is left is what is right and still of no use. */
function settingsFinding({ engine, memoryLimitBytes, threads }: Settings): Finding {
  const what = 'settings';
  if (engine === 'spark') return { verdict: 'fail', what, says: 'SHOPSMART_ENGINE = spark is not built yet: unset it' };
  const unknown = unknownVariables();
  if (unknown.length > 0)
    return {
      verdict: 'warn',
      what,
      says: `no such setting, ignored: ${unknown.join(', ')} (docs/settings.md lists all)`,
    };
  const memory = countText(Math.round(memoryLimitBytes / 1e6));
  return { verdict: 'ok', what, says: `engine ${engine}, memory limit ${memory} MB, threads ${threads}` };
}

/** The folder need not exist yet, but it must be possible to make it and write there. */
async function folderFinding(folder: string): Promise<Finding> {
  let nearest = folder;
  while (!(await exists(nearest)) && dirname(nearest) !== nearest) nearest = dirname(nearest);
  try {
    await access(nearest, constants.W_OK);
    return { verdict: 'ok', what: 'data', says: `${folder} can be written` };
  } catch {
    return {
      verdict: 'fail',
      what: 'data',
      says: `${nearest} cannot be written: give this user the right, or set SHOPSMART_DATA`,
    };
  }
}

async function lakeFindings(settings: Settings): Promise<readonly Finding[]> {
  const what = 'lake';
  try {
    return await withLake(settings, async ({ lake }) => {
      const reader = new ReleaseReader(lake.store);
      const releases = await reader.numbers();
      const newest = await reader.latest();
      const runs = await runsFinding(lake);
      if (newest === undefined)
        return [
          {
            verdict: 'warn',
            what,
            says: `${lake.store.url} has no release yet: npx shopsmart run publishes the first`,
          },
          runs,
        ];
      const says = `${releases.length} releases in ${lake.store.url}, newest ${newest.number} as of ${newest.as_of}`;
      return [{ verdict: 'ok', what, says }, await tablesFinding(lake, newest), runs];
    });
  } catch (error) {
    return [failure(what, error)];
  }
}

/** Opens every table of the release and looks for each of its files. */
async function tablesFinding(lake: Lake, release: Release): Promise<Finding> {
  const present = new Set<string>();
  for await (const { path } of lake.store.list('')) present.add(path);
  const states = await Promise.all(Object.keys(release.tables).map((table) => tableAt(lake, release, table)));
  const files = states.flatMap((state) => state.files);
  const missing = files.filter(({ storePath }) => !present.has(storePath));
  const [first] = missing;
  return first === undefined
    ? {
        verdict: 'ok',
        what: 'lake',
        says: `${states.length} tables open, all ${countText(files.length)} files are there`,
      }
    : {
        verdict: 'fail',
        what: 'lake',
        says: `${missing.length} of ${files.length} files of release ${release.number} are missing, first ${first.storePath}: restore them from a backup`,
      };
}

/** What runs under way are doing, and what dead ones left. */
async function runsFinding(lake: Lake): Promise<Finding> {
  const { staleRuns, orphans } = await planVacuum(lake, systemClock);
  const running = (await listRuns(lake.store)).filter(
    ({ run_id, ended_at }) => ended_at === undefined && !staleRuns.includes(run_id),
  );
  const says = running.length === 0 ? 'none under way' : `${running.length} under way`;
  return orphans.length === 0
    ? { verdict: 'ok', what: 'runs', says }
    : {
        verdict: 'warn',
        what: 'runs',
        says: `${says}; ended ones left ${countText(orphans.length)} files: npx shopsmart vacuum removes them`,
      };
}

async function* landingFindings(landing: string): AsyncGenerator<Finding> {
  const what = 'landing';
  if (!(await exists(landing))) {
    yield {
      verdict: 'warn',
      what,
      says: `${landing} does not exist: npx shopsmart demo writes one, or set SHOPSMART_LANDING`,
    };
    return;
  }
  try {
    const { files, waiting, skipped } = await findLandingFiles(landing, shopCatalogue().sources);
    const counts = [...files].map(([source, found]) => `${source} ${found.length}`);
    const none = [...files.values()].every((found) => found.length === 0);
    yield { verdict: none ? 'warn' : 'ok', what, says: `files in ${landing}: ${counts.join(', ')}` };
    for (const { path, reason } of [...waiting, ...skipped])
      yield { verdict: 'warn', what, says: `${path} is left alone: ${reason}` };
  } catch (error) {
    yield failure(what, error);
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
