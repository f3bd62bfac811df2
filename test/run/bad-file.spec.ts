import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { jest } from '@jest/globals';
import type { Row } from '../delta-rs/delta-rs.js';
import { landSmallShop, orderRecord, ordersCsv, Shop, type RunEnded } from './shop.js';

// Whole runs, on a machine that may be busy.
jest.setTimeout(300_000);

const orders = (name: string) => `source1_orders_pg/orders_${name}.csv`;
const customers = (name: string) => `source2_customers_api/customers_${name}`;

/** A good release, then one run over a file of each bad kind: the tests look at what became of each. */
describe('a run over bad files', () => {
  const shop = Shop.make();
  let ended: RunEnded;
  let rejected: readonly Row[];
  let kept: readonly string[];
  const file = (path: string) => ended.report.files.find((one) => one.path === path);
  /** Places and first characters of what was rejected of a file. */
  const rejectsOf = (path: string) =>
    rejected
      .filter((row) => row['_source_file'] === path)
      .map(({ rules, _source_row, _source_line, record }) => ({ rules, _source_row, _source_line, record }));

  beforeAll(async () => {
    landSmallShop(shop);
    await shop.run();
    const whole = ordersCsv('UTF-1', 'UTF-2');
    shop.land(orders('malformed'), `${ordersCsv('CSV-1')}too,few\n${orderRecord('CSV-2')}\n`);
    shop.land(orders('latin1'), Buffer.from(ordersCsv('LAT-1', 'LAT-\u00e9', 'LAT-2'), 'latin1'));
    shop.land(orders('utf16'), Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(whole, 'utf16le')]));
    shop.land(orders('bom'), `\u{feff}${ordersCsv('BOM-1').replaceAll('\n', '\r\n')}`);
    shop.land(orders('empty'), '');
    shop.land(orders('header'), ordersCsv());
    shop.land(orders('missing'), 'order_id,customer_id,order_status,total_amount\nMIS-1,C-1,PAID,3\n');
    shop.land(orders('extra'), ordersCsv('EXT-1').replace(/^(.*)\n(.*)/, '$1,gift_note\n$2,"to, you"'));
    shop.land(orders('values'), ordersCsv('VAL-1').replace('25.00', '1,5').replace('1,5', '"1,5"'));
    shop.land('source1_orders_pg/orders_now.csv.tmp', ordersCsv('TMP-1'));
    mkdirSync(join(shop.landing, orders('folder')));
    shop.land(`${orders('folder')}/orders_inside.csv`, ordersCsv('DIR-1'));
    shop.land(customers('lines.json'), '{"customer_id":"L-1"}\n{"customer_id":\n[1]\n{"customer_id":"L-2"}\n');
    shop.land(customers('broken.json'), '[{"customer_id":"B-1"},\n{"customer_id":"B-2"},\n{"customer_id":"B-3","fir');
    const cut = gzipSync(
      Array.from({ length: 5000 }, (_, n) => `{"customer_id":"Z-${n}","last_name":"${(n * 7919) % 10007}"}\n`).join(''),
    );
    shop.land(customers('cut.json.gz'), cut.subarray(0, cut.length / 2));
    ended = await shop.run();
    rejected = await shop.ask(
      'SELECT * FROM (SELECT * FROM quarantine.orders UNION ALL SELECT * FROM quarantine.customers) ORDER BY _source_file, _source_row',
    );
    kept = (
      await shop.ask('SELECT order_id AS id FROM silver.orders UNION ALL SELECT customer_id FROM silver.customers')
    ).map(({ id }) => String(id));
  });
  afterAll(() => shop.remove());

  it('ends with 0 and the next release, and keeps the last one readable', async () => {
    expect({ code: ended.code, release: ended.report.release }).toEqual({ code: 0, release: 2 });
    expect(await shop.ask('SELECT count(*) AS n FROM silver.orders', '--release', '1')).toEqual([{ n: 2 }]);
  });

  it('keeps a CSV record with another number of fields as malformed, with its line, and both its neighbours', () => {
    expect(file(orders('malformed'))).toMatchObject({ outcome: 'loaded', records: 3, malformed: 1 });
    expect(file(orders('malformed'))?.note).toContain('1 of 3 records cannot be read');
    expect(rejectsOf(orders('malformed'))).toEqual([
      { rules: ['malformed'], _source_row: 2, _source_line: 3, record: 'too,few' },
    ]);
    expect(kept).toEqual(expect.arrayContaining(['CSV-1', 'CSV-2']));
  });

  it('keeps a record with bytes that are not UTF-8 as malformed', () => {
    expect(rejectsOf(orders('latin1'))).toMatchObject([{ rules: ['malformed'], _source_row: 2, _source_line: 3 }]);
    expect(kept).toEqual(expect.arrayContaining(['LAT-1', 'LAT-2']));
  });

  it('rejects a UTF-16 file as a whole', () => {
    expect(file(orders('utf16'))).toMatchObject({ outcome: 'loaded', records: 1, malformed: 1 });
    expect(rejectsOf(orders('utf16'))).toMatchObject([{ rules: ['malformed'] }]);
    expect(kept.filter((id) => id.startsWith('UTF'))).toEqual([]);
  });

  it('reads past a byte-order mark and CRLF', () => {
    expect(file(orders('bom'))).toMatchObject({ records: 1, malformed: 0, note: null });
    expect(kept).toContain('BOM-1');
  });

  it('reports an empty file and a header without rows, and asks for neither again', async () => {
    expect(file(orders('empty'))).toMatchObject({ outcome: 'loaded', records: 0, malformed: 0 });
    // To the ledger a header is another sequence of bytes, to the table it is nothing.
    expect(file(orders('header'))).toMatchObject({ outcome: 'loaded', records: 0, malformed: 0 });
    const { report } = await shop.run();
    expect(report).toMatchObject({ mode: 'none', release: 2 });
    expect(report.files.map(({ outcome }) => outcome).sort()).toEqual(['skipped', 'waiting']);
  });

  it('names the columns that a file lacks; what a rule needs of them, the record breaks', () => {
    expect(file(orders('missing'))?.note).toMatch(/order_date/);
    expect(rejectsOf(orders('missing'))).toMatchObject([{ _source_row: 1, _source_line: 2 }]);
    expect(String(rejectsOf(orders('missing'))[0]?.rules)).toContain('order_date');
  });

  it('keeps the columns that the contract does not name, and reports them', async () => {
    expect(file(orders('extra'))?.note).toContain('gift_note');
    expect(kept).toContain('EXT-1');
    expect(await shop.ask("SELECT _rescued FROM bronze.orders WHERE order_id = 'EXT-1'")).toEqual([
      { _rescued: '{"gift_note":"to, you"}' },
    ]);
  });

  it('names the field that does not parse', () => {
    expect(rejectsOf(orders('values'))).toMatchObject([{ rules: [expect.stringContaining('total_amount')] }]);
  });

  it('leaves alone what is not finished, and a folder named like a file, but takes what is in the folder', () => {
    expect(file('source1_orders_pg/orders_now.csv.tmp')).toMatchObject({ outcome: 'waiting' });
    expect(file(orders('folder'))).toMatchObject({ outcome: 'skipped', note: 'it is a folder named like a file' });
    expect(kept).toContain('DIR-1');
    expect(kept).not.toContain('TMP-1');
  });

  it('keeps JSON lines that are no objects as malformed, in their place', () => {
    expect(rejectsOf(customers('lines.json'))).toEqual([
      { rules: ['malformed'], _source_row: 2, _source_line: 2, record: '{"customer_id":' },
      { rules: ['malformed'], _source_row: 3, _source_line: 3, record: '[1]' },
    ]);
    expect(kept).toEqual(expect.arrayContaining(['L-1', 'L-2']));
  });

  it('keeps the records before the break of an array, and one reject for the rest', () => {
    expect(rejectsOf(customers('broken.json'))).toMatchObject([
      { rules: ['malformed'], _source_row: 3, record: '{"customer_id":"B-3","fir' },
    ]);
    expect(kept).toEqual(expect.arrayContaining(['B-1', 'B-2']));
  });

  it('keeps what a gzip file cut short still holds, and one reject for the rest', () => {
    const whole = kept.filter((id) => id.startsWith('Z-'));
    expect(whole.length).toBeGreaterThan(500);
    expect(whole.length).toBeLessThan(5000);
    expect(rejectsOf(customers('cut.json.gz'))).toMatchObject([
      { rules: ['malformed'], _source_row: whole.length + 1 },
    ]);
  });

  it('neither loses nor doubles a record', () => {
    expect(new Set(kept).size).toBe(kept.length);
    const loaded = ended.report.files.reduce((sum, { records }) => sum + records, 0);
    const grown = ended.report.tables
      .filter(({ layer, table }) => layer === 'bronze' && ['orders', 'customers'].includes(table))
      .reduce((sum, { inserted }) => sum + inserted, 0);
    expect(grown).toBe(loaded);
    for (const { table, rows_in, rows_out, duplicates, quarantined } of ended.report.tables)
      if (rows_in !== null)
        expect([table, rows_in]).toEqual([table, (rows_out ?? 0) + (duplicates ?? 0) + (quarantined ?? 0)]);
  });
});
