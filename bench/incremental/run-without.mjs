// A run of the shop that leaves some tables alone, to tell their part of what a run costs.
// Usage: run-without.mjs AS_OF TABLE...; lake, landing folder and limits as the settings say.
import { randomUUID } from 'node:crypto';
import { catalogue } from '#contracts';
import { preludeDigestText } from '#engine';
import { runPipeline } from '#pipeline';
import { newRunId, openLake, readSettings, systemClock } from '#platform';
import { shopCatalogue } from '#products';

const [asOf, ...without] = process.argv.slice(2);
const settings = readSettings({});
const shop = shopCatalogue();
const some = catalogue({
  sources: shop.sources,
  tables: shop.tables.filter(({ contract }) => !without.includes(contract.name)),
});
const { lake, workDir, openEngine, close } = await openLake(settings);
try {
  const { report } = await runPipeline({
    catalogue: some,
    lake,
    openEngine,
    prelude: preludeDigestText,
    landingDir: settings.landing,
    asOf,
    runId: newRunId(),
    newNonce: randomUUID,
    clock: systemClock,
    full: false,
    rehash: false,
    workDir,
    dateFrom: settings.dateFrom,
    dateTo: settings.dateTo,
    onProgress: () => undefined,
    signal: new AbortController().signal,
  });
  console.log(JSON.stringify(report));
} finally {
  await close();
}
