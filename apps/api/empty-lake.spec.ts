import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { noRunDesk } from './runs/no-run-desk.js';
import { apiOver, emptyLake } from './testing/api.js';

describe('the api before the first release', () => {
  let lake: Awaited<ReturnType<typeof emptyLake>>;
  let app: NestFastifyApplication;

  beforeAll(async () => {
    lake = await emptyLake();
    app = await apiOver(lake);
  });

  afterAll(async () => {
    await app.close();
    await lake.remove();
  });

  it('lives, is not ready, and says why', async () => {
    expect((await app.inject('/health/live')).json()).toEqual({ status: 'ok' });
    const ready = await app.inject('/health/ready');
    expect(ready.statusCode).toBe(503);
    expect(ready.json()).toEqual({ status: 'unavailable', release: null, store: true, records: true, queue: true });
  });

  it('answers questions about rows with 503, and when to ask again', async () => {
    const { statusCode, headers, body } = await app.inject('/v1/products/fact_sales/rows');
    expect(statusCode).toBe(503);
    expect(headers['retry-after']).toBe('5');
    expect(JSON.parse(body)).toMatchObject({ code: 'release-none', type: '/problems/release-none' });
  });

  it('shows contracts and an empty list of releases all the same', async () => {
    const products = (await app.inject('/v1/products')).json<{ data: { name: string; freshness: unknown }[] }>();
    expect(products.data).toHaveLength(7);
    expect(products.data.every(({ freshness }) => freshness === null)).toBe(true);
    expect((await app.inject('/v1/releases')).json()).toEqual({ data: [], page: { next_cursor: null } });
  });
});

describe('runs over HTTP', () => {
  let lake: Awaited<ReturnType<typeof emptyLake>>;
  let app: NestFastifyApplication;
  const ask = (payload: object, headers = {}) =>
    app.inject({ method: 'POST', url: '/v1/admin/runs', payload, headers });

  beforeAll(async () => {
    lake = await emptyLake();
    app = await apiOver(lake);
  });

  afterAll(async () => {
    await app.close();
    await lake.remove();
  });

  it('are asked for, found at their Location, listed in pages and cancelled once', async () => {
    const asked = await ask({ as_of: '2026-02-17', tables: ['fact_sales', 'silver/orders'], reason: 'a test' });
    expect(asked.statusCode).toBe(202);
    const location = String(asked.headers.location);
    const found = await app.inject(location);
    expect(found.headers['cache-control']).toBe('private, no-cache');
    expect(found.headers.etag).toMatch(/^W\//);
    expect(found.headers['x-release']).toBeUndefined();
    expect(found.json()).toMatchObject({
      data: {
        requested_by: 'local',
        request: { as_of: '2026-02-17', tables: ['gold/fact_sales', 'silver/orders'], reason: 'a test' },
        report: null,
      },
    });
    await app.inject({ method: 'POST', url: '/v1/admin/runs' });
    const page = (await app.inject('/v1/admin/runs?limit=1')).json<{ page: { next_cursor: string } }>();
    const rest = await app.inject(`/v1/admin/runs?limit=1&cursor=${page.page.next_cursor}`);
    expect(rest.json()).toMatchObject({ data: [{ request: { reason: 'a test' } }], page: { next_cursor: null } });
    const cancel = () => app.inject({ method: 'POST', url: `${location}/cancel` });
    expect((await cancel()).json()).toMatchObject({ data: { state: 'cancelled' } });
    const again = await cancel();
    expect([again.statusCode, again.json<{ code: string }>().code]).toEqual([409, 'run-ended']);
  });

  it('are made once for one Idempotency-Key, which cannot be used for another request', async () => {
    const key = { 'idempotency-key': 'one' };
    const first = await ask({ full: true }, key);
    expect((await ask({ full: true }, key)).json()).toEqual(first.json());
    const other = await ask({ full: false }, key);
    expect([other.statusCode, other.json<{ code: string }>().code]).toEqual([422, 'run-idempotency-mismatch']);
  });

  it('are refused with the name of every wrong field', async () => {
    const { statusCode, body } = await ask({
      as_of: '2026-02-30',
      full: 'yes',
      tables: ['fact_sales', 'no'],
      whole: 1,
    });
    expect(statusCode).toBe(400);
    const { errors } = JSON.parse(body) as { errors: { pointer: string }[] };
    expect(errors.map(({ pointer }) => pointer).sort()).toEqual(['/as_of', '/full', '/tables/1', '/whole']);
    for (const reason of ['\0', '\ud800']) {
      expect((await ask({ reason })).json()).toMatchObject({ errors: [{ pointer: '/reason' }] });
    }
    expect((await app.inject('/v1/admin/runs?cursor=%00')).json()).toMatchObject({ errors: [{ parameter: 'cursor' }] });
    const key = await ask({}, { 'idempotency-key': 'ä' });
    expect(key.json()).toMatchObject({ errors: [{ parameter: 'Idempotency-Key' }] });
  });

  it('are 503 without a database, while the rest goes on', async () => {
    const alone = await apiOver(lake, { runs: noRunDesk });
    const { statusCode, body } = await alone.inject('/v1/admin/runs');
    expect([statusCode, (JSON.parse(body) as { code: string }).code]).toEqual([503, 'records-unavailable']);
    expect((await alone.inject('/v1/products')).statusCode).toBe(200);
    await alone.close();
  });
});
