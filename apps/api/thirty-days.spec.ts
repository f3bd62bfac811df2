import { jest } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { openRelease, readSettings } from '#platform';
import type { RunOptions } from '#pipeline';
import type { Release } from '#releases';
import { apiOver } from './testing/api.js';
import { DemoDays } from './testing/demo-days.js';
import { askGraphql } from './testing/graphql-client.js';

// Many whole runs and rebuilds, on a machine that may be busy.
jest.setTimeout(3_600_000);

/** Days that land before each run: thirty in all. */
const DAYS = process.env['SHOPSMART_LONG'] === undefined ? [1, 3, 6, 9, 11] : Array.from({ length: 30 }, () => 1);

/** A demo shop and the thirty days that follow, with a repair, a rollback and its restoration on the way. */
describe('thirty days of the demo shop', () => {
  let shop: DemoDays;
  let app: NestFastifyApplication;
  beforeAll(async () => {
    shop = await DemoDays.make();
    app = await apiOver(shop.demo);
  });
  afterAll(async () => {
    await app.close();
    await shop.demo.remove();
  });

  const proves = async () => {
    const { verdict, tables, checks } = await shop.prove();
    const wrong = tables.filter((table) => table.verdict !== 'same');
    const failed = checks.filter(({ passed }) => !passed);
    expect({ verdict, wrong, failed }).toEqual({ verdict: 'ok', wrong: [], failed: [] });
  };

  /** Sales by channel in a release, at every door, as text. */
  const figures = async (release: number) => {
    const rest = await app.inject(
      `/v1/products/fact_sales/aggregate?group=channel&measure=count(),sum(net_line_total)&sort=channel&decimals=string&release=${release}`,
    );
    const graphql = await askGraphql<{
      factSalesAggregate: { keys: { channel: string }; count: number; sum: { netLineTotal: string } }[];
    }>(
      app,
      `{ factSalesAggregate(groupBy: [channel], release: "${release}") { keys { channel } count sum { netLineTotal } } }`,
    );
    const settings = readSettings({
      SHOPSMART_LAKE: { value: `${shop.demo.folder}/lake`, from: 'the test' },
      SHOPSMART_DATA: { value: `${shop.demo.folder}/data`, from: 'the test' },
    });
    const opened = await openRelease(settings, release);
    try {
      await opened.seal();
      const sql = await opened.engine.query(
        'SELECT channel, count(*) AS count, sum(net_line_total) AS net FROM fact_sales GROUP BY channel ORDER BY channel',
      );
      return {
        rest: (JSON.parse(rest.body) as { data: Record<string, unknown>[] }).data.map(
          (row) => `${String(row['channel'])} ${String(row['count'])} ${String(row['sum_net_line_total'])}`,
        ),
        graphql: (graphql.data.factSalesAggregate ?? [])
          .map(({ keys, count, sum }) => `${keys.channel} ${count} ${sum.netLineTotal}`)
          .sort(),
        sql: sql.map(({ channel, count, net }) => `${String(channel)} ${String(count)} ${String(net)}`),
      };
    } finally {
      await opened.close();
    }
  };

  it('are proved after every step, and leave the figures of the first release at every door', async () => {
    const release = () => app.inject('/v1/releases/1');
    const unproved = await release();
    expect(unproved.json()).toMatchObject({ data: { id: 1, proof: null } });
    await proves();
    const proved = await release();
    expect(proved.json()).toMatchObject({ data: { proof: { verdict: 'ok', rows_differing: 0, failed_checks: [] } } });
    // current state: whoever kept the answer asks again, and is told
    expect(proved.headers).toMatchObject({ 'x-release': '1', 'cache-control': 'private, no-cache' });
    expect(proved.headers.etag).not.toBe(unproved.headers.etag);

    const first = await figures(1);
    expect(first.rest.length).toBeGreaterThan(1);
    expect(first).toEqual({ rest: first.sql, graphql: first.sql, sql: first.sql });

    let early: Release | undefined;
    for (const [step, days] of DAYS.entries()) {
      const asOf = await shop.next(days);
      await proves();
      if (step === 1) early = await shop.latest();
      if (step === 2 && early !== undefined) {
        await shop.demo.publish({ asOf, repairs: [await aRepair(shop)], skipLanding: true });
        await proves();
        const before = await shop.latest();

        await shop.rollBack(early.number);
        await proves();
        const back = await shop.latest();
        expect(back.as_of).toBe(early.as_of);
        expect(back.withdrawn.length).toBeGreaterThan(1);
        expect((await shop.diff(early, back)).filter((table) => !isStored(table))).toEqual([]);

        await shop.demo.publish({ asOf, restore: back.withdrawn, skipLanding: true });
        await proves();
        expect(await shop.diff(before, await shop.latest())).toEqual([]);
      }
    }
    const last = await shop.latest();
    expect(await figures(1)).toEqual(first);
    expect(await figures(last.number)).not.toEqual(first);
  });
});

/** Never rolled back: what came stays. */
function isStored(table: string): boolean {
  return table.startsWith('bronze/') && !table.startsWith('bronze/quarantine/');
}

/** Gives every order that came without a status one. */
async function aRepair(shop: DemoDays): Promise<NonNullable<RunOptions['repairs']>[number]> {
  const rejects = await shop.rows(
    `SELECT * FROM quarantine.orders WHERE list_contains(rules, 'required_order_status') AND superseded_by IS NULL`,
  );
  expect(rejects.length).toBeGreaterThan(0);
  return {
    format: 1,
    id: 'repair-1',
    source: 'orders',
    table: 'silver/orders',
    by: 'local',
    at: '2026-03-01T00:00:00.000Z',
    reason: 'delivered, says the carrier',
    records: rejects.map((reject, n) => {
      const fields = JSON.parse(String(reject['record'])) as Record<string, string | null>;
      return {
        id: `orders:1:${n + 1}`,
        superseded_by: null,
        original: {
          load: Number(reject['_batch_id']),
          file: String(reject['_source_file']),
          row: Number(reject['_source_row']),
          line: reject['_source_line'] === null ? null : Number(reject['_source_line']),
          loaded_at: String(reject['_loaded_at']),
          as_of: String(reject['_as_of']),
        },
        rules: reject['rules'] as string[],
        before: String(reject['record']),
        after: { fields: { ...fields, order_status: 'DELIVERED' }, rescued: null, record: null },
      };
    }),
  };
}
