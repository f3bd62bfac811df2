import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { findLandingFiles } from './landing.js';
import { events, LoadFixture, orderItems, orders } from './load-fixture.js';

describe('finding landing files', () => {
  let fixture: LoadFixture;
  beforeAll(async () => {
    fixture = await LoadFixture.open();
  });
  beforeEach(() => fixture.clear());
  afterAll(() => fixture.close());

  const paths = async (name: string): Promise<string[]> => {
    const { files } = await findLandingFiles(fixture.landing, [orders, orderItems, events]);
    return (files.get(name) ?? []).map((file) => file.path);
  };

  it('takes the source with the longest name, at any depth of its folder and at the top, in byte order', async () => {
    const all = [
      'orders.csv',
      'shop/orders.csv',
      'shop/a/b/orders-2.csv.gz',
      'shop/Z/orders.json',
      'order_items.csv',
      'shop/order_items_é.ndjson',
    ];
    for (const path of [...all, 'shop/notes.txt', 'shop/events.json', 'other/orders.csv', 'orders.xlsx'])
      fixture.put(path, 'x');
    expect(await paths('orders')).toEqual([
      'orders.csv',
      'shop/Z/orders.json',
      'shop/a/b/orders-2.csv.gz',
      'shop/orders.csv',
    ]);
    expect(await paths('order_items')).toEqual(['order_items.csv', 'shop/order_items_é.ndjson']);
    expect(await paths('events')).toEqual([]);
  });

  it('lets unfinished names wait and says so', async () => {
    for (const name of ['.orders.csv', '_orders.csv', 'orders.csv.tmp', 'orders.csv.part'])
      fixture.put(`shop/${name}`, 'x');
    const { files, waiting } = await findLandingFiles(fixture.landing, [orders]);
    expect(files.get('orders')).toEqual([]);
    expect(waiting.map(({ path }) => path)).toEqual([
      'shop/.orders.csv',
      'shop/_orders.csv',
      'shop/orders.csv.part',
      'shop/orders.csv.tmp',
    ]);
  });

  it('reports a folder named like a file, and finds what is in it', async () => {
    fixture.put('shop/orders.csv/orders_1.csv', 'x');
    const { files, skipped } = await findLandingFiles(fixture.landing, [orders]);
    expect(skipped).toEqual([{ path: 'shop/orders.csv', reason: 'it is a folder named like a file' }]);
    expect(files.get('orders')?.map(({ path }) => path)).toEqual(['shop/orders.csv/orders_1.csv']);
  });

  it('survives a folder that links to itself', async () => {
    fixture.put('shop/orders.csv', 'x');
    symlinkSync(`${fixture.landing}/shop`, `${fixture.landing}/shop/again`);
    expect(await paths('orders')).toEqual(['shop/orders.csv']);
  });

  it('fails on what it cannot read, naming all of it', async () => {
    fixture.put('shop/orders.csv', 'x');
    symlinkSync(`${fixture.landing}/nowhere`, `${fixture.landing}/shop/orders_2.csv`);
    mkdirSync(`${fixture.landing}/shop/locked`);
    chmodSync(`${fixture.landing}/shop/locked`, 0o000);
    const failure = findLandingFiles(fixture.landing, [orders]);
    await expect(failure).rejects.toMatchObject({ code: 'load.unreadable', kind: 'unavailable' });
    await expect(failure).rejects.toThrow('shop/orders_2.csv');
  });

  it('says so when there is no landing folder', async () => {
    await expect(findLandingFiles(`${fixture.landing}/none`, [orders])).rejects.toMatchObject({
      code: 'load.no_landing',
    });
  });
});
