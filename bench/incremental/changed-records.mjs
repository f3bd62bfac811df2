// Landing files of what changes between two runs of the demo shop, made from the files that it was loaded from.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

/** Orders with another status or amount, each with a later `updated_at`; of the days before as_of, or of all days. */
export async function changedOrders({ landing, into, count, days, asOf }) {
  const recent = days === undefined ? '' : `AND CAST(order_date AS TIMESTAMP) >= DATE '${asOf}' - ${days}`;
  const changed = `
    SELECT * EXCLUDE (place) REPLACE (
      CASE WHEN place % 2 = 1 THEN order_status WHEN order_status = 'CANCELLED' THEN 'DELIVERED' ELSE 'CANCELLED' END
        AS order_status,
      CASE WHEN place % 2 = 0 THEN total_amount ELSE CAST(CAST(total_amount AS DECIMAL(18,2)) + 1 AS VARCHAR) END
        AS total_amount,
      '${asOf} 23:30:00' AS updated_at)
    FROM (SELECT *, row_number() OVER (ORDER BY md5(order_id), order_id) AS place
      FROM read_csv('${landing}/source1_orders_pg/orders.csv', all_varchar = true, header = true)
      WHERE order_status IS NOT NULL AND order_id IS NOT NULL ${recent})
    WHERE place <= ${count}`;
  await write(changed, into, 'source1_orders_pg', 'orders_changed.csv', 'FORMAT csv, HEADER', count);
}

/** Payments of the day after as_of. */
export async function newPayments({ landing, into, count, day }) {
  const made = `
    SELECT * EXCLUDE (place) REPLACE (concat('TXN-NEW-', lpad(CAST(place AS VARCHAR), 9, '0')) AS transaction_id,
      '${day}T10:00:00Z' AS transaction_timestamp)
    FROM (SELECT *, row_number() OVER (ORDER BY md5(transaction_id), transaction_id) AS place
      FROM read_json('${landing}/source6_payments_api/payments.json', format = 'newline_delimited',
        columns = {transaction_id: 'VARCHAR', order_id: 'VARCHAR', payment_method: 'VARCHAR', card_type: 'VARCHAR',
          amount: 'DECIMAL(18,2)', currency: 'VARCHAR', status: 'VARCHAR', gateway_response_code: 'VARCHAR',
          is_international: 'BOOLEAN', transaction_timestamp: 'VARCHAR', risk_score: 'INTEGER', ip_address: 'VARCHAR',
          device_fingerprint: 'VARCHAR'}))
    WHERE place <= ${count}`;
  await write(made, into, 'source6_payments_api', `payments_${day}.json`, 'FORMAT json', count);
}

async function write(query, into, folder, name, format, count) {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    mkdirSync(join(into, folder), { recursive: true });
    const written = await connection.runAndReadAll(`COPY (${query}) TO '${join(into, folder, name)}' (${format})`);
    const rows = Number(written.getRows()[0][0]);
    if (rows !== count) throw new RangeError(`there are ${rows} records to change, not ${count}`);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
