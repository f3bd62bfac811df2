import { date, flag, long, required, table, type Column } from '#contracts';
import { customerColumns } from '../../silver/customers/contract.js';

/** The street is tracked, and known in silver only. */
const carried: Readonly<Record<string, Column>> = Object.fromEntries(
  Object.entries(customerColumns).filter(([name]) => name !== 'address_street'),
);

export const dimCustomer = table('gold/dim_customer', {
  describes:
    'Customers over time (slowly changing dimension, type 2): a row for every state that a tracked attribute had.',
  key: ['customer_sk'],
  sortBy: ['customer_id', 'effective_start_date', 'customer_sk'],
  columns: {
    customer_sk: required(long('Position of the record that opened the version; stable')),
    ...carried,
    effective_start_date: required(date('First day of the version')),
    effective_end_date: required(date('First day of the next version; 9999-12-31 while it is the current one')),
    is_current: flag('The latest version of the customer'),
  },
  checks: [
    {
      name: 'one_current_version',
      severity: 'error',
      description: 'A customer has one current version.',
      failing: `SELECT customer_id FROM gold.dim_customer GROUP BY customer_id
        HAVING sum(CASE WHEN is_current THEN 1 ELSE 0 END) <> 1`,
      units: { 'gold.dim_customer': ['customer_id'] },
    },
    {
      name: 'versions_in_line',
      severity: 'error',
      description: 'A version ends where the next one starts, and none ends before it starts.',
      failing: `SELECT customer_sk FROM (
        SELECT customer_sk, effective_start_date, effective_end_date,
          lead(effective_start_date) OVER (PARTITION BY customer_id ORDER BY customer_sk ASC NULLS FIRST) AS next_start
        FROM gold.dim_customer) v
        WHERE effective_end_date <> coalesce(next_start, DATE '9999-12-31') OR effective_end_date < effective_start_date`,
      units: { 'gold.dim_customer': ['customer_id'] },
    },
    {
      name: 'customers_complete',
      severity: 'error',
      description: 'Every customer in silver has a version.',
      failing: `SELECT customer_id FROM silver.customers s
        WHERE NOT EXISTS (SELECT 1 FROM gold.dim_customer d WHERE d.customer_id = s.customer_id)`,
      units: { 'silver.customers': ['customer_id'], 'gold.dim_customer': ['customer_id'] },
    },
  ],
  recompute: { by: ['customer_id'], from: [{ input: 'valid.customers', by: ['customer_id'] }], asOf: true },
});
