import type { PlanDesk } from '#platform';
import { apiOver, emptyLake } from '../testing/api.js';
import { FakePlanDesk } from '../testing/fake-plan-desk.js';
import { noPlanDesk } from './no-plan-desk.js';

let lake: Awaited<ReturnType<typeof emptyLake>>;
beforeAll(async () => {
  lake = await emptyLake();
});
afterAll(() => lake.remove());

/** Asks for a plan, then for the place that it is said to be at. */
async function planned(plans: PlanDesk, payload?: object) {
  const app = await apiOver(lake, { plans });
  const asked = await app.inject({
    method: 'POST',
    url: '/v1/admin/plan',
    ...(payload === undefined ? {} : { payload }),
  });
  const location = asked.headers['location'];
  const fetched = await app.inject(location ?? '/v1/admin/plans/none');
  await app.close();
  return { asked, location, fetched };
}

it('answers with the plan once it is made, decimals with all their digits, and keeps it where it says', async () => {
  const plan = '{"outcome":"publish","figures":{"moved":[{"after":{"net_revenue":12.50}}]}}';
  const { asked, location, fetched } = await planned(new FakePlanDesk(plan), {
    as_of: '2026-02-17',
    tables: ['fact_sales'],
  });
  expect(asked.statusCode).toBe(200);
  expect(location).toBe('/v1/admin/plans/plan-1');
  expect(asked.json()).toMatchObject({
    data: { state: 'planned', request: { as_of: '2026-02-17', tables: ['gold/fact_sales'] }, error: null },
  });
  expect(asked.body).toContain(plan);
  expect(fetched).toMatchObject({ statusCode: 200, body: asked.body });
});

it('says where a plan that takes longer will be', async () => {
  const { asked, fetched } = await planned(new FakePlanDesk(null));
  expect(asked.statusCode).toBe(202);
  expect(fetched.json()).toMatchObject({ data: { state: 'waiting', plan: null } });
});

it('refuses bodies that no run has, plans that there are not, and all while there is no queue', async () => {
  const wrong = await planned(new FakePlanDesk(), { as_of: 'soon', fast: true });
  expect(wrong.asked.json()).toMatchObject({ status: 400, errors: [{ pointer: '/as_of' }, { pointer: '/fast' }] });
  expect(wrong.fetched.json()).toMatchObject({ status: 404, code: 'plan-not-found' });
  expect((await planned(noPlanDesk)).asked.json()).toMatchObject({ status: 503, code: 'queue-unavailable' });
});
