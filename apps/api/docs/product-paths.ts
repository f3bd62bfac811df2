import type { Catalogue, TableContract } from '#contracts';
import { bucketType, MAX_RECORDS } from '#serving';
import { productName } from '../products/products.js';
import { filterKind, namedColumns, whereSchema } from './filter-schema.js';
import { answers, parameter, problems } from './operation.js';
import { columnSchema, list, nullable, object, pascalCase, ref, text, type Node } from './schema.js';

const bucketUnits = ['year', 'quarter', 'month', 'week', 'day', 'hour'] as const;
const sampled = ['sum', 'avg', 'min', 'max', 'count', 'count_distinct'];

/** Rows, a row, a query and groups of one product, each with the product's own types. */
export function productPaths(contract: TableContract, catalogue: Catalogue): Node {
  const name = productName(contract);
  const type = pascalCase(name);
  const columns = namedColumns(contract, catalogue);
  const filters = columns.flatMap(({ path, type }) => {
    const kind = filterKind(type);
    return kind === undefined ? [] : [deepParameter(`filter[${path}]`, ref('schemas', `${kind}Parameter`))];
  });
  const shared = ['release', 'releaseHeader', 'format', 'decimals', 'excel', 'count'].map((one) =>
    ref('parameters', one),
  );
  const paging = ['limit', 'cursor'].map((one) => ref('parameters', one));
  const root = `/v1/products/${name}`;
  const tags = [name];
  return {
    [`${root}/rows`]: {
      get: {
        operationId: `list${type}`,
        summary: contract.describes,
        tags,
        parameters: [
          ref('parameters', `${type}Select`),
          ref('parameters', `${type}Sort`),
          ...paging,
          ...filters,
          ...shared,
        ],
        responses: { 200: answers(ref('schemas', `${type}Page`)), ...problems(400, 403, 404, 406, 410, 503, 504) },
      },
    },
    [`${root}/rows/{key}`]: {
      get: {
        operationId: `get${type}`,
        summary: 'The row with a key.',
        tags,
        parameters: [
          parameter('path', 'key', text(keyText(contract)), { required: true }),
          ref('parameters', `${type}Select`),
          ...['release', 'releaseHeader', 'decimals'].map((one) => ref('parameters', one)),
        ],
        responses: { 200: answers(ref('schemas', `${type}Row`), ['json']), ...problems(400, 404, 406, 410, 503, 504) },
      },
    },
    [`${root}/rows/{key}/provenance`]: {
      get: {
        operationId: `get${type}Provenance`,
        summary: 'The records behind a row, as they came.',
        tags,
        parameters: [
          parameter('path', 'key', text(keyText(contract)), { required: true }),
          parameter('query', 'limit', { type: 'integer', minimum: 1, maximum: MAX_RECORDS, default: 100 }),
          ...['cursor', 'release', 'releaseHeader'].map((one) => ref('parameters', one)),
        ],
        responses: {
          200: answers(ref('schemas', 'Provenance'), ['json']),
          ...problems(400, 404, 406, 410, 503, 504),
        },
      },
    },
    [`${root}/query`]: {
      post: {
        operationId: `query${type}`,
        summary: 'Rows or groups, asked by a JSON body.',
        description:
          'With `group` or `measures` the answer has groups: their columns, and one for each measure (`sum_quantity`, `count`).',
        tags,
        parameters: shared,
        requestBody: { required: true, content: { 'application/json': { schema: ref('schemas', `${type}Query`) } } },
        responses: {
          200: answers(ref('schemas', `${type}Page`)),
          ...problems(400, 403, 404, 406, 410, 413, 415, 503, 504),
        },
      },
    },
    [`${root}/explain`]: {
      get: {
        operationId: `explain${type}`,
        summary: 'A figure, what it left out and why it changed.',
        tags,
        parameters: [
          parameter('query', 'measure', measureText, { required: true, description: 'A sum or a count.' }),
          ...filters,
          ...['release', 'releaseHeader', 'decimals'].map((one) => ref('parameters', one)),
        ],
        responses: {
          200: answers(ref('schemas', 'Explanation'), ['json']),
          ...problems(400, 403, 404, 406, 410, 503, 504),
        },
      },
    },
    [`${root}/aggregate`]: {
      get: {
        operationId: `aggregate${type}`,
        summary: 'Groups of rows with measures; without group, one of all rows.',
        tags,
        parameters: [
          ref('parameters', `${type}Group`),
          ref('parameters', `${type}Measure`),
          deepParameter('having[count]', ref('schemas', 'NumberParameter'), 'Any other column of the answer likewise.'),
          ref('parameters', 'groupSort'),
          ...paging,
          ...filters,
          ...shared,
        ],
        responses: { 200: answers(ref('schemas', 'GroupsPage')), ...problems(400, 403, 404, 406, 410, 503, 504) },
      },
    },
  };
}

/** The schemas of one product, by name. */
export function productSchemas(contract: TableContract, catalogue: Catalogue): Node {
  const type = pascalCase(productName(contract));
  const columns = namedColumns(contract, catalogue);
  return {
    [type]: {
      ...object(
        Object.fromEntries(Object.entries(contract.columns).map(([name, column]) => [name, columnSchema(column)])),
        [],
      ),
      description: `${contract.describes} Without select, all columns are there.`,
      additionalProperties: true,
    },
    [`${type}Page`]: object({
      data: list(ref('schemas', type)),
      page: ref('schemas', 'Page'),
      release: ref('schemas', 'ReleaseLabel'),
    }),
    [`${type}Row`]: object({ data: ref('schemas', type), release: ref('schemas', 'ReleaseLabel') }),
    [`${type}Where`]: whereSchema(contract, catalogue),
    [`${type}Column`]: { type: 'string', enum: columns.map(({ path }) => path) },
    [`${type}Order`]: {
      type: 'string',
      enum: sortable(columns).flatMap((path) => [path, `-${path}`]),
      description: 'A `-` means descending.',
    },
    [`${type}GroupColumn`]: { type: 'string', enum: groupable(columns) },
    [`${type}Query`]: object(
      {
        select: list(ref('schemas', `${type}Column`)),
        where: ref('schemas', `${type}Where`),
        sort: list({ ...text('A column, or a column of the groups; with `-` descending.') }),
        limit: { type: 'integer', minimum: 1 },
        cursor: nullable(text('`page.next_cursor` of an earlier answer to this query.')),
        group: list(ref('schemas', `${type}GroupColumn`)),
        measures: list(measureText),
        having: { type: 'object', additionalProperties: ref('schemas', 'AnyFilter') },
      },
      [],
    ),
  };
}

/** The parameters of one product that are named from several operations. */
export function productParameters(contract: TableContract): Node {
  const type = pascalCase(productName(contract));
  const listed = (name: string, items: Node, description: string) =>
    parameter('query', name, list(items), { style: 'form', explode: false, description });
  return {
    [`${type}Select`]: listed('select', ref('schemas', `${type}Column`), 'Columns of the answer, in order.'),
    [`${type}Sort`]: listed('sort', ref('schemas', `${type}Order`), 'Every order goes on with the key.'),
    [`${type}Group`]: listed(
      'group',
      ref('schemas', `${type}GroupColumn`),
      'Columns, or columns cut to a unit of time.',
    ),
    [`${type}Measure`]: listed('measure', measureText, 'What is computed of each group.'),
  };
}

const measureText: Node = {
  type: 'string',
  pattern: `^([A-Za-z][A-Za-z0-9_]*:)?(${sampled.join('|')})\\(.*\\)$`,
  examples: ['sum(quantity)', 'count()', 'buyers:count_distinct(customer_id)'],
};

function deepParameter(name: string, schema: Node, description?: string): Node {
  return parameter('query', name, schema, {
    style: 'deepObject',
    explode: true,
    ...(description === undefined ? {} : { description }),
  });
}

function keyText({ key }: TableContract): string {
  if (key.length === 1) return `${key.join()}; % and ~ in it percent-encoded once more`;
  return `${key.join('~')}; ~ and % inside a part percent-encoded once more, a NULL part is %00`;
}

function sortable(columns: ReturnType<typeof namedColumns>): readonly string[] {
  return columns.filter(({ type }) => type.kind !== 'strings').map(({ path }) => path);
}

function groupable(columns: ReturnType<typeof namedColumns>): readonly string[] {
  return columns.flatMap(({ path, type }) => {
    if (type.kind === 'strings') return [];
    const units = bucketUnits.filter((unit) => bucketType(unit, type) !== undefined);
    return [path, ...units.map((unit) => `${unit}(${path})`)];
  });
}
