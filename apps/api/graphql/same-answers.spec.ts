import * as fc from 'fast-check';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { ColumnType, TableContract } from '#contracts';
import type { Row, Value } from '#engine';
import { bucketType, measureType, parseQuery, related } from '#serving';
import { apiOver } from '../testing/api.js';
import { DemoLake } from '../testing/demo-lake.js';
import { askGraphql } from '../testing/graphql-client.js';

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

/** A column of a table or of what it refers to, with values that are in it. */
interface Place {
  readonly path: string;
  readonly type: ColumnType;
  readonly values: readonly Value[];
}

interface Table {
  readonly contract: TableContract;
  readonly places: readonly Place[];
}

/** A question as POST …/query has it, from which the test makes the GraphQL of the same meaning. */
interface Question {
  readonly select: readonly string[];
  readonly where: object;
  readonly sort: readonly string[];
  readonly limit: number;
}

const camel = (name: string) => name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
const fieldOf = ({ name }: TableContract) => camel(name.replace('gold/', ''));
/** `product.category` as enums have it. */
const enumName = (path: string) => path.split('.').map(camel).join('_');

async function tablesOfShop(): Promise<readonly Table[]> {
  const pinned = await shop.answers.pin({});
  const contracts = shop.catalogue.tables.map(({ contract }) => contract).filter(({ layer }) => layer === 'gold');
  try {
    return await Promise.all(
      contracts.map(async (contract): Promise<Table> => {
        const reached = contract.relations.flatMap(({ name }) => {
          const columns = related(name, contract, shop.catalogue)?.contract.columns ?? {};
          return Object.entries(columns).map(([column, { type }]) => [`${name}.${column}`, type] as const);
        });
        const own = Object.entries(contract.columns).map(([column, { type }]) => [column, type] as const);
        const types = [...own, ...reached];
        const query = parseQuery({ select: types.map(([path]) => path), limit: 60 }, contract, shop.catalogue);
        const { rows } = await pinned.page(query, contract, new Set(['pii:read']));
        const places = types.map(([path, type]) => ({ path, type, values: valuesIn(rows, path) }));
        return { contract, places };
      }),
    );
  } finally {
    pinned.unpin();
  }
}

function valuesIn(rows: readonly Row[], path: string): readonly Value[] {
  return [...new Set(rows.map((row) => row[path] ?? null))].filter((value) => value !== null);
}

function condition({ path, type, values }: Place): fc.Arbitrary<object> {
  const value = fc.constantFrom(...values);
  const compared = type.kind === 'boolean' ? ['eq', 'ne'] : ['eq', 'ne', 'gt', 'gte', 'lt', 'lte'];
  const part = fc
    .tuple(value, fc.nat(3), fc.nat(5))
    .map(([text, from, size]): string => String(text).slice(from, from + size));
  return fc
    .oneof(
      fc.record({ operator: fc.constantFrom(...compared), value: fc.option(value, { freq: 9 }) }),
      fc.record({ operator: fc.constantFrom('in', 'nin'), value: fc.array(value, { maxLength: 4 }) }),
      fc.record({ operator: fc.constant('null'), value: fc.boolean() }),
      ...(type.kind === 'string'
        ? [
            fc.record({
              operator: fc.constantFrom('contains', 'starts', 'ends', 'icontains', 'istarts', 'iends', 'like', 'ilike'),
              value: part,
            }),
          ]
        : []),
    )
    .map(({ operator, value }) => ({ [path]: { [operator]: value } }));
}

function filters(places: readonly Place[]): fc.Arbitrary<object> {
  const usable = places.filter(({ values }) => values.length > 0);
  return fc.letrec<{ where: object }>((tie) => ({
    where: fc.oneof(
      { maxDepth: 2, withCrossShrink: true },
      fc.constantFrom(...usable).chain(condition),
      fc.array(tie('where'), { maxLength: 3 }).map((and) => ({ and })),
      fc.array(tie('where'), { minLength: 1, maxLength: 3 }).map((or) => ({ or })),
      tie('where').map((not) => ({ not })),
    ),
  })).where;
}

function sorts(paths: readonly string[]): fc.Arbitrary<readonly string[]> {
  return fc
    .uniqueArray(fc.tuple(fc.constantFrom(...paths), fc.boolean()), { selector: ([path]) => path, maxLength: 2 })
    .map((items) => items.map(([path, descending]) => (descending ? `-${path}` : path)));
}

function toFilter(where: object): object {
  const entries = Object.entries(where).map(([key, value]): readonly [string, unknown] => {
    if (key === 'and' || key === 'or') return [key, (value as object[]).map(toFilter)];
    if (key === 'not') return [key, toFilter(value as object)];
    const operators = Object.entries(value as Readonly<Record<string, unknown>>);
    const conditions = Object.fromEntries(operators.map(([name, v]) => [name === 'null' ? 'isNull' : name, v]));
    const [first = '', second] = key.split('.');
    return second === undefined ? [camel(first), conditions] : [camel(first), { [camel(second)]: conditions }];
  });
  return Object.fromEntries(entries);
}

const toOrderBy = (sort: readonly string[], nameOf: (path: string) => string) =>
  sort.map((item) => {
    return item.startsWith('-')
      ? { column: nameOf(item.slice(1)), direction: 'DESC' }
      : { column: nameOf(item), direction: 'ASC' };
  });

/** `product { category }` for each path. */
const toSelection = (select: readonly string[]) =>
  select
    .map((path) =>
      path
        .split('.')
        .map(camel)
        .reduceRight((inner: string, outer) => `${outer} { ${inner} }`),
    )
    .join(' ');

/** What the node has at the path. A relation without a row is null as a whole. */
function valueAt(node: unknown, path: string): unknown {
  return path
    .split('.')
    .map(camel)
    .reduce<unknown>((at, name) => (at as Record<string, unknown> | null)?.[name] ?? null, node);
}

async function expectedOf(contract: TableContract, json: object) {
  const pinned = await shop.answers.pin({});
  try {
    return await pinned.page(parseQuery(json, contract, shop.catalogue), contract, new Set(['pii:read']), {
      total: true,
    });
  } finally {
    pinned.unpin();
  }
}

it('rows are those of the query model, for every table, in any order and filter, with what they refer to', async () => {
  const tables = await tablesOfShop();
  expect(tables).toHaveLength(7);
  const questions = fc.nat(tables.length - 1).chain((n) => {
    const { contract, places } = tables[n] as Table;
    const paths = places.map(({ path }) => path);
    return fc.record({
      contract: fc.constant(contract),
      question: fc.record<Question>({
        select: fc.uniqueArray(fc.constantFrom(...paths), { minLength: 1, maxLength: 6 }),
        where: filters(places),
        sort: sorts(paths),
        limit: fc.integer({ min: 1, max: 50 }),
      }),
    });
  });
  await fc.assert(
    fc.asyncProperty(questions, async ({ contract, question }) => {
      const field = fieldOf(contract);
      const type = `${field.charAt(0).toUpperCase()}${field.slice(1)}`;
      const document = `query ($filter: ${type}Filter, $orderBy: [${type}OrderBy!], $first: Int) {
        rows: ${field}(filter: $filter, orderBy: $orderBy, first: $first) {
          nodes { ${toSelection(question.select)} } totalCount pageInfo { hasNextPage }
        }
      }`;
      const { data, errors } = await askGraphql<{
        rows: { nodes: unknown[]; totalCount: number; pageInfo: { hasNextPage: boolean } };
      }>(app, document, {
        filter: toFilter(question.where),
        orderBy: toOrderBy(question.sort, enumName),
        first: question.limit,
      });
      expect(errors).toBeUndefined();
      const expected = await expectedOf(contract, question);
      const found = data.rows.nodes.map((node) => question.select.map((path) => valueAt(node, path)));
      expect(found).toEqual(expected.rows.map((row) => question.select.map((path) => row[path])));
      expect(data.rows).toMatchObject({ totalCount: expected.total, pageInfo: { hasNextPage: expected.hasMore } });
    }),
    { numRuns: 120 },
  );
});

it('groups are those of the query model, over columns, units of time and what rows refer to', async () => {
  const tables = await tablesOfShop();
  const questions = fc.constantFrom(...tables).chain(({ contract, places }) => {
    const own = Object.entries(contract.columns);
    const groups = places.flatMap(({ path, type }) => {
      const units = ['year', 'month', 'week', 'hour'] as const;
      return [path, ...units.filter((unit) => bucketType(unit, type)).map((unit) => `${unit}(${path})`)];
    });
    const functions = ['sum', 'avg', 'min', 'max', 'count_distinct'] as const;
    const measures = own.flatMap(([path, { type }]) =>
      functions.filter((measure) => measureType({ measure, path }, type)).map((measure) => `${measure}(${path})`),
    );
    return fc.record({
      contract: fc.constant(contract),
      where: filters(places),
      group: fc.uniqueArray(fc.constantFrom(...groups), { maxLength: 2 }),
      measures: fc.uniqueArray(fc.constantFrom(...measures), { minLength: 1, maxLength: 4 }),
      least: fc.integer({ min: 0, max: 30 }),
      descending: fc.boolean(),
    });
  });
  const output = (asked: string) => asked.replace(/^(\w+)\((.*)\)$/, '$1_$2');
  const groupOutput = (asked: string) => asked.replace(/^(\w+)\((.*)\)$/, '$2_$1');
  const groupName = (asked: string) => {
    const [, unit, path] = /^(\w+)\((.*)\)$/.exec(asked) ?? [];
    return path === undefined ? enumName(asked) : `${enumName(path)}_${unit ?? ''}`;
  };
  await fc.assert(
    fc.asyncProperty(questions, async ({ contract, where, group, measures, least, descending }) => {
      const field = fieldOf(contract);
      const type = `${field.charAt(0).toUpperCase()}${field.slice(1)}`;
      const selection = measures.map((asked) =>
        asked.replace(/^(\w+)\((.*)\)$/, (_, name: string, path: string) => `${camel(name)} { ${camel(path)} }`),
      );
      const document = `query ($filter: ${type}Filter, $groupBy: [${type}GroupColumn!], $having: ${type}Having, $orderBy: [${type}GroupOrderBy!]) {
        groups: ${field}Aggregate(filter: $filter, groupBy: $groupBy, having: $having, orderBy: $orderBy, first: 10000) {
          keys { __typename ${group.map(groupName).join(' ')} } count ${selection.join(' ')}
        }
      }`;
      const { data, errors } = await askGraphql<{ groups: Record<string, Record<string, unknown>>[] }>(app, document, {
        filter: toFilter(where),
        groupBy: group.map(groupName),
        having: { count: { gte: least } },
        orderBy: [{ column: 'count', direction: descending ? 'DESC' : 'ASC' }],
      });
      expect(errors).toBeUndefined();
      const expected = await expectedOf(contract, {
        where,
        group,
        measures: ['count()', ...measures],
        having: { count: { gte: least } },
        sort: [descending ? '-count' : 'count'],
        limit: 10_000,
      });
      const found = data.groups.map((row) => [
        Number(row['count']),
        ...group.map((asked) => row['keys']?.[groupName(asked)]),
        ...measures.map((asked) => {
          const [, name = '', path = ''] = /^(\w+)\((.*)\)$/.exec(asked) ?? [];
          const value = row[camel(name)]?.[camel(path)];
          return typeof value === 'number' ? String(value) : value;
        }),
      ]);
      const wanted = expected.rows.map((row) => [
        Number(row['count']),
        ...group.map((asked) => row[groupOutput(asked)]),
        ...measures.map((asked) => {
          const value = row[output(asked)];
          return typeof value === 'number' ? String(value) : value;
        }),
      ]);
      expect(found).toEqual(wanted);
    }),
    { numRuns: 80 },
  );
});
