import { planScope, type Change, type ScopeQuestion } from './affected.js';
import { smallShop } from './testing/small-shop.js';

function contractOf(name: string) {
  const definition = smallShop().byName.get(name);
  if (definition === undefined) throw new Error(`no table ${name}`);
  return definition.contract;
}

const silver = contractOf('silver/orders');
const sales = contractOf('gold/daily_sales');

function scopeOf(
  contract: ScopeQuestion['contract'],
  changes: Record<string, Change>,
  rest: Partial<ScopeQuestion> = {},
) {
  return planScope({
    contract,
    changes: new Map(Object.entries(changes)),
    asOfMoved: false,
    logicChanged: false,
    ...rest,
  });
}

describe('the scope of a recomputation', () => {
  it('is nothing while no input changed', () => {
    expect(scopeOf(sales, {})).toEqual({ kind: 'none' });
    expect(scopeOf(sales, { 'silver.orders': { kind: 'none' }, 'bronze.orders': { kind: 'all' } })).toEqual({
      kind: 'none',
    });
  });

  it('is everything when the logic changed, whatever the inputs did', () => {
    expect(scopeOf(sales, {}, { logicChanged: true })).toEqual({ kind: 'all' });
  });

  it('is everything when as_of moved, of tables that follow from it and of no other', () => {
    expect(scopeOf(silver, {}, { asOfMoved: true })).toEqual({ kind: 'all' });
    expect(scopeOf(sales, {}, { asOfMoved: true })).toEqual({ kind: 'none' });
  });

  it('is the units of the changed keys, under the names of the table', () => {
    expect(scopeOf(sales, { 'silver.orders': { kind: 'keys', relation: 'work.changed' } })).toEqual({
      kind: 'units',
      sql: 'SELECT placed_on AS placed_on, channel AS channel FROM work.changed',
    });
  });

  it('unites the units of several inputs, and renames columns that are called otherwise there', () => {
    const twoInputs = {
      ...sales,
      recompute: {
        by: ['day'],
        from: [
          { input: 'silver.orders', by: ['placed_on'] },
          { input: 'silver.returns', by: ['returned_on'] },
        ],
        asOf: false,
      },
    };
    const changes: Record<string, Change> = {
      'silver.orders': { kind: 'keys', relation: 'work.a' },
      'silver.returns': { kind: 'keys', relation: 'work.b' },
    };
    expect(scopeOf(twoInputs, changes)).toEqual({
      kind: 'units',
      sql: 'SELECT placed_on AS day FROM work.a UNION SELECT returned_on AS day FROM work.b',
    });
    expect(scopeOf(twoInputs, { ...changes, 'silver.returns': { kind: 'all' } })).toEqual({ kind: 'all' });
  });

  it('is everything of a table that is global, or global in that input', () => {
    const keys: Record<string, Change> = { 'silver.orders': { kind: 'keys', relation: 'work.changed' } };
    const from = [{ input: 'silver.orders', by: [] }];
    expect(scopeOf({ ...sales, recompute: { by: [], from, asOf: false } }, keys)).toEqual({ kind: 'all' });
    const all = [{ input: 'silver.orders', by: 'all' as const }];
    expect(scopeOf({ ...sales, recompute: { by: ['channel'], from: all, asOf: false } }, keys)).toEqual({
      kind: 'all',
    });
  });
});
