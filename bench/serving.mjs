// What an answer costs: a page of 100 lines, a look-up, and net sales by month and category, over the fact table of a
// shop of any size, at 1 and 16 connections; then answers from the cache beside a bare Fastify that sends the same bytes.
// `npm run bench:serving -- --scale 1000 --seconds 5` (scale 1000 has 5 million lines). The answers are compared with
// `shopsmart sql` before anything is timed.
import { fork, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { isBuilt, prepare } from '../bin/prepare.mjs';

const AS_OF = '2026-02-17';
const TICKS_PER_SECOND = 100;
const CONNECTIONS = [1, 16];

const { values } = parseArgs({
  options: {
    scale: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    memory: { type: 'string', default: '1GB' },
  },
});
const seconds = Number(values.seconds);

if (!isBuilt()) await prepare();
const root = join(import.meta.dirname, '..');
const shopsmart = join(root, 'bin/shopsmart.js');
const shop = madeShop();
const api = await started(join(root, 'dist/apps/api/main.js'), {
  SHOPSMART_LAKE: join(shop, 'lake'),
  SHOPSMART_DATA: join(shop, 'data'),
  SHOPSMART_MEMORY_LIMIT: values.memory,
  PORT: '0',
  LOG_LEVEL: 'warn',
  UV_THREADPOOL_SIZE: '16',
});
try {
  const facts = factsOf();
  await untilSettled(api);
  await assertSame(facts);
  console.log(`${facts.lines} lines, ${cpus().length} cores, memory limit ${values.memory}`);

  console.log('\nEach request another question:');
  for (const [name, question] of Object.entries(questions(facts))) {
    for (const connections of CONNECTIONS) {
      const figures = await measured(api, { connections, request: question });
      console.log(`  ${name}, ${connections} connections: ${shown(figures)}`);
    }
  }

  console.log('\nThe same question again, beside a bare Fastify that sends as many bytes:');
  for (const [name, request] of Object.entries(cachedQuestions(facts))) {
    const bytes = (await answer(api, request)).length;
    const bare = await started(join(import.meta.dirname, 'serving/bare-fastify.mjs'), { BYTES: String(bytes) });
    const ratios = [];
    let last;
    for (let round = 0; round < Number(values.rounds); round++) {
      const ours = await measured(api, { connections: 16, request: () => request });
      const theirs = await measured(bare, { connections: 16, request: () => request });
      ratios.push(ours.rate / theirs.rate);
      last = { ours, theirs };
    }
    bare.child.disconnect();
    console.log(`  ${name} (${bytes} bytes): ${shown(last.ours)}; bare ${shown(last.theirs)}`);
    console.log(`  ${name}: ${median(ratios).toFixed(2)} of the bare rate (median of ${ratios.length} rounds)`);
  }
  console.log(`\nPeak memory of the api: ${peakMb(api)} MB`);
} finally {
  api.child.disconnect();
}

/** A shop of that scale with one release; made once and kept. */
function madeShop() {
  const folder = join(tmpdir(), 'shopsmart-bench-serving', values.scale);
  const report = join(folder, 'report.json');
  if (existsSync(report)) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const landing = join(folder, 'landing');
  command(['demo', '--scale', values.scale, '--as-of', AS_OF, '--out', landing]);
  const ran = command(['run', '--landing', landing, '--as-of', AS_OF, '--json'], folder);
  rmSync(landing, { recursive: true });
  writeFileSync(report, ran);
  return folder;
}

function command(args, folder = tmpdir()) {
  const env = { ...process.env, SHOPSMART_LAKE: join(folder, 'lake'), SHOPSMART_DATA: join(folder, 'data') };
  const ended = spawnSync(process.execPath, [shopsmart, ...args], { env, encoding: 'utf8', maxBuffer: 1e8 });
  if (ended.status !== 0) throw new Error(`shopsmart ${args[0]} failed: ${ended.stderr}`);
  return ended.stdout;
}

function sql(text) {
  return JSON.parse(command(['sql', text, '--json'], shop)).data;
}

/** What the questions choose from. */
function factsOf() {
  const [{ lines }] = sql('SELECT CAST(count(*) AS INTEGER) AS lines FROM fact_sales');
  const keys = sql('SELECT sales_key FROM fact_sales USING SAMPLE 5000 ROWS').map((row) => row.sales_key);
  const days = sql('SELECT DISTINCT CAST(CAST(order_date AS DATE) AS VARCHAR) AS day FROM fact_sales ORDER BY 1').map(
    (row) => row.day,
  );
  return { lines, keys, days };
}

/** Random parameters: hardly a question comes twice. */
function questions({ keys, days }) {
  const any = (list) => list[Math.floor(Math.random() * list.length)];
  const range = (length) => {
    const first = Math.floor(Math.random() * Math.max(1, days.length - length));
    return `filter[order_date][gte]=${days[first]}T00:00:00Z&filter[order_date][lt]=${days[Math.min(days.length - 1, first + length)]}T00:00:00Z`;
  };
  // a price bound that excludes nothing makes the texts differ
  const salt = () => `filter[unit_price][gte]=-${Math.floor(Math.random() * 1e9)}`;
  return {
    'page of 100': () => get(`/v1/products/fact_sales/rows?${range(30)}&${salt()}&sort=order_date&limit=100`),
    'look-up by key': () => get(`/v1/products/fact_sales/rows/${encodeURIComponent(any(keys))}`),
    'month × category': () =>
      get(
        `/v1/products/fact_sales/aggregate?group=month(order_date),product.category&measure=sum(net_line_total)&${range(600)}&${salt()}`,
      ),
  };
}

function cachedQuestions({ days }) {
  const query = `{ factSales(first: 50, filter: { orderDate: { gte: "${days[0]}T00:00:00Z" } }) { nodes { salesKey orderId productId quantity unitPrice netLineTotal channel orderDate } release { id } } }`;
  return {
    'REST page of 50': get(
      '/v1/products/fact_sales/rows?select=sales_key,order_id,product_id,quantity,unit_price,net_line_total,channel,order_date&limit=50',
    ),
    'GraphQL page of 50': {
      method: 'POST',
      path: '/graphql',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    },
  };
}

function get(path) {
  return { method: 'GET', path };
}

async function answer({ url }, { method, path, headers, body }) {
  const response = await fetch(url + path, { method, headers, body });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${text}`);
  return text;
}

/** The api and the command line say the same before anybody times them. */
async function assertSame({ days }) {
  const [from, until] = [days[10], days[Math.min(days.length - 1, 200)]];
  const path = `/v1/products/fact_sales/aggregate?group=month(order_date),product.category&measure=sum(net_line_total)&decimals=string&filter[order_date][gte]=${from}T00:00:00Z&filter[order_date][lt]=${until}T00:00:00Z`;
  const ours = JSON.parse(await answer(api, get(path))).data.map(Object.values);
  const rows = sql(
    `SELECT CAST(CAST(date_trunc('month', f.order_date) AS DATE) AS VARCHAR) AS month, p.category, CAST(sum(f.net_line_total) AS VARCHAR) AS net
     FROM fact_sales f LEFT JOIN dim_product p ON p.product_sk = f.product_sk
     WHERE f.order_date >= TIMESTAMPTZ '${from} 00:00:00+00' AND f.order_date < TIMESTAMPTZ '${until} 00:00:00+00'
     GROUP BY ALL ORDER BY 1, 2 NULLS FIRST`,
  ).map(Object.values);
  if (JSON.stringify(ours) !== JSON.stringify(rows)) throw new Error('the api and `shopsmart sql` differ');
}

async function started(program, settings) {
  const child = fork(program, [], { env: { ...process.env, ...settings }, stdio: ['ignore', 'ignore', 2, 'ipc'] });
  const url = await new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message.url));
    child.once('exit', (code) => reject(new Error(`${program} ended with ${code}`)));
  });
  return { child, url };
}

/** The api has done its work behind the scenes when it no longer uses the processor. */
async function untilSettled({ child }) {
  for (let quiet = 0, before = cpuSeconds(child.pid); quiet < 3;) {
    await setTimeout(1000);
    const now = cpuSeconds(child.pid);
    quiet = now - before < 0.1 ? quiet + 1 : 0;
    before = now;
  }
}

async function measured({ child, url }, { connections, request }) {
  const cpuBefore = cpuSeconds(child.pid);
  const result = await autocannon({
    url,
    connections,
    duration: seconds,
    requests: [{ setupRequest: (given) => ({ ...given, ...request() }) }],
  });
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${result.non2xx} answers were no success, ${result.errors} failed`);
  }
  const count = result.requests.total;
  return {
    rate: count / result.duration,
    p50: result.latency.p50,
    p99: result.latency.p99,
    cpuUs: ((cpuSeconds(child.pid) - cpuBefore) / count) * 1e6,
  };
}

function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function peakMb({ child }) {
  const [, kb] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'));
  return (Number(kb) / 1000).toFixed(0);
}

function shown({ rate, p50, p99, cpuUs }) {
  return `${rate.toFixed(0)} req/s, p50 ${p50} ms, p99 ${p99} ms, CPU ${cpuUs.toFixed(0)} µs a request`;
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}
