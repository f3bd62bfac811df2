import type { ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { landSmallShop, Shop } from './shop.js';

// Whole runs, on a machine that may be busy.
jest.setTimeout(300_000);

const RECORDS = 50_000;
const PADDING = 'x'.repeat(4000);

describe('a run over a single JSON array of 200 MB', () => {
  const shop = Shop.make();
  afterAll(() => shop.remove());

  it('takes every record, in memory that does not grow with the file', async () => {
    landSmallShop(shop);
    const folder = join(shop.landing, 'source6_payments_api');
    const path = join(folder, 'payments_large.json');
    mkdirSync(folder, { recursive: true });
    const file = openSync(path, 'w');
    for (let n = 0; n < RECORDS; n++) {
      const record = { transaction_id: `L-${n}`, order_id: 'O-1', amount: 1, transaction_timestamp: '2026-01-05' };
      writeSync(file, `${n === 0 ? '[' : ','}${JSON.stringify({ ...record, device_fingerprint: PADDING })}`);
    }
    writeSync(file, ']');
    closeSync(file);
    expect(statSync(path).size).toBeGreaterThan(200_000_000);

    let peakBytes = 0;
    let child: ChildProcess | undefined;
    const sampling = setInterval(() => (peakBytes = Math.max(peakBytes, peakOf(child?.pid))), 50);
    const { report } = await shop
      .run([], {
        env: { SHOPSMART_MEMORY_LIMIT: '512MB', SHOPSMART_THREADS: '2' },
        onStart: (started) => (child = started),
      })
      .finally(() => clearInterval(sampling));
    expect(report.tables).toContainEqual(
      expect.objectContaining({ layer: 'silver', table: 'payments', total_rows: RECORDS + 1, quarantined: 0 }),
    );
    expect(peakBytes).toBeGreaterThan(50e6);
    expect(peakBytes).toBeLessThan(1.2e9);
  });
});

/** The most that a process had in memory so far; it starts no others. */
function peakOf(pid: number | undefined): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
