import * as fc from 'fast-check';
import { QueryError } from './problem.js';
import { restKey, whereKey } from './rest-key.js';
import { line, thing } from './serving-fixture.js';

describe('a REST key', () => {
  it.each([
    [{ order_id: 'o1', place: 2 }, 'o1~2'],
    [{ order_id: 'a~b%c', place: null }, 'a%7Eb%25c~%00'],
    [{ order_id: '', place: -1 }, '~-1'],
    [{ order_id: '%00', place: 0 }, '%2500~0'],
  ])('of %j is %s', (row, key) => {
    expect(restKey(row, line)).toBe(key);
  });

  it('reads back as the same parts, whatever text they are', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('~', '%7E', '%00', '%', 'a\0'));
    // a NUL alone is what a decoded `%00` looks like
    const part = fc.option(text.filter((value) => value !== '\0'));
    fc.assert(
      fc.property(part, part, (first, second) => {
        const condition = (value: string | null) => (value === null ? { null: true } : { eq: value });
        const key = restKey({ order_id: first, place: second }, line);
        expect(whereKey(key, line)).toEqual({ order_id: condition(first), place: condition(second) });
      }),
    );
  });

  it.each([
    ['o1', line],
    ['o1~1~1', line],
    ['1~2', thing],
    ['%~1', line],
    ['a%41~1', line],
    ['a%00~1', line],
  ])('%s is refused where it cannot be one', (key, contract) => {
    expect(() => whereKey(key, contract)).toThrow(QueryError);
  });
});
