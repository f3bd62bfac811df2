import fc from 'fast-check';
import { CsvSplitter } from './csv-split.js';
import { indexFields, parseJsonRecord, plainDecimal } from './json-record.js';
import { JsonSplitter } from './json-split.js';
import { events, orders } from './load-fixture.js';
import type { Emit, SplitRecord, Splitter } from './record.js';

type Start = (emit: Emit) => Splitter;

function split(start: Start, chunks: readonly Buffer[], cut: boolean): SplitRecord[] {
  const records: SplitRecord[] = [];
  const splitter = start((record) => records.push(record));
  for (const chunk of chunks) splitter.push(chunk);
  splitter.end(cut);
  return records;
}

describe.each<[string, Start, string[]]>([
  [
    'CSV',
    (emit) => new CsvSplitter(Object.keys(orders.fields), emit),
    ['order_id,note,total', '\n', '\r\n', '\r', ',', '"', '""', 'x', 'é', '\ufeff', '1,a,2\n', '"a,""b""\r\n",2,3\n'],
  ],
  [
    'JSON',
    (emit) => new JsonSplitter(indexFields(events.fields), emit),
    [
      '[',
      ']',
      '{',
      '}',
      ',',
      '"',
      '\\',
      '\n',
      ' ',
      '1',
      'é',
      '{"note":"\\"]é"}',
      '{"geo":[1,{"a":2}]}',
      'null',
      '\ufeff',
    ],
  ],
])('splitting %s', (_, start, pieces) => {
  it('does not depend on where the chunks are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...pieces), { maxLength: 20 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
        fc.boolean(),
        (parts, sizes, cut) => {
          const bytes = Buffer.from(parts.join(''));
          const chunks: Buffer[] = [];
          for (let at = 0; at < bytes.length;) {
            const size = sizes.next().value as number;
            chunks.push(bytes.subarray(at, at + size));
            at += size;
          }
          expect(split(start, chunks, cut)).toEqual(split(start, [bytes], cut));
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('a JSON number', () => {
  it.each([
    ['1e3', '1000'],
    ['1.5e3', '1500'],
    ['-12.5E-3', '-0.0125'],
    ['1.20e1', '12'],
    ['0e9', '0'],
    ['100e-2', '1'],
    ['1.50', '1.50'],
    ['1e999', '1e999'],
  ])('%s is kept as %s', (text, plain) => {
    expect(plainDecimal(text)).toBe(plain);
  });

  it('of a field that holds numbers drops zeros that mean nothing', () => {
    const read = parseJsonRecord('{"amount":1.500,"note":1.500,"event_id":2.00}', indexFields(events.fields));
    expect(read?.fields).toEqual(['2.00', '1.5', null, '1.500']);
  });
});
