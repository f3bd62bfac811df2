import { mkdtempSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { RunFolder, sweepRunFolders } from './run-folder.js';

const RUN = '20260217t101112-1a2b3c4d';

let dataDir: string;
beforeEach(() => (dataDir = mkdtempSync(join(tmpdir(), 'run-folder-'))));
afterEach(() => rmSync(dataDir, { recursive: true }));

/** An attempt that wrote one file and recorded it. */
async function anAttempt(): Promise<RunFolder> {
  const attempt = await RunFolder.take(dataDir, RUN);
  const localPath = join(attempt.filesDir, 'gold/sales/month=1', 'a.parquet');
  mkdirSync(dirname(localPath), { recursive: true });
  writeFileSync(localPath, 'rows');
  await attempt.record('gold/sales', { written: [{ localPath, rows: 1 }] });
  return attempt;
}

describe('the folder of a run', () => {
  it('is taken by the next attempt with all that was recorded, and its files are where that says', async () => {
    await anAttempt();
    const next = await RunFolder.take(dataDir, RUN);
    const recalled = (await next.recall('gold/sales')) as { written: { localPath: string; rows: number }[] };
    expect(readFileSync(recalled.written[0]?.localPath ?? '', 'utf8')).toBe('rows');
    expect(await next.recall('gold/other')).toBeUndefined();
  });

  it('is lost to an attempt that lives on: it can neither record nor take anything away', async () => {
    const former = await anAttempt();
    const next = await RunFolder.take(dataDir, RUN);
    expect(await former.isOurs()).toBe(false);
    await expect(former.record('gold/more', {})).rejects.toMatchObject({ code: 'ENOENT' });
    mkdirSync(former.filesDir, { recursive: true });
    expect(await former.isOurs()).toBe(false);
    await former.clear();
    await former.remove();
    expect(await next.isOurs()).toBe(true);
    expect(await next.recall('gold/sales')).toBeDefined();
  });

  it('is of one attempt when two take it at once', async () => {
    await anAttempt();
    const takers = await Promise.allSettled(Array.from({ length: 4 }, () => RunFolder.take(dataDir, RUN)));
    // One may lose even its empty folder to the others, and fails.
    const got = takers.flatMap((taker) => (taker.status === 'fulfilled' ? [taker.value] : []));
    expect(got.length).toBeGreaterThan(0);
    const has = await Promise.all(got.map(async (taker) => (await taker.recall('gold/sales')) !== undefined));
    expect(has.filter(Boolean).length).toBeLessThanOrEqual(1);
  });

  it('can be used again once it is cleared', async () => {
    const attempt = await anAttempt();
    await attempt.clear();
    expect(await attempt.recall('gold/sales')).toBeUndefined();
    await attempt.record('inputs', { digest: 'x' });
    expect(await attempt.recall('inputs')).toEqual({ digest: 'x' });
  });

  it('goes when its run has ended, and only then', async () => {
    await anAttempt();
    await RunFolder.take(dataDir, '20260217t101112-00000000');
    await sweepRunFolders(dataDir, (runId) => Promise.resolve(runId === RUN));
    expect(readdirSync(join(dataDir, 'work/runs'))).toEqual([expect.stringMatching(/^20260217t101112-00000000\./)]);
    await sweepRunFolders(join(dataDir, 'none'), () => Promise.resolve(true));
  });
});
