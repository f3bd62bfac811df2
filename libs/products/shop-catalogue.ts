import { readFileSync } from 'node:fs';
import { catalogue, type Catalogue, type TableContract, type TableDefinition } from '#contracts';
import { clickstream as clickstreamSource } from './bronze/clickstream/contract.js';
import { customers as customersSource } from './bronze/customers/contract.js';
import { inventory as inventorySource } from './bronze/inventory/contract.js';
import { orderItems as orderItemsSource } from './bronze/order_items/contract.js';
import { orders as ordersSource } from './bronze/orders/contract.js';
import { payments as paymentsSource } from './bronze/payments/contract.js';
import { products as productsSource } from './bronze/products/contract.js';
import { streamingClickstream as streamingClickstreamSource } from './bronze/streaming_clickstream/contract.js';
import { dailySales } from './daily-sales.js';
import { aggDailySales } from './gold/agg_daily_sales/contract.js';
import { dimCustomer } from './gold/dim_customer/contract.js';
import { dimDate } from './gold/dim_date/contract.js';
import { dimProduct } from './gold/dim_product/contract.js';
import { factSales } from './gold/fact_sales/contract.js';
import { mlAnomalyDetection } from './gold/ml_anomaly_detection/contract.js';
import { mlCustomerRfm } from './gold/ml_customer_rfm/contract.js';
import { clickstream } from './silver/clickstream/contract.js';
import { customers } from './silver/customers/contract.js';
import { inventory } from './silver/inventory/contract.js';
import { orderItems } from './silver/order_items/contract.js';
import { orders } from './silver/orders/contract.js';
import { payments } from './silver/payments/contract.js';
import { products } from './silver/products/contract.js';
import { sessions } from './silver/sessions/contract.js';
import { streamingClickstream } from './silver/streaming_clickstream/contract.js';

/** All sources and tables of the shop. Reads the SQL files beside this one. */
export function shopCatalogue(): Catalogue {
  return catalogue({
    sources: [
      ordersSource,
      orderItemsSource,
      customersSource,
      productsSource,
      inventorySource,
      paymentsSource,
      clickstreamSource,
      streamingClickstreamSource,
    ],
    tables: [
      define(orders),
      define(orderItems),
      define(customers),
      define(products),
      define(inventory),
      define(payments),
      define(clickstream),
      define(streamingClickstream),
      define(sessions),
      define(dimDate),
      define(dimCustomer),
      define(dimProduct),
      { ...define(factSales), orphansSql: sqlOf(factSales, 'orphans') },
      define(aggDailySales),
      { ...define(mlCustomerRfm), measuresSql: sqlOf(mlCustomerRfm, 'measures') },
      define(mlAnomalyDetection),
    ],
    daily: dailySales,
  });
}

function define(contract: TableContract): TableDefinition {
  return { contract, sql: sqlOf(contract, 'transform') };
}

function sqlOf({ name }: TableContract, text: 'transform' | 'measures' | 'orphans'): string {
  return readFileSync(new URL(`./${name}/${text}.sql`, import.meta.url), 'utf8');
}
