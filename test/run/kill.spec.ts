import type { ChildProcess } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { DeltaRs } from '../delta-rs/delta-rs.js';
import { landSecondLoad } from './second-load.js';
import { AS_OF, contentOf, countFiles, Shop } from './shop.js';

// Whole runs, on a machine that may be busy.
jest.setTimeout(300_000);

const SEED = Number(process.env['SHOPSMART_SEED'] ?? Date.now() % 1_000_000);
const POINTS = process.env['SHOPSMART_LONG'] === '1' ? 30 : 10;

type Watched = 'messages' | 'files' | 'commits';
type Counts = Readonly<Record<Watched, number>>;

/** A first run, or one that finds a release: the landing area is shared, so that the files and their times are the same. */
interface Case {
  readonly origin: Shop;
  readonly before: Counts;
  readonly after: Counts;
  readonly content: Readonly<Record<string, string>>;
}

describe(`a run killed at ${POINTS} points of seed ${SEED}`, () => {
  const empty = Shop.make();
  const grown = Shop.make();
  const cases: Case[] = [];
  let deltaRs: DeltaRs;
  let killed = 0;

  /** The shop undisturbed: how much there is to see while it runs, and what comes of it. */
  const undisturbed = async (origin: Shop): Promise<Case> => {
    const copy = copyOf(origin);
    try {
      const before = countsOf(copy, 0);
      const { stderr } = await run(copy, origin.landing);
      const after = countsOf(copy, messagesIn(stderr));
      return { origin, before, after, content: await contentOf(deltaRs, copy.lake) };
    } finally {
      copy.remove();
    }
  };

  beforeAll(async () => {
    deltaRs = DeltaRs.start();
    await empty.call(['demo', '--as-of', AS_OF]);
    // each day of clicks is a file: most of a run's time, and of its points, would be the same thing again
    keepFirstLines(join(empty.landing, 'source4_clickstream_eventhub/clickstream.json'), 200);
    cases.push(await undisturbed(empty));
    cpSync(empty.landing, grown.landing, { recursive: true, preserveTimestamps: true });
    await grown.run();
    landSecondLoad(grown);
    cases.push(await undisturbed(grown));
  });
  afterAll(async () => {
    await deltaRs.close();
    empty.remove();
    grown.remove();
    // How many points fall behind the end of a run is up to the machine.
    expect(killed).toBeGreaterThan(0);
  });

  it.each(points())(
    'leaves nothing that the next run does not put right: $kind at $part of case $at',
    async (point) => {
      const { origin, before, after, content } = cases[point.at] as Case;
      const shop = copyOf(origin);
      try {
        const target = before[point.kind] + Math.ceil(point.part * (after[point.kind] - before[point.kind]));
        if (await killedAt(shop, origin.landing, point.kind, target)) killed++;
        if (point.at === 1)
          expect(await shop.ask('SELECT count(*) >= 4780 AS whole FROM fact_sales')).toEqual([{ whole: true }]);
        await run(shop, origin.landing);
        expect(await contentOf(deltaRs, shop.lake)).toEqual(content);

        forgetRuns(shop);
        const doctor = await shop.call(['doctor']);
        expect(doctor.stdout).not.toMatch(/^fail/m);
        expect(doctor.code).toBe(0);
        const filesBefore = countFiles(shop.lake);
        const planned = removals((await shop.call(['vacuum', '--dry-run'])).stdout);
        expect(countFiles(shop.lake)).toBe(filesBefore);
        const vacuum = await shop.call(['vacuum']);
        expect(removals(vacuum.stdout)).toEqual(planned);
        expect(vacuum.code).toBe(0);
        expect(await contentOf(deltaRs, shop.lake)).toEqual(content);
        const data = countFiles(shop.lake, /\.parquet$/) - after.files;
        expect([point, data]).toEqual([point, 0]);
        expect((await shop.call(['vacuum', '--dry-run'])).stdout).toContain('Nothing to remove');
      } finally {
        shop.remove();
      }
    },
  );
});

function keepFirstLines(file: string, count: number): void {
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, count);
  writeFileSync(file, `${lines.join('\n')}\n`);
}

interface Point {
  readonly kind: Watched;
  /** Of all that is to be seen of the kind, how much has to have happened. */
  readonly part: number;
  /** Which case. */
  readonly at: 0 | 1;
}

function points(): readonly Point[] {
  const random = randomOf(SEED);
  const kinds = ['files', 'messages', 'commits'] as const;
  return Array.from({ length: POINTS }, (_, n) => ({
    kind: kinds[n % 3] as Watched,
    part: Math.round(random() * 1000) / 1000,
    at: n % 2 === 0 ? 0 : 1,
  }));
}

/** Mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function copyOf(origin: Shop): Shop {
  const shop = Shop.make();
  cpSync(join(origin.folder, 'data'), join(shop.folder, 'data'), {
    recursive: true,
    filter: (path) => path !== origin.landing,
  });
  return shop;
}

function run(shop: Shop, landing: string) {
  return shop.run(['--landing', landing]);
}

/** True if the run was killed before it ended by itself. */
async function killedAt(shop: Shop, landing: string, kind: Watched, target: number): Promise<boolean> {
  let messages = '';
  let child: ChildProcess | undefined;
  const timer = setInterval(() => {
    if (countsOf(shop, messagesIn(messages))[kind] >= target) child?.kill('SIGKILL');
  }, 2);
  try {
    const { code } = await shop.call(['run', '--as-of', AS_OF, '--landing', landing], {
      onStart: (started) => {
        child = started;
        started.stderr?.on('data', (text: Buffer) => (messages += text.toString()));
      },
    });
    return code === null;
  } finally {
    clearInterval(timer);
  }
}

function countsOf(shop: Shop, messages: number): Counts {
  return { messages, files: countFiles(shop.lake, /\.parquet$/), commits: commitsIn(shop.lake) };
}

/** Files named by a number of twenty digits: commits, and releases. */
function commitsIn(lake: string): number {
  return countFiles(lake, /^\d{20}\.json$/);
}

function messagesIn(stderr: string): number {
  return stderr.split('\n').length - 1;
}

/** As if the dead run had died two hours ago. */
function forgetRuns(shop: Shop): void {
  const folder = join(shop.lake, '_runs');
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.json'))) {
    const record = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Record<string, unknown>;
    const renewed_at = new Date(Date.parse(String(record['renewed_at'])) - 7_200_000).toISOString();
    writeFileSync(join(folder, name), `${JSON.stringify({ ...record, renewed_at })}\n`);
  }
}

function removals(stdout: string): readonly string[] {
  return stdout
    .split('\n')
    .filter((line) => / bytes$/.test(line) && !line.includes('files,'))
    .sort();
}
