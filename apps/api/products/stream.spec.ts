import { get, type IncomingMessage } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { apiOver, HeardLog } from '../testing/api.js';
import { DemoLake } from '../testing/demo-lake.js';

/** dim_date has a row for each day of that many years. */
const ROWS = 100_076;
const YEARS_FROM = '1753-01-01';
/** All rows in memory take several times as much. */
const MOST_GROWTH_BYTES = 8e6;

describe('a long answer', () => {
  let shop: DemoLake;
  let app: NestFastifyApplication;
  let url: string;
  const log = new HeardLog();
  /** Releases held open, and rows that answers were made of. */
  const seen = { pins: 0, rows: 0 };

  beforeAll(async () => {
    shop = await DemoLake.make(0.5, YEARS_FROM);
    watch(shop, seen);
    app = await apiOver(shop, { log });
    await app.listen(0, '127.0.0.1');
    url = `${await app.getUrl()}/v1/products/dim_date/rows`;
    await read(await opened(`${url}?format=csv&limit=1000`));
  });

  afterAll(async () => {
    await app.close();
    await shop.remove();
  });

  it('of 100,000 rows needs little memory', async () => {
    const start = liveBytes();
    const growth: number[] = [];
    let chunks = 0;
    const answer = await opened(`${url}?format=csv`);
    const lines = await read(answer, () => {
      if (++chunks % 50 === 0) growth.push(liveBytes() - start);
    });
    expect(lines).toBe(ROWS + 1);
    expect(growth.length).toBeGreaterThan(1);
    expect(Math.max(...growth)).toBeLessThan(MOST_GROWTH_BYTES);
  });

  it('waits for a reader who does not read, and then goes on', async () => {
    seen.rows = 0;
    const answer = await opened(`${url}?format=ndjson`);
    answer.pause();
    for (let before = -1; seen.rows !== before;) {
      before = seen.rows;
      await setTimeout(500);
    }
    expect(seen.rows).toBeLessThan(ROWS * 0.9);
    expect(await read(answer)).toBe(ROWS);
  });

  it('ends when its reader leaves, without a complaint', async () => {
    seen.rows = 0;
    const answer = await opened(`${url}?format=ndjson`);
    expect(seen.pins).toBe(1);
    answer.pause();
    answer.destroy();
    for (let waited = 0; seen.pins > 0 && waited < 5_000; waited += 20) await setTimeout(20);
    expect(seen.pins).toBe(0);
    expect(seen.rows).toBeLessThan(ROWS);
    expect(log.errors).toEqual([]);
    expect(await read(await opened(`${url}?format=csv&limit=10`))).toBe(11);
  });
});

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What is in use, without what nobody holds any more. */
function liveBytes(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function opened(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, resolve).on('error', reject);
  });
}

/** The number of lines. */
async function read(answer: IncomingMessage, onChunk: () => void = () => undefined): Promise<number> {
  let lines = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    for (const byte of chunk) if (byte === 10) lines++;
    onChunk();
  }
  return lines;
}

function watch({ answers }: DemoLake, seen: { pins: number; rows: number }): void {
  const pin = answers.pin.bind(answers);
  answers.pin = async (asked) => {
    const pinned = await pin(asked);
    seen.pins++;
    return {
      ...pinned,
      stream: (...asked) => {
        const { batches, ...answer } = pinned.stream(...asked);
        async function* counted() {
          for await (const rows of batches) {
            seen.rows += rows.length;
            yield rows;
          }
        }
        return { ...answer, batches: counted() };
      },
      unpin: () => {
        seen.pins--;
        pinned.unpin();
      },
    };
  };
}
