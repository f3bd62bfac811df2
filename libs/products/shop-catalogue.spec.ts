import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inputTables } from '#contracts';
import { DuckDbEngine, lintSql } from '#engine';
import { shopCatalogue } from './shop-catalogue.js';
import { SmallLake } from './testing/small-lake.js';

const shop = shopCatalogue();

describe('the catalogue of the shop', () => {
  it('has every table', () => {
    expect(shop.tables.map(({ contract }) => contract.name).sort()).toEqual([
      'gold/agg_daily_sales',
      'gold/dim_customer',
      'gold/dim_date',
      'gold/dim_product',
      'gold/fact_sales',
      'gold/ml_anomaly_detection',
      'gold/ml_customer_rfm',
      'silver/clickstream',
      'silver/customers',
      'silver/inventory',
      'silver/order_items',
      'silver/orders',
      'silver/payments',
      'silver/products',
      'silver/sessions',
      'silver/streaming_clickstream',
    ]);
  });

  it('computes a table after all that it reads', () => {
    const done = new Set(shop.contracts.filter(({ layer }) => layer === 'bronze').map(({ name }) => name));
    for (const definition of shop.tables) {
      for (const input of inputTables(definition)) expect(done).toContain(input);
      done.add(definition.contract.name);
    }
  });

  it.each(
    shop.tables.flatMap(({ contract, sql, measuresSql, orphansSql }) => [
      { file: `${contract.name}/transform.sql`, sql },
      ...(measuresSql === undefined ? [] : [{ file: `${contract.name}/measures.sql`, sql: measuresSql }]),
      ...(orphansSql === undefined ? [] : [{ file: `${contract.name}/orphans.sql`, sql: orphansSql }]),
      ...contract.checks.map(({ name, failing }) => ({ file: `${contract.name} check ${name}`, sql: failing })),
    ]),
  )('means the same on every engine: $file', ({ file, sql }) => {
    expect(lintSql(file, sql)).toEqual([]);
  });

  it('never lets an e-mail address or a phone number into silver or gold', () => {
    for (const { contract } of shop.tables) {
      expect(Object.keys(contract.columns)).not.toEqual(expect.arrayContaining(['email']));
      expect(Object.keys(contract.columns)).not.toEqual(expect.arrayContaining(['phone']));
    }
  });

  it('classes what identifies a person, and what stands for one', () => {
    const classed = shop.tables.flatMap(({ contract }) =>
      Object.entries(contract.columns)
        .filter(([, { pii }]) => pii !== undefined)
        .map(([name, { pii }]) => `${contract.name} ${name} ${pii}`),
    );
    const person = [
      'first_name',
      'last_name',
      'first_name_initial',
      'last_name_initial',
      'date_of_birth',
      'address_zip',
    ];
    const event = ['page_url', 'ip_address', 'search_query'];
    expect(classed.sort()).toEqual(
      [
        ...[...person, 'address_street'].map((name) => `silver/customers ${name} pii`),
        ...person.map((name) => `gold/dim_customer ${name} pii`),
        'silver/customers email_hash pseudonym',
        'gold/dim_customer email_hash pseudonym',
        'silver/payments ip_address pii',
        'silver/payments device_fingerprint pii',
        ...event.map((name) => `silver/clickstream ${name} pii`),
        ...event.map((name) => `silver/streaming_clickstream ${name} pii`),
      ].sort(),
    );
  });

  it('makes every table of nothing, in the types of its contract', async () => {
    const workDir = await mkdtemp(join(tmpdir(), 'products-'));
    const engine = await DuckDbEngine.open({ workDir, threads: 1, memoryLimit: '500MB' });
    try {
      const lake = new SmallLake(engine, '2025-06-15');
      await lake.compute(...shop.tables.map(({ contract }) => contract.name));
      for (const { contract } of shop.tables) {
        expect(await lake.rows(contract.name)).toHaveLength(contract.name === 'gold/dim_date' ? 365 : 0);
        for (const check of contract.checks.filter(({ severity }) => severity === 'error')) {
          expect(await engine.query(lake.dated(check.failing))).toEqual([]);
        }
      }
    } finally {
      await engine.close();
      await rm(workDir, { recursive: true, force: true });
    }
  });
});
