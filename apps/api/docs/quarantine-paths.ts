import { json, parameter, problems } from './operation.js';
import { flag, list, nullable, object, ref, text, whole, type Node } from './schema.js';

const tags = ['quarantine'];
const instant: Node = { type: 'string', format: 'date-time' };
const reason: Node = { ...text('Why.'), maxLength: 1000 };
const body = (properties: Node, required: readonly string[] = []): Node => ({
  content: { 'application/json': { schema: { ...object(properties, required), additionalProperties: false } } },
});
const change: Node = {
  set: {
    type: 'object',
    additionalProperties: { type: ['string', 'null'] },
    description: 'Values by field, or by the path of what is inside a JSON field. Null or empty text empties it.',
  },
  copy: {
    type: 'object',
    additionalProperties: text(),
    description: 'By field, the name of the field whose text it takes.',
  },
  reason,
  force: flag('Keep what would still be rejected, too.'),
};
const record: Node = {
  id: text('`orders:3:17`: source, load and ordinal in the load.'),
  table: text('That does not take it.'),
  source: text(),
  state: { type: 'string', enum: ['open', 'repaired', 'superseded'] },
  rules: list(text()),
  file: text('Below the landing folder.'),
  row: whole('Place in the file, from 1.'),
  line: nullable(whole()),
  load: whole(),
  loaded_at: instant,
  as_of: { type: 'string', format: 'date' },
  run_id: nullable(text('That loaded it.')),
  superseded_by: nullable(text('Load, file and row of a later valid record of its key.')),
  repair: nullable(text('That took its place.')),
  record: nullable(
    text('As it came. Without the scope pii:read personal fields are null, and records that cannot be told apart.'),
  ),
};
const repair: Node = {
  repair: text(),
  source: text(),
  table: text(),
  by: text(),
  at: instant,
  reason: nullable(text()),
  records: whole(),
  first: list(object({ id: text(), rules: list(text()), before: nullable(text()), after: nullable(text()) })),
};
const draft = object({
  ...repair,
  replaces: nullable(text('The pending repair of the same record, which is dropped.')),
  still_broken: list(object({ id: text(), rules: list(text()) })),
  still_broken_records: whole('That would still be rejected: in the repair only if it was forced.'),
  pending_already: whole('Left out, as another pending repair has them.'),
  unchanged: whole('Left out, as they are so already.'),
  more: flag('There are more open records than one repair holds.'),
});
const leftOut = list(object({ repair: text(), records: whole(), stale: list(object({ id: text(), detail: text() })) }));
const queued = object({ data: ref('schemas', 'Run'), left_out: leftOut });
const idempotency = parameter('header', 'Idempotency-Key', text(), {
  description: 'The same key with the same request within 24 hours gives the run of the first time.',
});
const inPath = (name: string) => parameter('path', name, text(), { required: true });
const filters = ['table', 'source', 'rule', 'file', 'run'].map((name) => parameter('query', name, text()));

/** Rejected records and their repairs: state of now, of no release. */
export const quarantinePaths: Node = {
  '/v1/admin/quarantine': {
    get: {
      operationId: 'listQuarantine',
      summary: 'Rejected records, and how many break each rule.',
      tags,
      parameters: [
        ...filters,
        parameter('query', 'text', text(), { description: 'Somewhere in the record, in any case. Needs pii:read.' }),
        parameter('query', 'state', {
          type: 'string',
          enum: ['open', 'repaired', 'superseded', 'all'],
          default: 'open',
        }),
        parameter('query', 'limit', { type: 'integer', minimum: 1, maximum: 1000, default: 50 }),
        parameter('query', 'cursor', text(), { description: '`page.next_cursor` of an earlier answer.' }),
      ],
      responses: {
        200: json(
          object({
            data: list(object({ ...record, pending: nullable(text('The repair that waits to be replayed.')) })),
            rules: list(object({ table: text(), rule: text(), description: text(), records: whole() })),
            page: ref('schemas', 'Page'),
          }),
          'A page of records.',
          ['ETag'],
        ),
        ...problems(400, 403, 404),
      },
    },
  },
  '/v1/admin/quarantine/{record}': {
    get: {
      operationId: 'getQuarantined',
      summary: 'A record as it came, field by field, beside its reasons.',
      tags,
      parameters: [inPath('record')],
      responses: {
        200: json(
          object({
            data: object({
              ...record,
              reasons: list(object({ rule: text(), description: text() })),
              fields: list(
                object({
                  field: text(),
                  text: nullable(text('As it came.')),
                  parsed: nullable(text('As it is read.')),
                  broken: list(text()),
                }),
              ),
              same_key: list(
                object({
                  load: whole(),
                  file: text(),
                  row: whole(),
                  line: nullable(whole()),
                  standing: { type: 'string', enum: ['winner', 'rejected', 'other'] },
                }),
              ),
              repaired: {
                anyOf: [
                  object({
                    repair: text(),
                    state: { type: 'string', enum: ['pending', 'replayed', 'withdrawn', 'dropped'] },
                    by: text(),
                    at: instant,
                    reason: nullable(text()),
                    after: nullable(text()),
                  }),
                  { type: 'null' },
                ],
              },
            }),
          }),
          'The record.',
          ['ETag'],
        ),
        ...problems(400, 403, 404),
      },
    },
  },
  '/v1/admin/quarantine/{record}/repair': {
    post: {
      operationId: 'repairRecord',
      summary: 'Drafts a repair of one record, judged by the rules of its table. Nothing moves before it is replayed.',
      tags,
      parameters: [inPath('record')],
      requestBody: body({
        ...change,
        record: { type: 'object', description: 'The whole record, where it could not be told apart into fields.' },
      }),
      responses: { 201: json(object({ data: draft }), 'The draft.'), ...problems(400, 403, 404, 409, 413, 415) },
    },
  },
  '/v1/admin/quarantine/repair': {
    post: {
      operationId: 'repairByRule',
      summary: 'Drafts a repair of every open record that breaks a rule.',
      tags,
      requestBody: body({ ...change, rule: text(), table: text(), file: text(), run: text(), text: text() }, ['rule']),
      responses: { 201: json(object({ data: draft }), 'The draft.'), ...problems(400, 403, 404, 409, 413, 415) },
    },
  },
  '/v1/admin/quarantine/repairs': {
    get: {
      operationId: 'listPendingRepairs',
      summary: 'Repairs that wait to be replayed, and those whose records are no longer as they were.',
      tags,
      responses: {
        200: json(object({ data: list(object(repair)), left_out: leftOut }), 'The repairs.', ['ETag']),
        ...problems(400, 403, 404),
      },
    },
  },
  '/v1/admin/quarantine/repairs/{repair}': {
    delete: {
      operationId: 'dropRepair',
      summary: 'Drops a pending repair.',
      tags,
      parameters: [inPath('repair')],
      requestBody: body({ reason }),
      responses: {
        200: json(object({ data: object({ repair: text(), undone: { const: 'dropped' } }) }), 'It is dropped.'),
        ...problems(400, 403, 404, 409),
      },
    },
  },
  '/v1/admin/quarantine/preview': {
    post: {
      operationId: 'previewRepairs',
      summary: 'What a replay would do to tables and daily figures; changes nothing.',
      tags,
      requestBody: body({ repairs: list(text()), reason }),
      responses: {
        200: json(
          object({
            data: object({
              repairs: list(text()),
              left_out: leftOut,
              plan: { type: ['object', 'null'], description: 'As `npx shopsmart plan --json` prints it.' },
            }),
          }),
          'The plan.',
        ),
        ...problems(400, 403, 404, 409),
      },
    },
  },
  '/v1/admin/quarantine/replay': {
    post: {
      operationId: 'replayRepairs',
      summary: 'Queues a run that publishes pending repairs: all, or those named.',
      tags,
      parameters: [idempotency],
      requestBody: body({ repairs: list(text()), reason }),
      responses: {
        200: json(object({ data: { type: 'null' }, left_out: leftOut }), 'Nothing is to be replayed.'),
        202: json(queued, 'The run is queued.', ['Location']),
        ...problems(400, 403, 404, 409, 422, 503),
      },
    },
  },
  ...Object.fromEntries(
    [
      ['undo', 'Drops a pending repair, or queues a run that takes a replayed one back.'],
      ['redo', 'Queues a run after which a repair counts again that was undone.'],
    ].map(([name, summary]) => [
      `/v1/admin/quarantine/${name}`,
      {
        post: {
          operationId: `${name}Repair`,
          summary,
          tags,
          parameters: [idempotency],
          requestBody: body({ repair: text(), reason }, ['repair']),
          responses: {
            ...(name === 'undo'
              ? {
                  200: json(
                    object({ data: object({ repair: text(), undone: { const: 'dropped' } }) }),
                    'It is dropped.',
                  ),
                }
              : {}),
            202: json(queued, 'The run is queued.', ['Location']),
            ...problems(400, 403, 404, 409, 422, 503),
          },
        },
      },
    ]),
  ),
  '/v1/admin/quarantine/audit': {
    get: {
      operationId: 'auditRepairs',
      summary: 'Who repaired what, newest first.',
      tags,
      parameters: [parameter('query', 'limit', { type: 'integer', minimum: 1, maximum: 1000, default: 50 })],
      responses: {
        200: json(
          object({
            data: list(
              object({
                at: instant,
                by: text(),
                action: { type: 'string', enum: ['draft', 'drop', 'replay', 'undo', 'redo'] },
                repairs: list(text()),
                reason: nullable(text()),
                run_id: nullable(text()),
                release: nullable(whole('That the run published.')),
                records: nullable(whole()),
                changes: list(object({ id: text(), before: nullable(text()), after: nullable(text()) })),
              }),
            ),
          }),
          'The actions.',
          ['ETag'],
        ),
        ...problems(400, 403, 404),
      },
    },
  },
};
