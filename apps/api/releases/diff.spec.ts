import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { apiOver } from '../testing/api.js';
import { DemoLake } from '../testing/demo-lake.js';

let shop: DemoLake;
let app: NestFastifyApplication;

beforeAll(async () => {
  shop = await DemoLake.make();
  await shop.publishMore();
  await shop.answers.refresh();
  app = await apiOver(shop);
}, 300_000);
afterAll(async () => {
  await app.close();
  await shop.remove();
});

const ask = async (path: string, headers: Record<string, string> = {}) => {
  const { statusCode, headers: answered, body } = await app.inject({ url: `/v1/releases/${path}`, headers });
  return { status: statusCode, headers: answered, body, json: body === '' ? undefined : (JSON.parse(body) as Answer) };
};

interface Answer {
  readonly data: { readonly tables: readonly { table: string; added: number }[]; readonly daily: Daily };
  readonly page: { readonly next_cursor: string | null };
  readonly code?: string;
}
interface Daily {
  readonly total: number;
  readonly causes: readonly { cause: string; change: Record<string, number> }[];
  readonly days: readonly { key: object; change: Record<string, number>; causes: Daily['causes'] }[];
}

it('answers what differs between two releases, by cause and for ever the same', async () => {
  const { status, headers, json, body } = await ask('1/diff/2');
  expect(status).toBe(200);
  expect(headers).toMatchObject({ 'x-release': '2', 'cache-control': 'private, immutable' });
  const { tables = [], daily } = json?.data ?? {};
  expect(tables.find(({ table }) => table === 'gold/fact_sales')).toMatchObject({ added: 1, removed: 0 });
  expect(daily?.total).toBe(1);
  expect(daily?.days[0]?.causes).toHaveLength(1);
  expect(daily?.days[0]?.causes[0]?.change).toEqual(daily?.days[0]?.change);
  expect(body).toMatch(/"change":\{"net_revenue":\d+\.\d\d,/);
  expect((await ask('1/diff/2')).body).toBe(body);
  expect(await ask('1/diff/2', { 'if-none-match': String(headers['etag']) })).toMatchObject({ status: 304, body: '' });

  const back = await ask('2/diff/1');
  expect(back.json?.data.daily.days[0]?.change['net_revenue']).toBe(-Number(daily?.days[0]?.change['net_revenue']));
  expect((await ask('2/diff/2')).json?.data).toMatchObject({ tables: [], daily: { total: 0, days: [] } });
});

it('refuses releases that there are not, limits above the greatest, and cursors of other releases', async () => {
  expect(await ask('1/diff/9')).toMatchObject({ status: 404, json: { code: 'release-not-found' } });
  expect(await ask('1/diff/x')).toMatchObject({ status: 404 });
  expect(await ask('1/diff/2?limit=10001')).toMatchObject({ status: 400 });
  expect(await ask('1/diff/2?cursor=2-1-1')).toMatchObject({ status: 400, json: { code: 'cursor-mismatch' } });
  expect((await ask('1/diff/2?cursor=1-2-1')).json?.data.daily).toMatchObject({ total: 1, days: [] });
});
