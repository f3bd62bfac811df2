import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { writeDemo } from '#demo';
import { DuckDbEngine, DuckDbParquetRows, preludeDigestText } from '#engine';
import { runPipeline, type RunOptions, type RunResult } from '#pipeline';
import { shopCatalogue } from '#products';
import { runIdFrom, type Clock, type Lake } from '#releases';
import { Answers } from '#serving';
import { LocalStore } from '#storage';

const AS_OF = '2026-02-17';
export const DATE_TO = '2026-12-31';

export const testClock: Clock = { nowMs: () => Date.now(), sleep: (waitMs) => setTimeout(waitMs) };

/** The demo shop in a folder of its own, loaded, published as release 1, and open for questions. */
export class DemoLake {
  readonly catalogue = shopCatalogue();
  #orders = 0;

  private constructor(
    readonly folder: string,
    readonly lake: Lake,
    readonly answers: Answers,
    private readonly checkpoints: DuckDbEngine,
    readonly dateFrom: string,
  ) {}

  /** Scale 1 is 2,000 orders; dim_date has a row a day from `dateFrom` on. */
  static async make(scale = 0.5, dateFrom = '2024-01-01'): Promise<DemoLake> {
    const folder = await mkdtemp(join(tmpdir(), 'served-'));
    await writeDemo({
      outDir: join(folder, 'landing'),
      scale,
      asOf: AS_OF,
      onProgress: () => undefined,
      signal: new AbortController().signal,
    });
    const checkpoints = await openEngine(folder);
    const lake: Lake = {
      store: new LocalStore(join(folder, 'lake')),
      parquet: new DuckDbParquetRows(checkpoints),
      cacheDir: join(folder, 'cache'),
    };
    await run(folder, lake, dateFrom);
    const answers = await Answers.open({
      tables: shopCatalogue(),
      lake,
      clock: testClock,
      cursorSecret: 'of-the-tests',
      cacheDir: join(folder, 'cache/serving'),
      workDir: join(folder, 'work'),
      memoryLimitBytes: 512e6,
      threads: 2,
    });
    return new DemoLake(folder, lake, answers, checkpoints, dateFrom);
  }

  /** Lands one more order with one line, and publishes. Its net sales are 20.00; every second has no channel. */
  async publishMore(): Promise<RunResult> {
    const n = ++this.#orders;
    const day = `2026-02-${String((n % 16) + 1).padStart(2, '0')}`;
    await this.land(
      `source1_orders_pg/orders_more_${n}.csv`,
      'order_id,customer_id,order_date,order_status,total_amount,discount_amount,shipping_amount,payment_method,channel,shipping_address_id,created_at,updated_at\n' +
        `MORE-${n},C-MORE,${day} 10:00:00,DELIVERED,25.00,0,5.00,card,${n % 2 === 0 ? '' : 'web'},A-1,${day} 10:00:00,${day} 11:00:00\n`,
    );
    await this.land(
      `source1_orders_pg/order_items_more_${n}.csv`,
      'item_id,order_id,product_id,quantity,unit_price,discount_percent,item_status,created_at\n' +
        `MORE-${n}-1,MORE-${n},P-MORE,2,10.00,0,fulfilled,${day}\n`,
    );
    return this.publish();
  }

  /** Publishes what has landed, or what else a run is told. */
  async publish(options: Partial<RunOptions> = {}): Promise<RunResult> {
    const result = await run(this.folder, this.lake, this.dateFrom, options);
    await this.answers.refresh();
    return result;
  }

  openEngine(): Promise<DuckDbEngine> {
    return openEngine(this.folder);
  }

  async land(path: string, content: string): Promise<void> {
    await writeFile(join(this.folder, 'landing', path), content);
  }

  async remove(): Promise<void> {
    await this.answers.close();
    await this.checkpoints.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

export function newRunId(): string {
  return runIdFrom(Date.now(), randomBytes(4).toString('hex'));
}

function openEngine(folder: string): Promise<DuckDbEngine> {
  return DuckDbEngine.open({ memoryLimit: '512MB', threads: 2, workDir: join(folder, 'work') });
}

async function run(
  folder: string,
  lake: Lake,
  dateFrom: string,
  options: Partial<RunOptions> = {},
): Promise<RunResult> {
  const result = await runPipeline({
    catalogue: shopCatalogue(),
    lake,
    openEngine: () => openEngine(folder),
    prelude: preludeDigestText,
    landingDir: join(folder, 'landing'),
    asOf: AS_OF,
    runId: newRunId(),
    newNonce: randomUUID,
    clock: testClock,
    full: false,
    rehash: false,
    workDir: join(folder, 'work'),
    dateFrom,
    dateTo: DATE_TO,
    onProgress: () => undefined,
    signal: new AbortController().signal,
    ...options,
  });
  if (result.outcome !== 'published') throw new Error(`the run ended with ${result.outcome}`);
  return result;
}
