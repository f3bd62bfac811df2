import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { apiOver } from '../testing/api.js';
import { DemoLake } from '../testing/demo-lake.js';

let shop: DemoLake;
let app: NestFastifyApplication;

beforeAll(async () => {
  shop = await DemoLake.make();
  app = await apiOver(shop);
});

afterAll(async () => {
  await app.close();
  await shop.remove();
});

it('answers rows with what they refer to, and groups', async () => {
  const query = `{
    factSales(first: 2, filter: {product: {category: {eq: "Electronics"}}}) {
      nodes { netLineTotal product { category } }
      totalCount
      release { id asOf }
    }
    factSalesAggregate(groupBy: [product_category], orderBy: [{column: product_category}], first: 1) {
      keys { product_category }
      sum { netLineTotal }
    }
  }`;
  const { statusCode, headers, body } = await app.inject({ method: 'POST', url: '/graphql', payload: { query } });
  expect(statusCode).toBe(200);
  expect(headers).toMatchObject({ 'x-release': '1', 'x-contract': 'dim_product@1, fact_sales@1' });
  expect(JSON.parse(body)).toMatchObject({
    data: {
      factSales: {
        nodes: Array(2).fill({
          netLineTotal: expect.stringMatching(/^\d+\.\d\d$/),
          product: { category: 'Electronics' },
        }),
        release: { id: '1', asOf: '2026-02-17' },
      },
      factSalesAggregate: [{ keys: { product_category: expect.any(String) } }],
    },
    extensions: { release: 1, asOf: '2026-02-17', maskedColumns: [] },
  });
});
