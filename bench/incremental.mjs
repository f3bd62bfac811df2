// What a run costs after a small change, beside a full run of the same lake:
// `npm run bench:incremental -- --scale 1000`. Each run has a copy of the lake of its own (hard
// links: files of a lake never change), with the landing files it was loaded from and one more. CPU seconds count, as wall
// seconds follow what else the machine does. `--dir` keeps landing files and lakes; `--fresh` makes the lakes anew.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { isBuilt, prepare } from '../bin/prepare.mjs';
import { changedOrders, newPayments } from './incremental/changed-records.mjs';
import { measured, shown } from './measured.mjs';

const AS_OF = '2026-02-17';
const NEXT_DAY = '2026-02-18';
const RECENT_DAYS = 14;
/** Recomputed from all customers and all payments by what they mean: told apart. */
const GLOBAL_TABLES = ['gold/ml_customer_rfm', 'gold/ml_anomaly_detection'];

const { values } = parseArgs({
  options: {
    scale: { type: 'string', default: '1000' },
    growth: { type: 'string', default: '100,300,1000' },
    memory: { type: 'string', default: '2GB' },
    threads: { type: 'string', default: String(cpus().length) },
    dir: { type: 'string', default: join(tmpdir(), 'shopsmart-bench-incremental') },
    fresh: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
  },
});

if (!isBuilt()) await prepare();
const shopsmart = join(import.meta.dirname, '../bin/shopsmart.js');
const runWithout = join(import.meta.dirname, 'incremental/run-without.mjs');
mkdirSync(values.dir, { recursive: true });

const scenarios = {
  nothing: { title: 'nothing new', targetWall: 2, changes: () => undefined },
  recent100: { title: '100 changed recent orders', target: 0.05, changes: recentOrders(100) },
  recent10000: { title: '10,000 changed recent orders', target: 0.15, changes: recentOrders(10_000) },
  payments: {
    title: 'as_of + 1 day, 100 new payments',
    asOf: NEXT_DAY,
    changes: (landing, into) => newPayments({ landing, into, count: 100, day: NEXT_DAY }),
  },
  spread: {
    title: '100 orders changed, over all dates',
    changes: (landing, into) => changedOrders({ landing, into, count: 100, asOf: AS_OF }),
  },
};

console.log(`scale ${values.scale}, ${values.threads} threads, memory limit ${values.memory}`);
const pristine = await madeLake(values.scale);
const runs = [];
for (const [name, scenario] of Object.entries(scenarios)) {
  if (values.only !== '' && !values.only.split(',').includes(name)) continue;
  const run = await changeRun(pristine, scenario).catch(tooSmall);
  if (run instanceof RangeError) {
    console.log(`\n${scenario.title}: not at this scale, ${run.message}`);
    continue;
  }
  runs.push({ scenario, run });
  console.log(`\n${scenario.title}: ${shown(run)}`);
  for (const line of rewritten(run)) console.log(`  ${line}`);
}
const { first, full } = await figuresOf(pristine);
console.log(`\nfirst run, from the landing files: ${shown(first)}`);
console.log(`run --full of that lake: ${shown(full)}, of which`);
for (const { scenario, run } of runs) {
  const ratio = run.cpu / full.cpu;
  console.log(`  ${percent(ratio)} of the CPU: ${scenario.title}${verdict(scenario, run, ratio)}`);
}
if (values.only === '' || values.only.split(',').includes('growth')) await growth();

/** The same change at several sizes, with and without the tables that are global by nature. */
async function growth() {
  console.log('\n100 changed recent orders as the shop grows (CPU seconds):');
  for (const scale of values.growth.split(',').filter((text) => text !== '')) {
    const lake = await madeLake(scale);
    const all = await changeRun(lake, scenarios.recent100);
    const rest = await changeRun(lake, scenarios.recent100, [runWithout, AS_OF, ...GLOBAL_TABLES]);
    const { first } = JSON.parse(readFileSync(lake.figures, 'utf8'));
    const parts = `global tables ${(all.cpu - rest.cpu).toFixed(2)}, the rest ${rest.cpu.toFixed(2)}`;
    console.log(`  scale ${scale}: ${all.cpu.toFixed(2)}; ${parts}; first run ${first.cpu.toFixed(1)}`);
  }
}

/** Landing files and a lake of that scale; made once and kept. A lake of older logic is brought up to date. */
async function madeLake(scale) {
  const landing = join(values.dir, `landing-${scale}`);
  const lake = join(values.dir, `lake-${scale}`);
  const figures = `${lake}.json`;
  if (!existsSync(landing)) {
    const unfinished = `${landing}.unfinished`;
    rmSync(unfinished, { recursive: true, force: true });
    command('node', [shopsmart, 'demo', '--scale', scale, '--as-of', AS_OF, '--out', unfinished]);
    command('mv', [unfinished, landing]);
  }
  if (values.fresh || !existsSync(figures)) {
    rmSync(figures, { force: true });
    rmSync(lake, { recursive: true, force: true });
    writeFileSync(figures, JSON.stringify({ first: costOf(await run({ landing, lake })) }));
  } else {
    const { mode } = JSON.parse((await run({ landing, lake })).output);
    const { first, full } = JSON.parse(readFileSync(figures, 'utf8'));
    writeFileSync(figures, JSON.stringify(mode === 'none' ? { first, full } : { first }));
  }
  return { landing, lake, figures };
}

/** What the first run and a full one cost: the first once a lake, the full one once a logic. */
async function figuresOf({ figures, ...pristine }) {
  const known = JSON.parse(readFileSync(figures, 'utf8'));
  const full = known.full ?? costOf(await withCopy(pristine, (copy) => run({ ...copy, flags: ['--full'] })));
  writeFileSync(figures, JSON.stringify({ ...known, full }));
  return { ...known, full };
}

function costOf({ cpu, wall, peakMb }) {
  return { cpu, wall, peakMb };
}

/** What a run costs on a copy of the lake where something has landed, and what it wrote. */
function changeRun(pristine, { changes, asOf = AS_OF }, program) {
  return withCopy(pristine, async (copy) => {
    await changes(pristine.landing, copy.landing);
    const before = dataFiles(copy.lake);
    const ended = await run({ ...copy, asOf, program });
    const after = dataFiles(copy.lake);
    const added = [...after].filter(([path]) => !before.has(path));
    return { ...ended, report: JSON.parse(ended.output), added };
  });
}

async function withCopy({ landing, lake }, work) {
  const folder = mkdtempSync(join(values.dir, 'copy-'));
  try {
    command('cp', ['-al', landing, join(folder, 'landing')]);
    command('cp', ['-al', lake, join(folder, 'lake')]);
    return await work({ landing: join(folder, 'landing'), lake: join(folder, 'lake') });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function run({ landing, lake, asOf = AS_OF, flags = [], program }) {
  const data = mkdtempSync(join(tmpdir(), 'shopsmart-bench-'));
  try {
    return await measured(program ?? [shopsmart, 'run', '--as-of', asOf, '--json', ...flags], {
      SHOPSMART_LANDING: landing,
      SHOPSMART_LAKE: lake,
      SHOPSMART_DATA: data,
      SHOPSMART_MEMORY_LIMIT: values.memory,
      SHOPSMART_THREADS: values.threads,
    });
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
}

/** By table: rows that changed, files that came and went, bytes written, and seconds. */
function rewritten({ report, added }) {
  const bytesOf = (table) =>
    added.filter(([path]) => tableOf(path) === table).reduce((sum, [, bytes]) => sum + bytes, 0);
  const total = added.reduce((sum, [, bytes]) => sum + bytes, 0);
  const tables = report.tables
    .map((table) => ({ ...table, name: `${table.layer}/${table.table}` }))
    .map(
      ({ name, inserted, updated, deleted, files_added, files_removed, seconds }) =>
        `${name}: +${inserted} ~${updated} -${deleted} rows, +${files_added} -${files_removed} files, ` +
        `${megabytes(bytesOf(name))} written, ${seconds.toFixed(2)} s`,
    );
  return [...tables, `written: ${added.length} data files, ${megabytes(total)}`];
}

/** Sizes of the lake's data files by path. */
function dataFiles(lake) {
  const paths = readdirSync(lake, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.parquet'))
    .map((entry) => join(entry.parentPath, entry.name));
  return new Map(paths.map((path) => [relative(lake, path), statSync(path).size]));
}

/** `gold/fact_sales/order_year=2026/x.parquet` is a file of `gold/fact_sales`. */
function tableOf(path) {
  const folders = path.split('/').slice(0, -1);
  return folders.filter((folder) => !folder.includes('=')).join('/');
}

function recentOrders(count) {
  return (landing, into) => changedOrders({ landing, into, count, days: RECENT_DAYS, asOf: AS_OF });
}

/** A small shop has too few records to change; whatever else went wrong is thrown. */
function tooSmall(error) {
  if (error instanceof RangeError) return error;
  throw error;
}

function verdict({ target, targetWall }, { wall }, ratio) {
  if (target !== undefined) return ` (target: under ${percent(target)}, ${ratio < target ? 'met' : 'MISSED'})`;
  if (targetWall !== undefined) return ` (target: under ${targetWall} s, ${wall < targetWall ? 'met' : 'MISSED'})`;
  return '';
}

function percent(ratio) {
  return `${(100 * ratio).toFixed(1)} %`;
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(2)} MB`;
}

function command(program, args) {
  const ended = spawnSync(program === 'node' ? process.execPath : program, args, { encoding: 'utf8' });
  if (ended.status !== 0) throw new Error(`${program} ${args.join(' ')} failed: ${ended.stderr}`);
}
