import { commit, readSnapshot } from '#delta';
import { publishRows } from '../testing/publish-rows.js';
import { AS_OF, Workshop, type SmallLake } from '../testing/small-lake.js';
import { smallShop } from '../testing/small-shop.js';
import { readProof, type Proof } from './proof.js';

const workshop = new Workshop();
afterAll(() => workshop.close());

/** Two loads: a change, a late record, a duplicate, one that is broken and one of the future. */
async function twoLoads(): Promise<SmallLake> {
  const lake = workshop.lake();
  lake.land('shop/orders_1.csv', [{ order: 'a' }, { order: 'b', amount: '-1' }, { order: 'c', customer: 'c2' }]);
  await lake.run();
  lake.land('shop/orders_2.csv', [
    { order: 'a', amount: '30', updatedAt: '2026-01-20T00:00:00Z' },
    { order: 'b', customer: 'c3' },
    { order: 'c', customer: 'c2', updatedAt: '2025-01-01T00:00:00Z' },
    { order: 'd', placedOn: '2026-03-01' },
  ]);
  await lake.run();
  return lake;
}

/** Publishes other rows of a table, as no run would. */
async function tamper(
  lake: SmallLake,
  change: Pick<Parameters<typeof publishRows>[0], 'table' | 'sql' | 'withdrawn' | 'stats'>,
) {
  const engine = await workshop.pool.open();
  const runId = workshop.nextRunId(lake.clock.nowMs());
  try {
    return await publishRows({ lake, engine, runId, dir: workshop.folder('tampered'), ...change });
  } finally {
    await engine.close();
  }
}

function failed({ checks }: Proof) {
  return checks.filter(({ passed }) => !passed).map(({ table, name }) => [table, name]);
}

function verdicts({ tables }: Proof) {
  return Object.fromEntries(tables.filter(({ verdict }) => verdict !== 'same').map((one) => [one.table, one.verdict]));
}

describe('prove', () => {
  it('finds every row of a release in what its bronze gives, of a former release too, and keeps the proof', async () => {
    const lake = await twoLoads();
    const before = await lake.paths();
    for (const release of await lake.releases()) {
      const proof = await lake.prove({ release });
      expect(proof).toMatchObject({ release: release.number, verdict: 'ok', as_of: AS_OF });
      expect(proof.tables.map(({ table, rows }) => [table, rows])).toEqual([
        ['bronze/quarantine/orders', [1, 2][release.number - 1]],
        ['silver/orders', [2, 3][release.number - 1]],
        ['gold/daily_sales', 1],
        ['gold/customer_tiers', [2, 3][release.number - 1]],
      ]);
      expect(failed(proof)).toEqual([]);
      expect(await readProof(lake.store, release.number)).toEqual(proof);
    }
    expect((await lake.paths()).filter((path) => !before.includes(path))).toEqual([
      '_releases/proofs/00000000000000000001.json',
      '_releases/proofs/00000000000000000002.json',
    ]);
    // nothing of it is a leftover
    expect(await readProof(lake.store, 3)).toBeUndefined();
  });

  it('names the key, the column and both values of a wrong row, which a full run puts right', async () => {
    const lake = await twoLoads();
    await tamper(lake, {
      table: 'silver/orders',
      sql: `SELECT * REPLACE (CASE WHEN order_id = 'a' THEN 30.01 ELSE amount END AS amount,
        CASE WHEN order_id = 'c' THEN 'nobody' ELSE customer_id END AS customer_id) FROM silver.orders`,
    });
    const proof = await lake.prove();
    expect(proof.verdict).toBe('differs');
    expect(proof.tables.find(({ verdict }) => verdict === 'differs')).toMatchObject({
      table: 'silver/orders',
      changed: 2,
      missing: 0,
      unexpected: 0,
      first: [
        {
          kind: 'changed',
          key: { order_id: 'a' },
          columns: [{ column: 'amount', release: '30.01', rebuilt: '30.00' }],
        },
        // a person is not shown
        { key: { order_id: 'c' }, columns: [{ column: 'customer_id', release: '***', rebuilt: '***' }] },
      ],
    });
    expect(verdicts(proof)).toEqual({ 'silver/orders': 'differs' });

    expect((await lake.run()).outcome).toBe('nothing_new');
    expect((await lake.run({ full: true })).outcome).toBe('published');
    expect(await lake.prove()).toMatchObject({ release: 4, verdict: 'ok' });
    expect((await lake.run({ full: true })).outcome).toBe('nothing_new');
  });

  it('tells rows that are missing from rows that should not be there, and a row that is there twice', async () => {
    const lake = await twoLoads();
    const twice = `SELECT * FROM gold.customer_tiers UNION ALL SELECT * FROM gold.customer_tiers WHERE customer_id = 'c1'`;
    await tamper(lake, { table: 'gold/customer_tiers', sql: twice });
    await tamper(lake, { table: 'gold/daily_sales', sql: `SELECT * REPLACE ('app' AS channel) FROM gold.daily_sales` });
    const proof = await lake.prove();
    expect(verdicts(proof)).toEqual({ 'gold/daily_sales': 'differs', 'gold/customer_tiers': 'differs' });
    expect(proof.tables.slice(-2)).toMatchObject([
      { missing: 1, unexpected: 1, changed: 0, first: [{ kind: 'unexpected' }, { kind: 'missing' }] },
      { missing: 0, unexpected: 1, changed: 0, first: [{ kind: 'unexpected', key: { tier: 'basic' } }] },
    ]);
    expect(failed(proof)).toEqual([['gold/customer_tiers', 'key_unique']]);
  });

  it('leaves withdrawn loads out, as every run does', async () => {
    const lake = await twoLoads();
    const { rows } = (await lake.latest()).tables['silver/orders'] ?? {};
    await tamper(lake, {
      table: 'silver/orders',
      sql: 'SELECT * FROM silver.orders',
      withdrawn: [{ source: 'orders', load: 2 }],
    });
    const proof = await lake.prove();
    expect(rows).toBe(3);
    expect(proof.tables.find(({ table }) => table === 'silver/orders')).toMatchObject({ rows: 3, rebuilt_rows: 2 });
    expect(proof.verdict).toBe('differs');
  });

  it('compares nothing while a file of the release is gone, and names the file', async () => {
    const lake = await twoLoads();
    const [file = ''] = await lake.files(await lake.latest(), 'silver/orders');
    await lake.store.delete(file);
    const proof = await lake.prove();
    expect(proof.verdict).toBe('differs');
    expect(new Set(Object.values(verdicts(proof)))).toEqual(new Set(['not_compared']));
    expect(proof.checks.filter(({ passed }) => !passed)).toMatchObject([
      { table: 'silver/orders', name: 'files_present', failing: 1, detail: `${file} is gone` },
    ]);
  });

  it('sees a log that counts wrong, one that another writer changed, and files that nothing needs', async () => {
    const lake = await twoLoads();
    await tamper(lake, {
      table: 'gold/daily_sales',
      sql: 'SELECT * FROM gold.daily_sales',
      stats: (truth) => truth.replace('"numRecords":1', '"numRecords":2'),
    });
    const { parquet, cacheDir } = lake.lake;
    const read = await readSnapshot(lake.store, 'silver/orders', { parquet, cacheDir });
    const [add] = read?.files.values() ?? [];
    if (read === undefined || add === undefined) throw new Error('there is a file');
    await commit(lake.store, {
      table: 'silver/orders',
      read,
      actions: [{ remove: { path: add.path, deletionTimestamp: 1, dataChange: true } }],
      blind: false,
      txnId: 'a stranger',
      nowMs: lake.clock.nowMs(),
      parquet,
      cacheDir,
    });
    await lake.store.put(`gold/daily_sales/${workshop.nextRunId(lake.clock.nowMs())}-0.parquet`, Buffer.from('left'));
    const proof = await lake.prove();
    expect(failed(proof)).toEqual([
      ['gold/daily_sales', 'stats_true'],
      ['silver/orders', 'log_replays'],
      [null, 'files_referenced'],
    ]);
    expect(proof.verdict).toBe('differs');
  });

  it('warns of a log that a killed run left behind, and of nothing else', async () => {
    const lake = await twoLoads();
    const logs = (await lake.paths('gold/customer_tiers/_delta_log/')).filter((path) => path.endsWith('.json'));
    await lake.store.delete(logs.at(-1) ?? '');
    const proof = await lake.prove();
    expect(failed(proof)).toEqual([['gold/customer_tiers', 'log_replays']]);
    expect(proof.verdict).toBe('ok');
    await lake.run();
    expect(failed(await lake.prove())).toEqual([]);
  });

  it('calls no release wrong that other rules made', async () => {
    const lake = await twoLoads();
    const catalogue = smallShop({ salesFrom: 20, withGreatest: true });
    const proof = await lake.prove({ catalogue });
    expect(proof.verdict).toBe('unproven');
    expect(verdicts(proof)).toEqual({ 'gold/daily_sales': 'other_rules' });
    expect(proof.tables.map(({ table, rules }) => [table, rules])).toContainEqual(['silver/orders', 'same']);
    // by the new rules it is made, and proved
    await lake.run({ catalogue });
    expect(await lake.prove({ catalogue })).toMatchObject({ verdict: 'ok' });
  });
});
