import { appendFileSync, closeSync, openSync, readdirSync, utimesSync, writeSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { Engine } from '#engine';
import { LakeError } from '#errors';
import { events, LoadFixture, orders, type BronzeRow } from './load-fixture.js';

const header = 'order_id,note,total\n';

describe('loading a source', () => {
  let fixture: LoadFixture;
  beforeAll(async () => {
    fixture = await LoadFixture.open();
  });
  beforeEach(() => fixture.clear());
  afterAll(() => fixture.close());
  afterEach(() => expect(readdirSync(fixture.work).filter((name) => name.startsWith('split-'))).toEqual([]));

  const brief = (rows: readonly BronzeRow[]): unknown[] =>
    rows.map((row) => [
      row['_source_row'],
      row['_source_line'],
      row['_malformed'],
      row['order_id'] ?? row['event_id'] ?? null,
      row['note'],
    ]);

  it('keeps CSV text as it came, with its place and what every record carries', async () => {
    fixture.put('shop/2026/orders.csv', `${header} A1 , x ,1.500\nA2,,\n`);
    const { rows, ledger, records } = await fixture.load(orders);
    expect(rows).toEqual([
      {
        order_id: ' A1 ',
        note: ' x ',
        total: '1.500',
        _rescued: null,
        _record: null,
        _malformed: false,
        _source_file: 'shop/2026/orders.csv',
        _source_row: '1',
        _source_line: '2',
        _loaded_at: '2026-02-18T03:04:05.678Z',
        _batch_id: '7',
        _as_of: '2026-02-17',
      },
      expect.objectContaining({ order_id: 'A2', note: '', total: '', _source_row: '2', _source_line: '3' }),
    ]);
    expect(records).toBe(2);
    expect(ledger).toEqual([
      expect.objectContaining({
        path: 'shop/2026/orders.csv',
        records: 2,
        row_offset: 0,
        malformed: 0,
        load: 7,
        drift: null,
      }),
    ]);
  });

  it('reads quoted commas, quotes and line breaks, a byte-order mark, CRLF and blank lines', async () => {
    fixture.put('orders.csv', '\ufefforder_id,note,total\r\n\r\n1,"a, ""b""\r\nc",2\r\n\r\n2,"",3\r\n');
    const { rows, malformed } = await fixture.load(orders);
    expect(malformed).toBe(0);
    expect(brief(rows)).toEqual([
      ['1', '3', false, '1', 'a, "b"\r\nc'],
      ['2', '6', false, '2', ''],
    ]);
  });

  it('keeps a malformed CSV record as its text and loses none of its neighbours', async () => {
    fixture.put(
      'orders.csv',
      `${header}1,a,1\n2,b\n3,c"d,3\n4,"open,4\n5,e,5\n6,"x"y,6\n7,f,7,8\n8,"never closed\n9,g,9`,
    );
    const { rows, malformed, problems } = await fixture.load(orders);
    expect(rows.map((row) => row['order_id'] ?? row['_record'])).toEqual([
      '1',
      '2,b',
      '3,c"d,3',
      '4,"open,4',
      '5',
      '6,"x"y,6',
      '7,f,7,8',
      '8,"never closed',
      '9',
    ]);
    expect(rows.map((row) => row['_source_line'])).toEqual(['2', '3', '4', '5', '6', '7', '8', '9', '10']);
    expect(malformed).toBe(6);
    expect(problems).toEqual([
      { path: 'orders.csv', message: expect.stringContaining('6 of 9 records cannot be read') },
    ]);
  });

  it('keeps bytes that are not UTF-8 as a malformed record', async () => {
    fixture.put(
      'orders.csv',
      Buffer.concat([Buffer.from(`${header}1,a,1\n2,`), Buffer.from([0xe9]), Buffer.from(',2\n3,c,3\n')]),
    );
    const { rows } = await fixture.load(orders);
    expect(brief(rows)).toEqual([
      ['1', '2', false, '1', 'a'],
      ['2', '3', true, null, null],
      ['3', '4', false, '3', 'c'],
    ]);
    expect(rows[1]?.['_record']).toBe('2,\ufffd,2');
  });

  it('takes a UTF-16 file as one malformed record that can be read', async () => {
    fixture.put('orders.csv', Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(`${header}1,a,1\n`, 'utf16le')]));
    const { rows } = await fixture.load(orders);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ _malformed: true, order_id: null });
    expect(rows[0]?.['_record']).toContain('order_id,note,total\n1,a,1');
  });

  it('rescues columns the contract does not name, and leaves missing ones empty', async () => {
    fixture.put('orders_1.csv', 'note,coupon,order_id\nx,C-1,1\n');
    fixture.put('orders_2.csv', 'note,coupon,order_id\n"x",C-2,1\n');
    const { rows, drift, ledger } = await fixture.load(orders);
    expect(rows.map((row) => row['_rescued'])).toEqual(['{"coupon":"C-1"}', '{"coupon":"C-2"}']);
    expect(rows.map((row) => row['total'])).toEqual([null, null]);
    expect(drift).toEqual(
      ['orders_1.csv', 'orders_2.csv'].map((path) => ({ path, fields: ['coupon'], missing: ['total'] })),
    );
    expect(ledger.map((row) => [row.row_offset, row.drift])).toEqual([
      [0, '{"unexpected":["coupon"],"missing":["total"]}'],
      [1, '{"unexpected":["coupon"],"missing":["total"]}'],
    ]);
  });

  it('records an empty file and a header without rows, and writes nothing for them', async () => {
    fixture.put('orders_1.csv', '');
    fixture.put('orders_2.csv', header);
    fixture.put('orders_3.csv.gz', '');
    fixture.put('orders_4.csv', '"order_id",note,total');
    const { rows, ledger, written, problems } = await fixture.load(orders);
    expect([rows, written, problems]).toEqual([[], [], []]);
    expect(ledger.map((row) => [row.path, row.records])).toEqual([
      ['orders_1.csv', 0],
      ['orders_2.csv', 0],
      ['orders_4.csv', 0],
    ]);
  });

  it('keeps JSON records verbatim and numbers as their text, an exponent written out', async () => {
    const lines = [
      '{"event_id": "e1", "amount": 1e3, "geo": {"city": "Z\\u00fcrich"}, "new": [1, 2]}',
      '{"event_id":2.50,"amount":null,"note":true}',
    ];
    fixture.put('clicks/events.json', lines.join('\n'));
    const { rows, drift } = await fixture.load(events);
    expect(rows.map((row) => row['_record'])).toEqual(lines);
    expect(rows[0]).toMatchObject({
      event_id: 'e1',
      amount: '1000',
      geo: '{"city":"Zürich"}',
      note: null,
      _rescued: '{"new":[1,2]}',
    });
    expect(rows[1]).toMatchObject({ event_id: '2.50', amount: null, note: 'true', _source_line: '2' });
    expect(drift).toEqual([{ path: 'clicks/events.json', fields: ['new'], missing: [] }]);
  });

  it('keeps malformed JSON lines in their place', async () => {
    fixture.put('events.ndjson', '{"event_id":1}\n\nnot json\n[1]\n{"event_id":2,}\n{"event_id":3}\n"text"\n');
    const { rows, malformed } = await fixture.load(events);
    expect(brief(rows)).toEqual([
      ['1', '1', false, '1', null],
      ['2', '3', true, null, null],
      ['3', '4', true, null, null],
      ['4', '5', true, null, null],
      ['5', '6', false, '3', null],
      ['6', '7', true, null, null],
    ]);
    expect(malformed).toBe(4);
  });

  it('reads an array written over many lines, elements that are no objects included', async () => {
    fixture.put(
      'events.json',
      '\ufeff [\n {\n "event_id": "]",\n "geo": [ {"a": "}\\""} ]\n },\n 5, "x", null, [1],\n {"event_id":"e2"} ]\n',
    );
    const { rows, malformed } = await fixture.load(events);
    expect(rows.map((row) => row['event_id'] ?? row['_record'])).toEqual([']', '5', '"x"', 'null', '[1]', 'e2']);
    expect(rows.every((row) => row['_source_line'] === null)).toBe(true);
    expect(malformed).toBe(4);
    expect(rows[0]?.['geo']).toBe('[{"a":"}\\""}]');
  });

  it.each([
    ['an open object', '[{"event_id":1},{"event_id":2},{"event_id":', '{"event_id":'],
    ['a missing comma', '[{"event_id":1},{"event_id":2} {"event_id":3}]', '{"event_id":3}]'],
    ['a missing end', '[{"event_id":1},{"event_id":2}', ''],
    ['text behind the end', '[{"event_id":1},{"event_id":2}] trailing', 'trailing'],
  ])('keeps the records before %s of a broken array and one reject for the rest', async (_, text, rest) => {
    fixture.put('events.json', text);
    const { rows } = await fixture.load(events);
    expect(rows.map((row) => row['event_id'])).toEqual(['1', '2', null]);
    expect(rows[2]).toMatchObject({ _malformed: true, _record: rest });
  });

  it('keeps what a gzip file cut short still holds, and one reject for the rest', async () => {
    const lines = Array.from({ length: 20_000 }, (_, at) => `{"event_id":"e${at}","amount":${(at * 7919) % 10_007}}`);
    const packed = gzipSync(lines.join('\n'));
    fixture.put('events.json.gz', packed.subarray(0, packed.length >> 1));
    const { rows, malformed } = await fixture.load(events);
    expect(rows.length).toBeGreaterThan(1000);
    expect(malformed).toBe(1);
    expect(rows.at(-1)).toMatchObject({ _malformed: true });
    expect(rows.slice(0, -1).map((row) => row['_record'])).toEqual(lines.slice(0, rows.length - 1));
  });

  it('reads gzip like the plain file, and refuses what is no gzip as one record', async () => {
    fixture.put('orders_1.csv.gz', gzipSync(`${header}1,a,1\n`));
    fixture.put('orders_2.csv.gz', gzipSync(`${header}2,"a",1\n`));
    fixture.put('orders_3.csv.gz', `${header}3,a,1\n`);
    const { rows } = await fixture.load(orders);
    expect(rows.map((row) => [row['order_id'], row['_malformed']])).toEqual([
      ['1', false],
      ['2', false],
      [null, true],
    ]);
  });

  it('reads a single array of 200 MB, the last record included', async () => {
    const filler = 'x'.repeat(400_000);
    const file = openSync(`${fixture.landing}/events.json`, 'w');
    for (let at = 0; at < 520; at += 1)
      writeSync(file, `${at === 0 ? '[' : ',\n'}{"event_id":${at},"note":"${filler}"}`);
    writeSync(file, ']');
    closeSync(file);
    const { written, records, malformed } = await fixture.load(events, { rows: false });
    expect([records, malformed]).toEqual([520, 0]);
    const counted = await fixture.rows(
      `SELECT count(DISTINCT event_id) AS ids, max(_source_row) AS last, min(length(_record)) AS size
      FROM read_parquet('${written[0]?.localPath}')`,
    );
    expect(counted).toEqual([{ ids: '520', last: '520', size: '400024' }]);
  });

  it('bounds a record that does not end', async () => {
    fixture.put('events.json', `{"event_id":1}\n{"event_id":"${'x'.repeat(9 << 20)}"}\n{"event_id":3}`);
    const { rows } = await fixture.load(events);
    expect(brief(rows)).toEqual([
      ['1', '1', false, '1', null],
      ['2', '2', true, null, null],
      ['3', '3', false, '3', null],
    ]);
    expect(String(rows[1]?.['_record']).length).toBe(64 << 10);
  });

  it('does not open a known file again, and loads no bytes twice', async () => {
    fixture.put('orders_1.csv', `${header}1,a,1\n`);
    const first = await fixture.load(orders);
    fixture.put('copy/../orders_2.csv', `${header}1,a,1\n`);
    const second = await fixture.load(orders, { known: first.ledger, batchId: 8 });
    expect([second.knownFiles, second.records, second.ledger]).toEqual([1, 0, []]);
    expect(second.repeats).toEqual([
      expect.objectContaining({ path: 'orders_2.csv', load: 7, loadedPath: 'orders_1.csv' }),
    ]);
    const known = [...first.ledger, ...second.repeats.map(({ ledger }) => ledger)];
    const third = await fixture.load(orders, { known, batchId: 8 });
    expect([third.knownFiles, third.repeats]).toEqual([2, []]);
    const fourth = await fixture.load(orders, { known, batchId: 8, rehash: true });
    expect([fourth.knownFiles, fourth.records]).toEqual([0, 0]);
  });

  it('lets a file wait that changes while it is read, and keeps nothing of it', async () => {
    fixture.put('orders_1.csv', `${header}1,a,1\n`);
    fixture.put('orders_2.csv', `${header}2,a,1\n`);
    const { engine } = fixture;
    let calls = 0;
    const meddling: Engine = Object.assign(Object.create(engine) as Engine, {
      materialise: async (...given: Parameters<Engine['materialise']>) => {
        const written = await engine.materialise(...given);
        if ((calls += 1) === 1) appendFileSync(`${fixture.landing}/orders_1.csv`, '9,z,9\n');
        return written;
      },
    });
    const { rows, waiting, ledger } = await fixture.load(orders, { engine: meddling });
    expect(waiting).toEqual([{ path: 'orders_1.csv', reason: expect.stringContaining('changed') }]);
    expect(rows.map((row) => row['order_id'])).toEqual(['2']);
    expect(ledger.map((row) => [row.path, row.row_offset])).toEqual([['orders_2.csv', 0]]);
    const next = await fixture.load(orders, { known: ledger, batchId: 8 });
    expect(next.rows.map((row) => row['order_id'])).toEqual(['1', '9']);
    utimesSync(`${fixture.landing}/orders_2.csv`, 1, 1);
    expect((await fixture.load(orders, { known: [...ledger, ...next.ledger] })).repeats).toHaveLength(1);
  });

  it('fails with the name of a file that vanished or cannot be read', async () => {
    const file = fixture.put('orders.csv', header);
    const files = [{ ...file, localPath: `${file.localPath}.gone` }];
    await expect(fixture.load(orders, { files })).rejects.toMatchObject({
      code: 'load.unreadable',
      at: { path: 'orders.csv' },
    });
  });

  it('passes a full disk on instead of trying the file another way', async () => {
    fixture.put('orders.csv', `${header}1,a,1\n`);
    const full: Engine = Object.assign(Object.create(fixture.engine) as Engine, {
      materialise: () => Promise.reject(new LakeError('engine.disk_full', 'unavailable', 'no space left')),
    });
    await expect(fixture.load(orders, { engine: full })).rejects.toMatchObject({ code: 'engine.disk_full' });
  });
});
