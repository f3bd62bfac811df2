import { LakeError } from '#errors';
import { parseQuery } from './parse-query.js';
import { QueryError } from './problem.js';
import { line, tables } from './serving-fixture.js';

const parse = (json: unknown, streamed = false) => parseQuery(json, line, tables, { streamed });

function problemsOf(json: unknown) {
  try {
    parse(json);
  } catch (error) {
    if (error instanceof QueryError) return error.problems.map(({ pointer, code }) => [pointer, code]);
    throw error;
  }
  return [];
}

describe('parseQuery', () => {
  it('gives equal questions one spelling, whatever form the values came in', () => {
    const asNumbers = { pieces: { eq: 5 }, amount: { lt: 12.5 }, is_gift: { eq: true }, thing: { price: { gt: 1e3 } } };
    const asText = {
      pieces: { eq: '+5' },
      amount: { lt: '012.500' },
      is_gift: { eq: 'true' },
      'thing.price': { gt: '1000' },
    };
    expect(parse({ where: asNumbers })).toEqual(parse({ where: asText }));
    expect(parse({ where: { sold_at: { eq: '2026-03-01T01:30:00.500+02:00' } } })).toEqual(
      parse({ where: { sold_at: { eq: '2026-02-28 23:30:00.5' } } }),
    );
  });

  it('has a limit of 100, or none where the answer is streamed', () => {
    expect(parse({}).limit).toBe(100);
    expect(parse({ limit: '10000' }).limit).toBe(10_000);
    expect(parse({}, true).limit).toBe('all');
    expect(parse({ limit: 2_000_000 }, true).limit).toBe(2_000_000);
    expect(problemsOf({ limit: 10_001 })).toEqual([['/limit', 'out-of-range']]);
    expect(problemsOf({ limit: 0 })).toEqual([['/limit', 'out-of-range']]);
  });

  it('reports every mistake, each with its place', () => {
    const json = {
      colour: 1,
      select: ['word', 'colour', 'word'],
      where: { and: [{ pieces: { eq: 'x', near: 1 } }, { 'thing.owner': { eq: 1 } }], 'a/b': {}, word: { gt: 5 } },
      sort: ['-nothing'],
      limit: -1,
      having: {},
    };
    expect(problemsOf(json)).toEqual([
      ['/colour', 'unknown-property'],
      ['/where/and/0/pieces/eq', 'wrong-type'],
      ['/where/and/0/pieces/near', 'unknown-operator'],
      ['/where/and/1/thing.owner', 'unknown-column'],
      ['/where/a~1b', 'unknown-column'],
      ['/where/word/gt', 'wrong-type'],
      ['/limit', 'out-of-range'],
      ['/having', 'not-allowed'],
      ['/select/1', 'unknown-column'],
      ['/select/2', 'duplicate'],
      ['/sort/0', 'unknown-column'],
    ]);
    expect(() => parse(json)).toThrow(LakeError);
  });

  it.each([
    [{ pieces: { eq: 2.5 } }, 'wrong-type'],
    [{ pieces: { eq: '1; DROP TABLE x' } }, 'wrong-type'],
    [{ big: { eq: '9223372036854775808' } }, 'out-of-range'],
    [{ amount: { eq: 'NaN' } }, 'wrong-type'],
    [{ amount: { eq: `1${'0'.repeat(40)}` } }, 'out-of-range'],
    [{ day: { eq: '2026-02-30' } }, 'wrong-type'],
    [{ day: { eq: 'infinity' } }, 'wrong-type'],
    [{ sold_at: { eq: '2026-01-01T24:00:00Z' } }, 'wrong-type'],
    [{ sold_at: { eq: '0001-01-01T00:00:00+01:00' } }, 'out-of-range'],
    [{ word: { eq: '\ud800' } }, 'wrong-type'],
    [{ word: { like: 'a\\' } }, 'wrong-type'],
    [{ pieces: { contains: '1' } }, 'not-allowed'],
    [{ is_gift: { gt: true } }, 'not-allowed'],
    [{ pieces: { in: 5 } }, 'wrong-type'],
    [{ pieces: { in: Array.from({ length: 10_001 }, () => 1) } }, 'too-many'],
    [{ or: {} }, 'wrong-type'],
    [{ or: Array.from({ length: 1_001 }, () => ({ pieces: { eq: 1 } })) }, 'too-many'],
    [JSON.parse('{"not":'.repeat(20) + '{}' + '}'.repeat(20)), 'too-deep'],
    [{ thing: { namesake: { country: { eq: 'x' } } } }, 'unknown-column'],
    [{ constructor: { eq: 1 } }, 'unknown-column'],
    [JSON.parse('{"__proto__": {"eq": 1}}'), 'unknown-column'],
    [{ 'word" OR 1=1 --': { eq: 'x' } }, 'unknown-column'],
  ])('refuses the filter %.60j', (where, code) => {
    expect(problemsOf({ where }).map(([, found]) => found)).toContain(code);
  });

  it.each([
    [{ group: ['century(day)'], measures: ['count()'] }, '/group/0', 'unknown-operator'],
    [{ group: ['hour(day)'], measures: ['count()'] }, '/group/0', 'not-allowed'],
    [{ group: ['month(word)'], measures: ['count()'] }, '/group/0', 'not-allowed'],
    [{ group: ['word', 'word'], measures: ['count()'] }, '/group/1', 'duplicate'],
    [{ measures: ['sum(word)'] }, '/measures/0', 'not-allowed'],
    [{ measures: ['sum()'] }, '/measures/0', 'not-allowed'],
    [{ measures: ['median(pieces)'] }, '/measures/0', 'unknown-measure'],
    [{ measures: ['sum(pieces)', 'sum(pieces)'] }, '/measures/1', 'duplicate'],
    [{ measures: ['n:sum(pieces)', 'N:count()'] }, '/measures/1', 'duplicate'],
    [{ group: ['word'], measures: ['Word:count()'] }, '/measures/0', 'duplicate'],
    [{ measures: ['a b:sum(pieces)'] }, '/measures/0', 'wrong-type'],
    [{ measures: ['sum(pieces)) FROM x --'] }, '/measures/0', 'unknown-measure'],
    [{ measures: ['count()'], select: ['word'] }, '/select', 'not-allowed'],
    [{ measures: ['count()'], having: { word: { eq: 'x' } } }, '/having/word', 'unknown-column'],
    [{ measures: ['count()'], sort: ['word'] }, '/sort/0', 'unknown-column'],
    [{ group: [], measures: [] }, '/measures', 'out-of-range'],
  ])('refuses %j', (json, pointer, code) => {
    expect(problemsOf(json)).toContainEqual([pointer, code]);
  });

  it.each([[null], ['x'], [[]], [5]])('refuses %j as a query', (json) => {
    expect(problemsOf(json)).toContainEqual(['', 'wrong-type']);
  });
});
