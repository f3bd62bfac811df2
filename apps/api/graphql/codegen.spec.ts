import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codegen } from '@graphql-codegen/core';
import * as operationsPlugin from '@graphql-codegen/typescript-operations';
import * as typesPlugin from '@graphql-codegen/typescript';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { buildSchema, parse } from 'graphql';
import ts from 'typescript';
import { apiOver } from '../testing/api.js';
import { DemoLake } from '../testing/demo-lake.js';
import { askGraphql } from '../testing/graphql-client.js';

const operations = `
  query Sales($filter: FactSalesFilter, $first: Int, $after: String) {
    factSales(filter: $filter, first: $first, after: $after, orderBy: [{column: orderDate, direction: DESC}]) {
      nodes { salesKey orderDate quantity netLineTotal product { category } }
      pageInfo { endCursor hasNextPage }
    }
  }
  query Months($groupBy: [FactSalesGroupColumn!]) {
    factSalesAggregate(groupBy: $groupBy) { keys { orderDate_month } count sum { netLineTotal } }
  }
`;

/** What somebody writes against the generated types. The last line must not compile, or the types say nothing. */
const program = `
  import type { MonthsQuery, MonthsQueryVariables, SalesQuery, SalesQueryVariables } from './operations.js';
  import type { FactSales } from './types.js';
  export const sales: SalesQueryVariables = { filter: { product: { category: { eq: 'Toys' } }, not: { quantity: { in: [1] } } }, first: 2 };
  export const months: MonthsQueryVariables = { groupBy: ['orderDate_month'] };
  export const categories = ({ factSales }: SalesQuery): (string | null | undefined)[] =>
    factSales.nodes.map(({ product }) => product?.category);
  export const totals = ({ factSalesAggregate }: MonthsQuery): (string | null | undefined)[] =>
    factSalesAggregate.map(({ sum }) => sum.netLineTotal);
  export const brand = ({ product }: FactSales): string | null | undefined => product?.brand;
  // @ts-expect-error a number is no filter
  export const wrong: SalesQueryVariables = { filter: { quantity: 2 } };
`;

let shop: DemoLake;
let app: NestFastifyApplication;
let folder: string;

beforeAll(async () => {
  shop = await DemoLake.make();
  app = await apiOver(shop);
  folder = await mkdtemp(join(tmpdir(), 'codegen-'));
});

afterAll(async () => {
  await app.close();
  await shop.remove();
  await rm(folder, { recursive: true, force: true });
});

it('types that graphql-codegen makes of the served schema compile, and fit what is answered', async () => {
  const { body } = await app.inject('/graphql/schema.graphql');
  const scalars = { Decimal: 'string', BigInt: 'string', Date: 'string', DateTime: 'string' };
  const plugins = { types: typesPlugin, operations: operationsPlugin };
  for (const name of ['types', 'operations'] as const) {
    const generated = await codegen({
      filename: `${name}.ts`,
      schema: parse(body),
      schemaAst: buildSchema(body),
      documents: [{ document: parse(operations) }],
      config: { scalars, enumsAsTypes: true, strictScalars: true },
      plugins: [{ [name]: {} }],
      pluginMap: { [name]: plugins[name] },
    });
    await writeFile(join(folder, `${name}.ts`), generated);
  }
  await writeFile(join(folder, 'program.ts'), program);
  const options = { strict: true, noEmit: true, target: ts.ScriptTarget.ES2022, skipLibCheck: true, types: [] };
  const compiled = ts.createProgram([join(folder, 'program.ts')], {
    ...options,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
  });
  const messages = ts
    .getPreEmitDiagnostics(compiled)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  expect(messages).toEqual([]);

  const sales = await askGraphql<{ factSales: { nodes: object[]; pageInfo: object } }>(
    app,
    operations,
    { first: 2 },
    {},
    'Sales',
  );
  expect(sales.data.factSales).toEqual({
    nodes: Array(2).fill({
      salesKey: expect.any(String),
      orderDate: expect.stringMatching(/Z$/),
      quantity: expect.any(Number),
      netLineTotal: expect.stringMatching(/\.\d\d$/),
      product: { category: expect.any(String) },
    }),
    pageInfo: { endCursor: expect.any(String), hasNextPage: true },
  });
  const months = await askGraphql<{ factSalesAggregate: object[] }>(
    app,
    operations,
    { groupBy: ['orderDate_month'] },
    {},
    'Months',
  );
  expect(months.data.factSalesAggregate[0]).toEqual({
    keys: { orderDate_month: expect.stringMatching(/-01$/) },
    count: expect.any(Number),
    sum: { netLineTotal: expect.any(String) },
  });
});
