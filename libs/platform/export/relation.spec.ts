import { resolveRelation } from './relation.js';

describe('a table named by a user', () => {
  const known = ['bronze.orders', 'gold.fact_sales', 'quarantine.orders', 'silver.orders'];

  it.each([
    ['fact_sales', 'gold.fact_sales'],
    ['gold/fact_sales', 'gold.fact_sales'],
    ['Silver.Orders', 'silver.orders'],
    ['bronze/quarantine/orders', 'quarantine.orders'],
    ['quarantine.orders', 'quarantine.orders'],
  ])('%s is %s', (name, relation) => {
    expect(resolveRelation(name, known)).toBe(relation);
  });

  it('that is not there is answered with those that are', () => {
    expect(() => resolveRelation('orders', known)).toThrow(
      "there is no table 'orders'. There are: bronze.orders, gold.fact_sales, quarantine.orders, silver.orders",
    );
  });
});
