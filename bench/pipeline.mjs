// How much a full run costs over one hand-written DuckDB script that reads the same landing files and writes the same
// tables: `npm run bench:pipeline -- --scale 500 --rounds 3`. Alternated; both results are compared before a figure is
// printed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import { isBuilt, prepare } from '../bin/prepare.mjs';
import { measured, median, shown } from './measured.mjs';

const AS_OF = '2026-02-17';

/** Of each table, what both sides must agree on besides the number of rows. */
const sums = {
  'bronze/orders': [],
  'bronze/order_items': [],
  'bronze/customers': [],
  'bronze/products': [],
  'bronze/inventory': [],
  'bronze/payments': [],
  'bronze/clickstream': [],
  'silver/orders': ['net_amount', 'gross_with_shipping', 'discount_pct'],
  'silver/order_items': ['line_total', 'discount_amount', 'net_line_total'],
  'silver/customers': ['age', 'customer_tenure_days'],
  'silver/products': ['profit_margin', 'margin_pct'],
  'silver/inventory': ['quantity_available', 'stock_value'],
  'silver/payments': ['amount', 'fraud_signal_count'],
  'silver/clickstream': ['event_hour'],
  'silver/sessions': ['total_events', 'products_viewed', 'session_duration_sec'],
  'gold/dim_date': ['date_key'],
  'gold/dim_customer': ['customer_sk'],
  'gold/dim_product': ['product_sk', 'current_price'],
  'gold/fact_sales': ['customer_sk', 'product_sk', 'net_line_total', 'shipping_allocated'],
  'gold/agg_daily_sales': ['gross_revenue', 'net_revenue', 'total_shipping', 'total_customers'],
  'gold/ml_customer_rfm': ['monetary', 'unique_products', 'rfm_score'],
  'gold/ml_anomaly_detection': ['amount', 'combined_risk_score'],
};

const { values } = parseArgs({
  options: {
    scale: { type: 'string', default: '500' },
    rounds: { type: 'string', default: '3' },
    memory: { type: 'string', default: '2GB' },
    threads: { type: 'string', default: String(cpus().length) },
  },
});
const { scale, memory, threads } = values;

if (!isBuilt()) await prepare();
const shopsmart = join(import.meta.dirname, '../bin/shopsmart.js');
const rival = join(import.meta.dirname, 'pipeline/hand-written.mjs');
const landing = demoData();
const work = mkdtempSync(join(tmpdir(), 'shopsmart-bench-'));
try {
  const rounds = [];
  for (let round = 1; round <= Number(values.rounds); round++) {
    const ours = await measured([shopsmart, 'run', '--landing', landing, '--as-of', AS_OF, '--json'], {
      SHOPSMART_LAKE: join(work, 'lake'),
      SHOPSMART_DATA: join(work, 'data'),
      SHOPSMART_MEMORY_LIMIT: memory,
      SHOPSMART_THREADS: threads,
    });
    const theirs = await measured([rival, landing, join(work, 'hand'), AS_OF, threads, memory], {});
    if (round === 1) await assertSame(join(work, 'lake'), join(work, 'hand'));
    rounds.push({ ours, theirs });
    console.log(`round ${round}: run ${shown(ours)}; hand-written ${shown(theirs)}`);
    for (const side of ['lake', 'hand']) rmSync(join(work, side), { recursive: true, force: true });
  }
  const ratio = (of) => median(rounds.map(({ ours, theirs }) => ours[of] / theirs[of])).toFixed(2);
  const peak = (side) => Math.max(...rounds.map((round) => round[side].peakMb)).toFixed(0);
  console.log(
    `run / hand-written at scale ${scale}, ${threads} threads, ${memory}: CPU ${ratio('cpu')}, wall ${ratio('wall')} ` +
      `(median of ${rounds.length}); peak memory ${peak('ours')} MB, ${peak('theirs')} MB`,
  );
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** Made once a scale, and kept. */
function demoData() {
  const dir = join(tmpdir(), 'shopsmart-bench-data', `scale-${scale}`);
  const done = `${dir}.done`;
  if (existsSync(done)) return dir;
  rmSync(dir, { recursive: true, force: true });
  const made = spawnSync(process.execPath, [shopsmart, 'demo', '--scale', scale, '--as-of', AS_OF, '--out', dir]);
  if (made.status !== 0) throw new Error(`demo failed: ${made.stderr}`);
  writeFileSync(done, '');
  return dir;
}

/** Both results have the same rows and sums: after one run, every file of the lake is live. */
async function assertSame(lake, hand) {
  const instance = await DuckDBInstance.create(':memory:', { threads, memory_limit: memory });
  const connection = await instance.connect();
  for (const [table, columns] of Object.entries(sums)) {
    const facts = [
      table.startsWith('bronze') ? 'count(*) FILTER (NOT _malformed)' : 'count(*)',
      ...columns.map((column) => `coalesce(sum(${column}), 0)`),
    ];
    const [ours, theirs] = await Promise.all(
      [lake, hand].map(async (root) => {
        const files = `read_parquet('${join(root, table)}/**/*.parquet', hive_partitioning = false)`;
        const reader = await connection.runAndReadAll(`SELECT ${facts} FROM ${files}`);
        return reader.getRowsJson()[0].join(', ');
      }),
    );
    if (ours !== theirs) throw new Error(`${table} differs: ${facts}\n  run: ${ours}\n  hand-written: ${theirs}`);
  }
  connection.closeSync();
  instance.closeSync();
}
