import { aRelease } from './lake-fixture.js';
import { changedTables, encodeRelease, parseRelease, releasePath } from './release.js';

const release = aRelease({
  number: 7,
  tables: {
    'silver/orders': { release: 7, base: 3, staged: { path: 'p', digest: 'd' }, rows: 2, logic: 'l', schema: 's' },
    'gold/sales': { release: 2, base: -1, rows: 0, logic: 'l', schema: 's' },
  },
  loads: { orders: 4 },
  withdrawn: [{ source: 'orders', load: 2 }],
  offsets: { '0': '123' },
  checks: [{ table: 'silver/orders', name: 'key', severity: 'error', passed: true, failing_rows: 0 }],
  counts: { 'silver/orders': { rows_in: 2, rows_out: null } },
  complete_until: { orders: null },
});

describe('a release record', () => {
  it('reads back as it was written', () => {
    expect(parseRelease(encodeRelease(release), releasePath(7))).toEqual(release);
  });

  it('tells which tables it changed from those it inherits', () => {
    expect(changedTables(release)).toEqual(['silver/orders']);
  });

  it.each([
    ['half a file', '{"format": 1'],
    ['a missing field', JSON.stringify({ ...release, tables: undefined })],
    ['a format of the future', JSON.stringify({ ...release, format: 2 })],
    ['the number of another file', JSON.stringify({ ...release, number: 8 })],
  ])('is refused as corrupt with %s', (_, text) => {
    const reading = () => parseRelease(Buffer.from(text), releasePath(7));
    expect(thrownBy(reading)).toMatchObject({ code: 'release.corrupt', kind: 'corrupt', at: { path: releasePath(7) } });
  });
});

function thrownBy(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}
