import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { apiOver } from '../testing/api.js';
import { DemoLake } from '../testing/demo-lake.js';

describe('rows over REST', () => {
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

  it('come with the release that they are of', async () => {
    const { statusCode, headers, body } = await app.inject('/v1/products/fact_sales/rows?limit=2');
    expect(statusCode).toBe(200);
    expect(headers).toMatchObject({ 'x-release': '1', 'x-contract': 'fact_sales@1', 'cache-control': 'private' });
    expect(JSON.parse(body)).toMatchObject({ data: [{}, {}], release: { id: 1, as_of: '2026-02-17' } });
  });
});
