import { readdir } from 'node:fs/promises';
import { openStore } from '#platform';
import { ReleaseReader, type Release } from '#releases';
import type { Call } from './call.js';
import { runOnce, writeDemoFiles } from './composition.js';
import { exitCode, type ExitCode } from './exit-code.js';
import { reportText } from './terminal/report-text.js';
import { countText, tableText } from './terminal/table-text.js';

/** `npm start`: an empty lake gets the demo shop, or whatever has landed; a lake with a release is left as it is. */
export async function startShop(call: Call): Promise<ExitCode> {
  const { settings, terminal } = call;
  const current = await new ReleaseReader(openStore(settings)).latest();
  if (current !== undefined) {
    terminal.result(releaseText(current));
    terminal.result(`\nNothing was run: ${settings.lake} already has this release.\n${next}`);
    return exitCode.done;
  }
  if (await isEmptyFolder(settings.landing)) {
    terminal.log('info', `Writing a demo shop to ${settings.landing} …`);
    await writeDemoFiles(call, { outDir: settings.landing });
  }
  const { outcome, report } = await runOnce(call, { asOf: undefined, full: false, rehash: false });
  terminal.result(reportText(report));
  if (outcome === 'check_failed') return exitCode.checkFailed;
  terminal.result(next);
  return exitCode.done;
}

const next = `
Next, ask it something:
  npx shopsmart sql "SELECT channel, sum(net_revenue) AS net_revenue FROM agg_daily_sales GROUP BY channel"
With files of your own: put them into the landing folder, then npx shopsmart run`;

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
  try {
    return (await readdir(folder)).every((name) => name.startsWith('.'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw error;
  }
}
