import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DuckDbEngine } from '#engine';
import type { Repair, RunPlan } from '#pipeline';
import { QuarantineDesk, type Repairing, type RunRequest } from '#platform';
import { scopes, type Scope } from '../edge/caller.js';
import { apiOver } from '../testing/api.js';
import { DemoLake, testClock } from '../testing/demo-lake.js';

interface Listed {
  readonly data: readonly {
    readonly id: string;
    readonly state: string;
    readonly record: string | null;
    readonly pending: string | null;
  }[];
  readonly rules: readonly { readonly rule: string; readonly records: number }[];
  readonly page: { readonly next_cursor: string | null; readonly total: number };
}

interface Problem {
  readonly code: string;
  readonly errors?: readonly { readonly pointer?: string; readonly parameter?: string; readonly detail: string }[];
}

const CUSTOMER = { customer_id: 'MEND-1', first_name: 'Ada', email: 'ada@example.com', date_of_birth: '2999-12-01' };

/** A customer who is not born yet, and the demo shop's own rejects. */
describe('the quarantine over HTTP', () => {
  let shop: DemoLake;
  let desk: QuarantineDesk;
  let app: NestFastifyApplication;
  const planned: Repairing[] = [];
  const held = new Set<Scope>(scopes);

  beforeAll(async () => {
    shop = await DemoLake.make(0.5, '2025-12-01');
    await shop.land('source2_customers_api/customers_more.ndjson', `${JSON.stringify(CUSTOMER)}\n{"customer_id": \n`);
    await shop.publish();
    desk = new QuarantineDesk({
      open: {
        lake: shop.lake,
        workDir: `${shop.folder}/work`,
        openEngine: () => DuckDbEngine.open({ workDir: `${shop.folder}/work`, threads: 1, memoryLimit: '512MB' }),
      },
      catalogue: shop.catalogue,
      clock: testClock,
      plan: (asOf, repairing) => {
        planned.push(repairing);
        return Promise.resolve({ outcome: 'publish', as_of: asOf } as RunPlan);
      },
    });
    app = await apiOver(shop, { quarantine: desk, caller: { id: 'clerk', scopes: held } });
  });
  afterAll(async () => {
    await app.close();
    await desk.close();
    await shop.remove();
  });

  const ROOT = '/v1/admin/quarantine';
  const get = (path = '') => app.inject({ url: `${ROOT}${path}` });
  const post = (path: string, payload: object, headers: Record<string, string> = {}) =>
    app.inject({ method: 'POST', url: `${ROOT}${path}`, payload, headers });
  const list = async (query = '') => (await get(query)).json<Listed>();
  async function without<T>(scope: Scope, work: () => Promise<T>): Promise<T> {
    held.delete(scope);
    try {
      return await work();
    } finally {
      held.add(scope);
    }
  }
  /** What the worker does with a queued run. */
  async function replayed(request: RunRequest): Promise<void> {
    const repairs: Repair[] = [];
    for (const id of request.repairs ?? []) {
      repairs.push(JSON.parse(Buffer.from(await shop.lake.store.get(`_repairs/${id}.json`)).toString()) as Repair);
    }
    const { withdraw = [], restore = [] } = request;
    await shop.publish({ repairs, withdraw, restore, skipLanding: true });
  }

  it('lists page by page, as current state: of no release, with a weak ETag', async () => {
    const first = await get('?table=orders&limit=2');
    expect(first.statusCode).toBe(200);
    expect(first.headers['etag']).toMatch(/^W\//);
    expect(first.headers['x-release']).toBeUndefined();
    const { data, rules, page } = first.json<Listed>();
    expect(rules.reduce((sum, { records }) => sum + records, 0)).toBe(page.total);
    const ids = data.map(({ id }) => id);
    for (let next = page.next_cursor; next !== null;) {
      const more = await list(`?table=orders&limit=2&cursor=${next}`);
      ids.push(...more.data.map(({ id }) => id));
      next = more.page.next_cursor;
    }
    expect(new Set(ids).size).toBe(page.total);
    expect((await get(`?table=products&cursor=${page.next_cursor}`)).json<Problem>().code).toBe('cursor-mismatch');
  });

  it('shows people only to those who may see them', async () => {
    const id = (await list('?table=customers&rule=born_in_future')).data[0]?.id ?? '';
    expect((await get(`/${id}`)).body).toContain('ada@example.com');
    await without('pii:read', async () => {
      for (const path of ['?table=customers', `/${id}`]) {
        const { body } = await get(path);
        expect(body).toContain('MEND-1');
        for (const secret of ['ada@', 'Ada', '2999']) expect(body).not.toContain(secret);
      }
      const malformed = (await list('?table=customers&rule=malformed')).data;
      expect(malformed.map(({ record }) => record)).toEqual([null]);
      const searched = await get('?text=ada');
      expect([searched.statusCode, searched.json<Problem>().code]).toEqual([403, 'pii-scope-required']);
    });
    await without('runs:admin', async () => expect((await get()).statusCode).toBe(403));
  });

  it.each([
    ['?state=lost', 400, 'state'],
    ['?table=gold/dim_date', 400, 'table'],
    ['?colour=red', 400, 'colour'],
    ['/orders', 400, 'id'],
    ['/orders:1:999999999', 404, undefined],
  ])('refuses %s with %i, naming what is wrong', async (path, status, parameter) => {
    const answer = await get(path);
    expect([answer.statusCode, answer.json<Problem>().errors?.[0]?.parameter]).toEqual([status, parameter]);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
  });

  it.each([
    ['a field that is none', { set: { birthday: '1999-12-01' } }, '/birthday'],
    ['what would still be rejected', { set: { date_of_birth: 'soon' } }, '/set'],
    ['a property that is none', { sets: {} }, '/sets'],
    ['a number for text', { set: { gender: 1 } }, '/set/gender'],
  ])('refuses a repair with %s, naming it', async (_, body, pointer) => {
    const id = (await list('?table=customers&rule=born_in_future')).data[0]?.id ?? '';
    const answer = await post(`/${id}/repair`, body);
    expect([answer.statusCode, answer.json<Problem>().errors?.[0]?.pointer]).toEqual([400, pointer]);
  });

  it('repairs, previews, replays and undoes', async () => {
    const id = (await list('?table=customers&rule=born_in_future')).data[0]?.id ?? '';
    const drafted = await post(`/${id}/repair`, { set: { date_of_birth: '1999-12-01' }, reason: 'typed wrong' });
    expect(drafted.statusCode).toBe(201);
    const { repair } = drafted.json<{ data: { repair: string } }>().data;
    await without('pii:read', async () => {
      for (const path of ['/repairs', '/audit']) expect((await get(path)).body).not.toContain('1999');
    });
    expect((await list('?table=customers&rule=born_in_future')).data[0]?.pending).toBe(repair);
    expect((await post('/preview', {})).json<{ data: { repairs: string[] } }>().data.repairs).toEqual([repair]);
    expect(planned[0]?.repairs.map((one) => one.id)).toEqual([repair]);

    const key = { 'Idempotency-Key': 'once' };
    const queued = await post('/replay', { repairs: [repair] }, key);
    const run = queued.json<{ data: { run_id: string; request: RunRequest } }>().data;
    expect([queued.statusCode, queued.headers['location']]).toEqual([202, `/v1/admin/runs/${run.run_id}`]);
    expect(run.request).toEqual({ as_of: '2026-02-17', repairs: [repair] });
    await replayed(run.request);
    const again = await post('/replay', { repairs: [repair] }, key);
    expect(again.json<{ data: { run_id: string } }>().data.run_id).toBe(run.run_id);
    expect((await post('/replay', {})).json()).toEqual({ data: null, left_out: [] });
    expect((await list(`?table=customers&state=repaired`)).data.map((one) => one.id)).toEqual([id]);

    const undo = await post('/undo', { repair });
    await replayed(undo.json<{ data: { request: RunRequest } }>().data.request);
    expect((await list('?table=customers&rule=born_in_future')).data.map((one) => one.state)).toEqual(['open']);
    expect((await post('/undo', { repair })).statusCode).toBe(409);
  });

  it('repairs every open record of a rule, and drops what is not wanted', async () => {
    const { total } = (await list('?table=orders&rule=required_order_status')).page;
    const drafted = await post('/repair', { rule: 'required_order_status', set: { order_status: 'PENDING' } });
    const { data } = drafted.json<{ data: { repair: string; records: number } }>();
    expect(data.records).toBe(total);
    const dropped = await app.inject({ method: 'DELETE', url: `${ROOT}/repairs/${data.repair}` });
    expect(dropped.statusCode).toBe(200);
    expect((await get('/repairs')).json<{ data: unknown[] }>().data).toEqual([]);
    const { data: actions } = (await get('/audit')).json<{
      data: { action: string; by: string; repairs: string[] }[];
    }>();
    expect(actions[0]).toMatchObject({ action: 'drop', by: 'clerk', repairs: [data.repair] });
  });
});
