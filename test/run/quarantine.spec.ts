import { jest } from '@jest/globals';
import type { QuarantinedRecord, RecordView, RepairAction, RuleCount } from '#pipeline';
import type { Ended } from '../cli/shopsmart.js';
import { countFiles, landSmallShop, Shop, type RunEnded } from './shop.js';

jest.setTimeout(300_000);

/** An order without a status, its line, and a line that is no record: all that a clerk mends before lunch. */
describe('a clerk at the quarantine', () => {
  const shop = Shop.make();
  const call = (...args: readonly string[]) => shop.call(['quarantine', ...args]);
  async function told<T>(...args: readonly string[]): Promise<T> {
    const { code, stdout, stderr } = await call(...args, '--json');
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}\n${stderr}`);
    return JSON.parse(stdout) as T;
  }
  const list = (...args: readonly string[]) =>
    told<{ records: readonly QuarantinedRecord[]; rules: readonly RuleCount[]; total: number }>('list', ...args);
  /** Rows of the tables that a repaired order reaches, as text. */
  const rows = (name: string) =>
    `SELECT '${name}' AS relation, CAST(t AS VARCHAR) AS line FROM (SELECT * EXCLUDE (_run_id) FROM ${name}) t`;
  const tables = async () => {
    const names = ['silver.orders', 'gold.fact_sales', 'gold.agg_daily_sales'];
    const stamped = names.map((name) => rows(name).replace('_run_id', '_run_id, _processed_at'));
    return shop.ask([...stamped, rows('quarantine.orders')].join(' UNION ALL ') + ' ORDER BY 1, 2');
  };
  const problem = ({ code, stderr }: Ended) => [code, /code: (\S+)/.exec(stderr)?.[1]];
  let before: unknown;
  let after: unknown;

  beforeAll(async () => {
    landSmallShop(shop);
    const fields =
      'order_id,customer_id,order_date,order_status,total_amount,discount_amount,shipping_amount,payment_method,channel,shipping_address_id,created_at,updated_at';
    shop.land(
      'source1_orders_pg/orders_more.csv',
      `${fields}\nO-3,C-1,2026-01-05 10:00:00,,45.00,0,5.00,card,web,A-1,2026-01-05,2026-01-06\n` +
        'O-4,C-1,2026-01-05 10:00:00,SHIPPED,12.00,0,2.00,ca,rd,web,A-1,2026-01-05,2026-01-06\n',
    );
    shop.land(
      'source1_orders_pg/order_items_more.csv',
      'item_id,order_id,product_id,quantity,unit_price,discount_percent,item_status,created_at\n' +
        'I-3,O-3,P-1,4,10.00,0,fulfilled,2026-01-05\nI-4,O-4,P-1,1,10.00,0,fulfilled,2026-01-05\n',
    );
    await shop.run();
    before = await tables();
  });
  afterAll(() => shop.remove());

  it('sees what was rejected, and why, field by field', async () => {
    const { records, rules, total } = await list('--table', 'orders');
    expect(total).toBe(2);
    expect(records.map(({ id, line, rules: broken }) => [id, line, broken])).toEqual([
      ['orders:1:3', 2, ['required_order_status']],
      ['orders:1:4', 3, ['malformed']],
    ]);
    expect(rules.map(({ rule, records: n }) => [rule, n])).toEqual([
      ['malformed', 1],
      ['required_order_status', 1],
    ]);
    const view = await told<RecordView>('show', 'orders:1:3');
    expect(view.reasons).toEqual([{ rule: 'required_order_status', description: 'order_status is missing' }]);
    const field = (name: string) => view.fields.find((one) => one.field === name);
    expect(field('order_status')).toEqual({
      field: 'order_status',
      text: '',
      parsed: null,
      broken: ['required_order_status'],
    });
    expect(field('created_at')).toMatchObject({ text: '2026-01-05', parsed: '2026-01-05T00:00:00Z', broken: [] });
    expect((await list('--text', 'o-4')).records.map(({ id }) => id)).toEqual(['order_items:1:4', 'orders:1:4']);
    expect((await list('--rule', 'order_missing', '--limit', '1')).records).toHaveLength(1);
  });

  it.each<[string, readonly string[], number, string]>([
    ['a field that is none', ['orders:1:3', '--set', 'order_state=SHIPPED'], 2, 'quarantine.unknown_field'],
    [
      'what would still be rejected',
      ['orders:1:3', '--set', 'order_status=SHIPPED', '--set', 'total_amount=much'],
      1,
      'quarantine.still_broken',
    ],
  ])('is refused %s', async (_, args, code, error) => {
    expect(problem(await call('repair', ...args))).toEqual([code, error]);
  });

  it('drafts repairs, and sees what they would do before anything moves', async () => {
    await told('repair', 'orders:1:3', '--set', 'order_status=PENDING');
    const better = await told<{ replaces: string; repair: { id: string } }>(
      'repair',
      'orders:1:3',
      '--set',
      'order_status=shipped',
      '--reason',
      'asked the shop',
    );
    expect([better.replaces, better.repair.id]).toEqual(['r1', 'r2']);
    const whole = {
      order_id: 'O-4',
      customer_id: 'C-1',
      order_date: '2026-01-05 10:00:00',
      order_status: 'SHIPPED',
      total_amount: '12.00',
      shipping_amount: '2.00',
      payment_method: 'card',
      channel: 'web',
    };
    await told('repair', 'orders:1:4', '--record', JSON.stringify(whole));
    const files = countFiles(shop.lake);
    const { plan } = await told<{
      plan: { tables: readonly { layer: string; table: string; inserted: number; deleted: number }[] };
    }>('preview');
    const moved = (name: string) => plan.tables.find((one) => `${one.layer}/${one.table}` === name);
    expect(moved('silver/orders')).toMatchObject({ inserted: 2 });
    expect(moved('gold/fact_sales')).toMatchObject({ inserted: 2 });
    expect(moved('bronze/quarantine/orders')).toMatchObject({ deleted: 2 });
    expect(countFiles(shop.lake)).toBe(files);
    expect(await tables()).toEqual(before);
  });

  it('replays them, and the lines of the orders come back by themselves', async () => {
    const report = await told<RunEnded['report']>('replay');
    const orders = report.tables.find(({ layer, table }) => layer === 'silver' && table === 'orders');
    expect(orders).toMatchObject({ rows_in: 2, rows_out: 2, duplicates: 0, quarantined: 0 });
    expect(orders?.cumulative).toEqual({ rows_in: 4, rows_out: 4, duplicates: 0, quarantined: 0 });
    after = await tables();
    const sales = await shop.ask('SELECT item_id, order_status FROM gold.fact_sales ORDER BY item_id');
    expect(sales.map((row) => Object.values(row))).toEqual([
      ['I-1', 'DELIVERED'],
      ['I-2', 'DELIVERED'],
      ['I-3', 'SHIPPED'],
      ['I-4', 'SHIPPED'],
    ]);
    expect((await list()).total).toBe(0);
    expect((await list('--state', 'repaired')).records.map(({ id, repair }) => [id, repair])).toEqual([
      ['orders:1:3', 'r2'],
      ['orders:1:4', 'r3'],
    ]);
    expect((await shop.call(['prove'])).code).toBe(0);
  });

  it('replays nothing twice, and a run over the same files finds nothing new', async () => {
    for (const args of [['replay'], ['replay', 'r2', 'r3']]) {
      expect(await told(...args)).toEqual({ repairs: [], left_out: [] });
    }
    expect((await shop.run()).report).toMatchObject({ mode: 'none', release: 2 });
  });

  it('takes a repair back, and lets it count again', async () => {
    await told('undo', 'r2');
    await told('undo', 'r3');
    expect(await tables()).toEqual(before);
    expect(problem(await call('undo', 'r2'))).toEqual([1, 'quarantine.undone']);
    await told('redo', 'r2');
    await told('redo', 'r3');
    expect(await tables()).toEqual(after);
  });

  it('finds everything in the log', async () => {
    const { actions } = await told<{ actions: readonly RepairAction[] }>('log');
    expect(actions.map(({ action, repairs, release }) => [action, repairs, release]).reverse()).toEqual([
      ['draft', ['r1'], null],
      ['drop', ['r1'], null],
      ['draft', ['r2'], null],
      ['draft', ['r3'], null],
      ['replay', ['r2', 'r3'], 2],
      ['undo', ['r2'], 3],
      ['undo', ['r3'], 4],
      ['redo', ['r2'], 5],
      ['redo', ['r3'], 6],
    ]);
    expect(actions.every(({ by }) => by === 'local')).toBe(true);
    expect(actions.find(({ action, repairs }) => action === 'draft' && repairs[0] === 'r2')).toMatchObject({
      reason: 'asked the shop',
      records: 1,
      changes: [{ id: 'orders:1:3', after: expect.stringContaining('"order_status":"shipped"') }],
    });
  });
});
