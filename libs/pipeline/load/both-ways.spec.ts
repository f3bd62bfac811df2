import fc from 'fast-check';
import type { Source } from '#contracts';
import { plainSelect, splitSelect } from './bronze-sql.js';
import type { LandingFile } from './landing.js';
import { events, LoadFixture, orders, type BronzeRow } from './load-fixture.js';
import { scanFile } from './scan.js';
import { splitFile } from './split-file.js';

const stamp = { path: 'a/b.csv', loadedAt: '2026-02-18T03:04:05.678Z', batchId: 7, asOf: '2026-02-17' };

describe('a file read by the engine and the same file split', () => {
  let fixture: LoadFixture;
  beforeAll(async () => {
    fixture = await LoadFixture.open();
  });
  afterAll(() => fixture.close());

  async function split(source: Source, file: LandingFile): Promise<readonly BronzeRow[]> {
    const interchange = `${fixture.work}/interchange.ndjson`;
    const { longestLineBytes } = await splitFile(file, source.fields, interchange);
    return fixture.rows(splitSelect(source, interchange, longestLineBytes, stamp));
  }

  /** Compares both ways where the scan allows the engine to read; says whether it did. */
  async function agree(source: Source, name: string, content: string | Uint8Array): Promise<boolean> {
    const file = fixture.put(name, content);
    const { reading } = await scanFile(file, source.fields);
    if (reading.kind !== 'plain') return false;
    const wanted = await split(source, file);
    let got: readonly BronzeRow[];
    try {
      got = await fixture.rows(plainSelect(source, file, reading.header, stamp));
    } catch {
      return false; // the loader splits it then
    }
    expect(got).toEqual(wanted);
    expect(reading.records).toBe(wanted.length);
    return true;
  }

  const cell = fc.oneof(
    fc.constantFrom(
      '',
      ' ',
      'x',
      ' padded ',
      '\t',
      'a\\b',
      "it's",
      '#',
      'NULL',
      '"q"',
      'é',
      '漢字',
      '😀',
      '\u00a0',
      '\r',
      '\\N',
      '-',
      '0',
    ),
    fc.string({ maxLength: 6 }),
    fc.string({ unit: 'binary', maxLength: 3 }),
  );

  it('give the same bronze rows, whatever CSV has landed', async () => {
    let plain = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(['order_id', 'note', 'total'], ['total', 'order_id', 'extra\\x', 'note'], ['note', 'other']),
        fc.array(fc.array(cell, { minLength: 1, maxLength: 4 }), { maxLength: 6 }),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        fc.boolean(),
        fc.constantFrom('exact', 'ragged'),
        async (header, rows, end, mark, last, shape) => {
          const lines = rows.map((row) => (shape === 'ragged' ? row : header.map((_, at) => row[at] ?? '')).join(','));
          const text = [header.join(','), ...lines].join(end) + (last ? end : '');
          if (await agree(orders, 'orders.csv', (mark ? '\ufeff' : '') + text)) plain += 1;
        },
      ),
      { numRuns: 250 },
    );
    expect(plain).toBeGreaterThan(40);
  });

  const scalar = fc.oneof(
    fc.constantFrom(
      '1',
      '-1',
      '0',
      '-0',
      '1.50',
      '1.5',
      '5.0',
      '0.0001',
      '0.00001',
      '1e3',
      '12345678901234567890',
      '0.1',
      '-0.0',
      '100000.25',
      '999999999999.99',
      '0.000123',
    ),
    fc.constantFrom(
      'true',
      'false',
      'null',
      '""',
      '"x"',
      '" "',
      '"\\u00e9"',
      '"\\/"',
      '"\\n"',
      '"\\u0000"',
      '"\\ud83d\\ude00"',
      '"\\ud800"',
      '"é\u2028"',
    ),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
    fc.string().map((value) => JSON.stringify(value)),
  );
  const nested = fc.oneof(
    scalar,
    fc.array(scalar, { maxLength: 3 }).map((list) => `[ ${list.join(' , ')}]`),
    fc.dictionary(fc.constantFrom('k', 'a b', 'é', 'x"y'), scalar, { maxKeys: 3 }).map(
      (members) =>
        `{${Object.entries(members)
          .map(([name, value]) => `${JSON.stringify(name)}: ${value}`)
          .join(', ')}}`,
    ),
  );
  const record = fc
    .array(
      fc.tuple(
        fc.constantFrom('event_id', 'amount', 'geo', 'note', 'note', 'amount', 'event_id', 'geo', 'other'),
        nested,
      ),
      { maxLength: 4 },
    )
    .map((members) => `{${members.map(([name, value]) => `"${name}": ${value}`).join(', ')}}`);

  const tame = fc
    .uniqueArray(
      fc.tuple(
        fc.constantFrom('event_id', 'amount', 'geo', 'note'),
        fc.oneof(
          fc.constantFrom(
            '0',
            '5.0',
            '12.25',
            '1.50',
            '2.00',
            '-1.10',
            '0.00',
            '-3',
            '0.001',
            'true',
            'null',
            '" x "',
            '"\\u00e9\\/\\n"',
            '{"a": [ 1 , "\\/"], "a":{} }',
          ),
          fc.integer().map(String),
          fc.string({ unit: 'grapheme' }).map((value) => JSON.stringify(value)),
        ),
      ),
      { selector: ([name]) => name },
    )
    .map((members) => `{${members.map(([name, value]) => `"${name}" : ${value}`).join(', ')}}`);
  const broken = fc.constantFrom(
    '',
    '{',
    '[]',
    '{"note":NaN}',
    '{"note":1,}',
    '{"note" 1}',
    '{"note":1}{"note":2}',
    ' {}',
  );

  it('give the same bronze rows, whatever JSON has landed', async () => {
    let plain = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof({ weight: 24, arbitrary: tame }, { weight: 6, arbitrary: record }, { weight: 1, arbitrary: broken }),
          { maxLength: 4 },
        ),
        fc.constantFrom('\n', '\n', '\r\n'),
        async (lines, end) => {
          if (await agree(events, 'events.json', lines.join(end))) plain += 1;
        },
      ),
      { numRuns: 400 },
    );
    expect(plain).toBeGreaterThan(60);
  });
});
