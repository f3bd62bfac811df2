import type { Catalogue } from '#contracts';
import { Products } from '../products/products.js';
import { json, parameter, problemResponses, problems } from './operation.js';
import { quarantinePaths } from './quarantine-paths.js';
import { productParameters, productPaths, productSchemas } from './product-paths.js';
import { list, object, ref, text, whole, type Node } from './schema.js';
import { sharedHeaders, sharedParameters, sharedSchemas } from './shared-components.js';

const description = `Gold tables of the shop, from immutable releases. Schemas say what comes by default: \`select\` and groups
give fewer or other columns, \`decimals=string\` quotes decimals. Decimals are JSON numbers with all digits of their scale,
64-bit integers JSON numbers with all their digits; readers with binary fractions need care beyond 2^53.

Filters are \`filter[column][operator]=value\`, and all have to hold. A list is \`filter[channel][in]=web,store\`; values that
hold commas are given one by one, \`filter[city][in][]=Washington, D.C.&filter[city][in][]=Rome\`. A repeated \`select\`,
\`sort\`, \`group\` or \`measure\` goes on with its list. Columns one or more relations away are named by path:
\`product.category\`. Long questions go into the body of \`POST …/query\`.`;

/** The OpenAPI 3.1 document of the api: every product with types of its own, made from its contract. */
export function openApiDocument(catalogue: Catalogue) {
  const contracts = new Products(catalogue).all.map(({ contract }) => contract);
  const merged = (parts: readonly Node[]): Node => Object.assign({}, ...parts) as Node;
  return {
    openapi: '3.1.0',
    info: { title: 'ShopSmart data', version: '1', description },
    servers: [{ url: '/' }],
    paths: {
      ...merged(contracts.map((contract) => productPaths(contract, catalogue))),
      ...otherPaths,
      ...quarantinePaths,
    },
    components: {
      schemas: { ...merged(contracts.map((contract) => productSchemas(contract, catalogue))), ...sharedSchemas },
      parameters: { ...merged(contracts.map(productParameters)), ...sharedParameters },
      headers: sharedHeaders,
      responses: problemResponses(),
    },
  };
}

const release = ref('parameters', 'release');
const releaseHeader = ref('parameters', 'releaseHeader');
const ofRelease = ['X-Release', 'X-Data-As-Of', 'X-Complete-Until', 'ETag'];
const paging = (most: number, usual = 20) => [
  parameter('query', 'limit', { type: 'integer', minimum: 1, maximum: most, default: usual }),
  parameter('query', 'cursor', text(), { description: '`page.next_cursor` of an earlier answer.' }),
];
const inPath = (name: string, schema: Node) => parameter('path', name, schema, { required: true });
const page = (items: Node) => object({ data: list(items), page: ref('schemas', 'Page') });
const one = (data: Node) => object({ data });

const otherPaths: Node = {
  '/v1/products': {
    get: {
      operationId: 'listProducts',
      summary: 'All products.',
      tags: ['catalogue'],
      parameters: [release, releaseHeader],
      responses: {
        200: json(one(list(ref('schemas', 'ProductSummary'))), 'All products.', ofRelease),
        ...problems(400, 404, 410),
      },
    },
  },
  '/v1/products/{name}': {
    get: {
      operationId: 'getProduct',
      summary: 'The contract of a product.',
      tags: ['catalogue'],
      parameters: [inPath('name', text()), release, releaseHeader],
      responses: {
        200: json(one(ref('schemas', 'Product')), 'Its contract, and how fresh it is.', ofRelease),
        ...problems(400, 404, 410),
      },
    },
  },
  '/v1/releases': {
    get: {
      operationId: 'listReleases',
      summary: 'Releases that are kept, newest first.',
      tags: ['releases'],
      parameters: paging(100),
      responses: {
        200: json(page(ref('schemas', 'ReleaseSummary')), 'A page of releases.', ['ETag']),
        ...problems(400),
      },
    },
  },
  '/v1/releases/{release}': {
    get: {
      operationId: 'getRelease',
      summary: 'What a release is made of.',
      tags: ['releases'],
      parameters: [inPath('release', whole())],
      responses: {
        200: json(one(ref('schemas', 'Release')), 'The release.', ofRelease),
        ...problems(400, 404, 410, 503),
      },
    },
  },
  '/v1/releases/{release}/diff/{other}': {
    get: {
      operationId: 'diffReleases',
      summary: 'What differs between two releases: rows by table, and daily figures by cause.',
      description: `Days are paged, those whose first figure moved most first; tables and the sums by cause are of all. The
changes of a day's causes add up to its change exactly; the other way round every change has the other sign.`,
      tags: ['releases'],
      parameters: [inPath('release', whole()), inPath('other', whole()), ...paging(10_000, 100)],
      responses: {
        200: json(
          object({ data: ref('schemas', 'ReleaseDiff'), page: ref('schemas', 'Page') }),
          'What differs.',
          ofRelease,
        ),
        ...problems(400, 404, 410, 503),
      },
    },
  },
  '/v1/admin/runs': {
    get: {
      operationId: 'listRuns',
      summary: 'Runs, newest first, whoever started them.',
      tags: ['runs'],
      parameters: paging(100),
      responses: { 200: json(page(ref('schemas', 'Run')), 'A page of runs.', ['ETag']), ...problems(400, 503) },
    },
    post: {
      operationId: 'requestRun',
      summary: 'Asks for a run.',
      tags: ['runs'],
      parameters: [
        parameter('header', 'Idempotency-Key', text(), {
          description: 'The same key with the same request within 24 hours gives the run of the first time.',
        }),
      ],
      requestBody: { content: { 'application/json': { schema: ref('schemas', 'RunRequest') } } },
      responses: {
        202: json(one(ref('schemas', 'Run')), 'The run is queued.', ['Location']),
        ...problems(400, 413, 415, 422, 503),
      },
    },
  },
  '/v1/admin/runs/{run}': {
    get: {
      operationId: 'getRun',
      summary: 'A run and its report.',
      tags: ['runs'],
      parameters: [inPath('run', text())],
      responses: { 200: json(one(ref('schemas', 'RunWithReport')), 'The run.', ['ETag']), ...problems(400, 404, 503) },
    },
  },
  '/v1/admin/runs/{run}/cancel': {
    post: {
      operationId: 'cancelRun',
      summary: 'Stops a run at its next step.',
      tags: ['runs'],
      parameters: [inPath('run', text())],
      responses: {
        202: json(one(ref('schemas', 'Run')), 'It will stop, or has not begun.'),
        ...problems(400, 404, 409, 503),
      },
    },
  },
  '/v1/admin/plan': {
    post: {
      operationId: 'planRun',
      summary: 'Says what a run would do now; changes nothing.',
      tags: ['runs'],
      requestBody: { content: { 'application/json': { schema: ref('schemas', 'RunRequest') } } },
      responses: {
        200: json(one(ref('schemas', 'Plan')), 'The plan, or why there is none.', ['Location']),
        202: json(one(ref('schemas', 'Plan')), 'It takes longer: fetch it there.', ['Location']),
        ...problems(400, 413, 415, 503),
      },
    },
  },
  '/v1/admin/plans/{plan}': {
    get: {
      operationId: 'getPlan',
      summary: 'A plan that was asked for within the hour.',
      tags: ['runs'],
      parameters: [inPath('plan', text())],
      responses: { 200: json(one(ref('schemas', 'Plan')), 'The plan.', ['ETag']), ...problems(400, 404, 503) },
    },
  },
  '/health/live': {
    get: {
      operationId: 'isAlive',
      summary: 'The process answers.',
      tags: ['health'],
      responses: { 200: json(object({ status: { const: 'ok' } }), 'It does.'), ...problems() },
    },
  },
  '/health/ready': {
    get: {
      operationId: 'isReady',
      summary: 'A release is served and its store can be read.',
      tags: ['health'],
      responses: {
        200: json(
          ref('schemas', 'Readiness'),
          '`degraded`: questions are answered, runs can be neither asked for nor listed.',
        ),
        503: json(ref('schemas', 'Readiness'), 'No release is served.'),
        ...problems(),
      },
    },
  },
  '/problems/{code}': {
    get: {
      operationId: 'getProblemType',
      summary: 'What a problem means.',
      tags: ['health'],
      parameters: [inPath('code', text())],
      responses: { 200: json(ref('schemas', 'ProblemType'), 'The problem.'), ...problems(404) },
    },
  },
};
