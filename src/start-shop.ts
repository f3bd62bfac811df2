import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openStore } from '#platform';
import { ReleaseReader, type Release } from '#releases';
import type { Call } from './call.js';
import { exitCode, type ExitCode } from './exit-code.js';
import { claimFolder, endOrphans, type Claim } from './launcher/claim.js';
import { firstRun } from './launcher/first-run.js';
import { LogFile } from './launcher/log-file.js';
import { freePort } from './launcher/port.js';
import { RunsClient } from './launcher/runs-client.js';
import { ShopLog } from './launcher/shop-log.js';
import { Shop, type Parts } from './launcher/shop.js';
import { reportText } from './terminal/report-text.js';
import { countText, tableText } from './terminal/table-text.js';

const mostLogBytes = 10_000_000;
/** How long the port of a start that was killed may stay taken. */
const portGraceMs = 5_000;

/**
 * `npm start`: starts everything, fills an empty lake with the demo shop or with whatever has landed, says where what
 * answers, and serves until `signal` is aborted.
 */
export async function startShop(call: Call, parts: Parts): Promise<ExitCode> {
  const { settings, signal } = call;
  const claim = await claimFolder(settings.data);
  try {
    return await serve(call, parts, claim);
  } catch (error) {
    if (signal.aborted) return exitCode.done;
    throw error;
  } finally {
    claim.release();
  }
}

async function serve(call: Call, parts: Parts, claim: Claim): Promise<ExitCode> {
  const { settings, terminal, signal } = call;
  await endOrphans(claim.orphans, (text) => terminal.log('warn', text));
  const port = await freePort(settings.host, settings.port, claim.afterKill ? portGraceMs : 0);
  const current = await new ReleaseReader(openStore(settings)).latest();
  if (current === undefined && (await isEmptyFolder(settings.landing))) await writeDemoShop(call);

  const logPath = join(settings.data, 'log/shopsmart.log');
  const log = new ShopLog(terminal, new LogFile(logPath, mostLogBytes));
  const onSpawn = (name: string, pid: number) =>
    void claim
      .hasChild(name, pid)
      .catch((error) => log.say('launcher', 'warn', `cannot be remembered: ${String(error)}`));
  const shop = new Shop({ settings, port, parts, log, onSpawn });
  try {
    const url = await Promise.race([shop.start(), aborted(signal)]);
    claim.servesAt(url);
    if (current === undefined) await fillLake(call, url);
    else terminal.result(`${releaseText(current)}\n\nNothing was run: ${settings.lake} already has this release.`);
    terminal.result(placesText(url, logPath));
    return await aborted(signal);
  } finally {
    log.say('launcher', 'info', 'stopping api, worker and PostgreSQL; Ctrl-C again kills them');
    await shop.stop();
    log.close();
  }
}

async function writeDemoShop(call: Call): Promise<void> {
  const { landing } = call.settings;
  call.terminal.log('info', `Writing a demo shop to ${landing} …`);
  // Loaded when needed: this process lives long and should stay small.
  const { writeDemoFiles } = await import('./demo-files.js');
  await writeDemoFiles(call, { outDir: landing });
}

async function fillLake({ terminal, signal }: Call, url: string): Promise<void> {
  const say = (text: string) => terminal.log('info', text);
  const { run_id, state, report, error } = await firstRun(new RunsClient(url, signal), say, signal);
  if (report !== null) terminal.result(reportText(report));
  if (error !== null) terminal.log('error', `Run ${run_id} ${state}: ${error.message} (${error.code})`);
}

/** Rejects at Ctrl-C. */
async function aborted(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, 'abort');
  throw signal.reason;
}

function placesText(url: string, logPath: string): string {
  return `
api       ${url}/v1/products
GraphQL   ${url}/graphql
API docs  ${url}/docs
health    ${url}/health/ready
log       ${logPath}

Next, ask it something (Ctrl-C stops everything):
  curl '${url}/v1/products/agg_daily_sales/aggregate?group=channel&measure=sum(net_revenue)'
  npx shopsmart sql "SELECT channel, sum(net_revenue) AS net_revenue FROM agg_daily_sales GROUP BY channel"
With files of your own: put them into the landing folder, then
  curl -X POST ${url}/v1/admin/runs -H 'content-type: application/json' -d '{}'`;
}

function releaseText({ number, published_at, as_of, run_id, tables }: Release): string {
  const rows = Object.entries(tables)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([table, { rows }]) => [table, countText(rows)]);
  const listing = tableText(
    [
      { title: 'table', align: 'left' },
      { title: 'rows', align: 'right' },
    ],
    rows,
  );
  return `${listing}\nRelease ${number}, as of ${as_of}, published ${published_at}. (run ${run_id})`;
}

/** Nothing has landed: there is no folder, or only hidden files are in it. */
async function isEmptyFolder(folder: string): Promise<boolean> {
  if (folder.includes('://')) return false;
  try {
    return (await readdir(folder)).every((name) => name.startsWith('.'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw error;
  }
}
