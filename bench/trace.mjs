// What it costs to follow a row to its records: p50 and p99 for random rows of every gold table, over HTTP with the first
// 100 records, and by `shopsmart trace` with start-up. `npm run bench:trace -- --scale 100 --rows 50` (200,000 orders).
import { fork, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { isBuilt, prepare } from '../bin/prepare.mjs';

const AS_OF = '2026-02-17';

const { values } = parseArgs({
  options: {
    scale: { type: 'string', default: '100' },
    rows: { type: 'string', default: '50' },
    calls: { type: 'string', default: '5' },
  },
});

if (!isBuilt()) await prepare();
const root = join(import.meta.dirname, '..');
const shopsmart = join(root, 'bin/shopsmart.js');
const shop = madeShop();
const env = { SHOPSMART_LAKE: join(shop, 'lake'), SHOPSMART_DATA: join(shop, 'data') };
const { child, url } = await started();
try {
  const { data: products } = await json('/v1/products');
  for (const { name, key, freshness } of products) {
    const keys = await keysOf(name, key, freshness.rows);
    const path = (row) => `/v1/products/${name}/rows/${encodeURIComponent(row)}/provenance?limit=100`;
    // the first opens the tables of the release
    await json(path(keys[0]));
    const took = [];
    let records = 0;
    for (const row of keys) {
      const start = performance.now();
      const { page } = await json(path(row));
      took.push(performance.now() - start);
      records += page.total;
    }
    const calls = keys.slice(0, Number(values.calls)).map((row) => {
      const start = performance.now();
      run(['trace', name, row]);
      return performance.now() - start;
    });
    const mean = (records / keys.length).toFixed(0);
    console.log(`${name}: ${shown(took)}; with start-up ${shown(calls)}; ${mean} records a row`);
  }
} finally {
  child.disconnect();
}

/** Keys of rows here and there, as REST writes them. */
async function keysOf(product, key, rows) {
  const wanted = Math.min(Number(values.rows), rows);
  const sample = JSON.parse(
    run([
      'sql',
      `SELECT ${key.join(', ')} FROM gold.${product} ORDER BY hash(${key.join(', ')}) LIMIT ${wanted}`,
      '--json',
    ]),
  );
  const part = (value) => (value === null ? '%00' : String(value).replaceAll('%', '%25').replaceAll('~', '%7E'));
  return sample.data.map((row) => key.map((column) => part(row[column])).join('~'));
}

async function json(path) {
  const response = await fetch(url + path);
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${text}`);
  return JSON.parse(text);
}

function shown(times) {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))].toFixed(0);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`;
}

/** A shop of that scale with one release; made once and kept. */
function madeShop() {
  const folder = join(tmpdir(), 'shopsmart-bench-trace', values.scale);
  const done = join(folder, 'done');
  if (existsSync(done)) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const landing = join(folder, 'landing');
  run(['demo', '--scale', values.scale, '--as-of', AS_OF, '--out', landing], folder);
  run(['run', '--landing', landing, '--as-of', AS_OF, '--json'], folder);
  writeFileSync(done, '');
  return folder;
}

function run(args, folder = shop) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [shopsmart, ...args], {
    encoding: 'utf8',
    maxBuffer: 1e8,
    env: { ...process.env, SHOPSMART_LAKE: join(folder, 'lake'), SHOPSMART_DATA: join(folder, 'data') },
  });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

async function started() {
  const child = fork(join(root, 'dist/apps/api/main.js'), [], {
    env: { ...process.env, ...env, PORT: '0', LOG_LEVEL: 'warn', UV_THREADPOOL_SIZE: '16' },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const url = await new Promise((ready, failed) => {
    child.once('message', (message) => ready(message.url));
    child.once('exit', (code) => failed(new Error(`the api ended with ${code}`)));
  });
  return { child, url };
}
