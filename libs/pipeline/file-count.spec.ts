import type { Action, Add } from '#delta';
import { Workshop } from './testing/small-lake.js';

const RUNS = process.env['SHOPSMART_LONG'] === '1' ? 300 : 16;

const workshop = new Workshop();
afterAll(() => workshop.close());

describe('a lake after many small runs', () => {
  it(
    'has few files a table, still says which rows came, and keeps every release as it was',
    async () => {
      const lake = workshop.lake();
      const first: unknown[] = [];
      for (let n = 1; n <= RUNS; n++) {
        lake.land(`shop/orders_${n}.csv`, [
          { order: `o${n}`, placedOn: `2026-0${1 + (n % 2)}-0${1 + (n % 9)}`, updatedAt: '2026-02-01T00:00:00Z' },
          { order: `wrong${n}`, amount: '-1' },
        ]);
        expect((await lake.run()).outcome).toBe('published');
        if (n === 10) first.push(await lake.content(await lake.latest()));
      }
      const releases = await lake.releases();
      const latest = await lake.latest();
      const partitions: Readonly<Record<string, number>> = { 'silver/orders': 2, 'gold/daily_sales': 2 };
      for (const table of Object.keys(latest.tables)) {
        const files = await lake.files(latest, table);
        expect([table, files.length <= (Math.log2(RUNS) + 3) * (partitions[table] ?? 1)]).toEqual([table, true]);
      }
      const content = await lake.content(latest);
      expect(content['bronze/orders']).toHaveLength(2 * RUNS);
      expect(content['bronze/loads']).toHaveLength(RUNS);
      expect(content['silver/orders']).toHaveLength(RUNS);
      expect(content['bronze/quarantine/orders']).toHaveLength(RUNS);
      expect(await lake.content(releases[9] ?? latest)).toEqual(first[0]);
    },
    RUNS * 5_000,
  );

  it('tells those who follow bronze that merged files are no change of the data', async () => {
    const lake = workshop.lake();
    for (let n = 1; n <= 3; n++) {
      lake.land(`shop/orders_${n}.csv`, [{ order: `o${n}` }]);
      await lake.run();
    }
    const log = (await lake.paths('bronze/orders/_delta_log/')).filter((path) => path.endsWith('.json')).sort();
    const last = Buffer.from(await lake.store.get(log.at(-1) ?? '')).toString('utf8');
    const actions = last
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Action);
    expect(actions.flatMap((action) => ('remove' in action ? [action.remove.dataChange] : []))).toEqual([false, false]);
    const added = actions.flatMap((action) => ('add' in action ? [action.add] : []));
    const rows = ({ stats = '{}' }: Add) => (JSON.parse(stats) as { numRecords?: number }).numRecords;
    expect(added.map((add) => [add.dataChange, rows(add)])).toEqual([
      [true, 1],
      [false, 2],
    ]);
  });
});
