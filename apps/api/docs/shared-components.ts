import { formats } from '../products/answer-form.js';
import { parameter } from './operation.js';
import { filterSchemas } from './filter-schema.js';
import { flag, list, nullable, object, ref, text, whole, type Node } from './schema.js';

const instant: Node = { type: 'string', format: 'date-time' };
const day: Node = { type: 'string', format: 'date' };
const anything: Node = {};
const amount: Node = { type: ['number', 'string', 'null'] };
const byName = (values: Node): Node => ({ type: 'object', additionalProperties: values });

const freshness = object({
  release: whole(),
  as_of: day,
  published_at: instant,
  changed_in: nullable(whole('The release that last changed it.')),
  rows: nullable(whole()),
  complete_until: byName(nullable(text())),
});

const productSummary = {
  name: text('As in paths.'),
  describes: text(),
  version: whole('Of the contract.'),
  owner: { type: 'string', enum: ['batch', 'stream'] },
  key: list(text()),
  freshness: { anyOf: [freshness, { type: 'null' }], description: 'Null before the first release.' },
};

const releaseSummary = {
  id: whole(),
  as_of: day,
  published_at: instant,
  parent: nullable(whole()),
  mode: { type: 'string', enum: ['full', 'incremental', 'stream', 'rollback'] },
  rollback_to: nullable(whole('Of a rollback: the release whose state it has again.')),
  run_id: text(),
  changed_tables: list(text()),
};

const run = {
  run_id: text(),
  state: {
    type: 'string',
    enum: ['queued', 'running', 'published', 'nothing_new', 'check_failed', 'failed', 'cancelled', 'lost'],
  },
  origin: { type: 'string', enum: ['queue', 'command'] },
  requested_by: nullable(text()),
  request: object(
    {
      as_of: day,
      full: flag(),
      tables: list(text()),
      reason: text(),
      repairs: list(text('That it replays.')),
      withdraw: list(object({ source: text(), load: whole() })),
      restore: list(object({ source: text(), load: whole() })),
    },
    [],
  ),
  as_of: nullable(day),
  created_at: instant,
  started_at: nullable(instant),
  finished_at: nullable(instant),
  attempts: whole('Times that a worker took it up.'),
  release: nullable(whole('What it published.')),
  stages: list(
    object({
      stage: { type: 'string', enum: ['load', 'silver', 'gold', 'ml', 'checks', 'publish'] },
      state: { type: 'string', enum: ['waiting', 'running', 'done', 'failed'] },
      done: whole(),
      total: whole(),
      started_at: nullable(instant),
      finished_at: nullable(instant),
    }),
  ),
  error: { anyOf: [object({ code: text(), message: text() }), { type: 'null' }] },
};

/** Schemas that belong to no single product. */
const figures = byName({ type: ['number', 'null'] });
const causeChange = object({
  cause: { type: 'string', enum: ['new', 'late', 'repair', 'withdrawn', 'as_of', 'rule'] },
  change: figures,
});

export const sharedSchemas: Readonly<Record<string, Node>> = {
  ...filterSchemas,
  AnyFilter: { anyOf: [ref('schemas', 'NumberFilter'), ref('schemas', 'TextFilter')] },
  Page: object(
    { next_cursor: nullable(text('Of the next page; null on the last.')), total: whole('With count=true.') },
    ['next_cursor'],
  ),
  ReleaseLabel: {
    ...object({ id: whole(), as_of: day, published_at: instant }),
    description: 'The newest release, not after the one asked, that changed a table which the answer reads.',
  },
  GroupsPage: object({
    data: list({ ...byName(anything), description: 'The group columns, then the measures.' }),
    page: ref('schemas', 'Page'),
    release: ref('schemas', 'ReleaseLabel'),
  }),
  Provenance: object({
    data: list(
      object({
        table: text('Of the source: `bronze.orders`.'),
        load: whole('That brought it.'),
        file: text('Below the landing folder.'),
        line: nullable(whole('On which the record starts; null in a JSON array.')),
        row: whole('Its place in the file, from 1.'),
        record: nullable(
          text(
            'Verbatim of a JSON source, else its fields as a JSON object. Without the scope pii:read personal fields are null.',
          ),
        ),
        repair: {
          anyOf: [
            object({
              repair: text('Its number.'),
              by: text(),
              at: instant,
              reason: nullable(text()),
              load: whole('By which it came.'),
              record: nullable(text('What counts in place of the record.')),
            }),
            { type: 'null' },
          ],
        },
      }),
    ),
    sources: list(object({ table: text(), rows: whole('Records on all pages.') })),
    through: list(object({ table: text(), rows: whole(), keys: list(text('Of the first rows.')) })),
    shared: {
      ...list(object({ table: text(), rows: whole(), how: text() })),
      description: 'Rows that weigh in as a whole, as in means and fifths: counted, not listed.',
    },
    page: object({ next_cursor: nullable(text('Of the next page; null on the last.')), total: whole() }),
    release: ref('schemas', 'ReleaseLabel'),
  }),
  Explanation: object({
    measure: text(),
    value: amount,
    unit: text(),
    definition: text('What is counted and what is not.'),
    rows_counted: whole(),
    left_out: list(
      object({
        reason: text('`quarantined`, `orphaned`, `duplicate`, or another that the definition names.'),
        rules: list(text('That the records broke.')),
        rows: whole(),
        amount: { ...amount, description: 'What they would have added; null where nobody knows.' },
      }),
    ),
    previous: {
      anyOf: [object({ release: whole(), value: amount }), { type: 'null' }],
      description: 'The release before the one that last changed the table.',
    },
    changes: {
      ...list(
        object({
          cause: { type: 'string', enum: ['new', 'late', 'repair', 'as_of', 'rule', 'withdrawn'] },
          rows: whole(),
          amount,
        }),
      ),
      description: 'Amounts sum to the value less the previous one.',
    },
    release: ref('schemas', 'ReleaseLabel'),
  }),
  ProductSummary: object(productSummary),
  Product: object({
    ...productSummary,
    table: text('In the lake.'),
    columns: list(
      object({
        name: text(),
        type: text('As SQL writes it.'),
        nullable: flag(),
        description: text(),
        unit: nullable(text()),
        pii: { enum: ['pii', 'pseudonym', null] },
        selected_by_default: flag(),
      }),
    ),
    sort_by: list(text()),
    partition_by: list(text()),
    relations: list(object({ name: text(), to: text(), columns: list(text()), references: list(text()) })),
    metrics: list(anything),
    checks: list(object({ name: text(), severity: { type: 'string', enum: ['error', 'warn'] }, description: text() })),
    lineage: object({ inputs: list(text()) }),
    deprecation: { type: 'null' },
  }),
  ReleaseSummary: object(releaseSummary),
  Release: object({
    ...releaseSummary,
    tables: list(object({ table: text(), rows: whole(), changed_in: whole() })),
    checks: list(object({ table: text(), name: text(), severity: text(), passed: flag(), failing_rows: whole() })),
    loads: { ...byName(whole()), description: 'Last load consumed, by source.' },
    complete_until: byName(nullable(text())),
    withdrawn: list(object({ source: text(), load: whole() })),
    proof: {
      ...nullable(
        object({
          verdict: { type: 'string', enum: ['ok', 'differs', 'unproven'] },
          proved_at: text(),
          seconds: { type: 'number' },
          rows_compared: whole(),
          rows_differing: whole(),
          checks_failed: whole(),
          tables: list(
            object({
              table: text(),
              verdict: { type: 'string', enum: ['same', 'differs', 'other_rules', 'not_compared'] },
              rows: whole(),
              missing: whole(),
              unexpected: whole(),
              changed: whole(),
            }),
          ),
          failed_checks: list(object({ table: nullable(text()), name: text(), severity: text(), failing: whole() })),
        }),
      ),
      description: 'What `shopsmart prove` last said of the release; null until it did.',
    },
  }),
  ReleaseDiff: object({
    before: whole(),
    after: whole(),
    tables: list(
      object({
        table: text(),
        rows_before: whole(),
        rows_after: whole(),
        added: whole(),
        removed: whole(),
        changed: whole('Rows of the same key that say something else.'),
        columns_added: list(text()),
        columns_removed: list(text()),
      }),
    ),
    daily: object({
      table: text(),
      total: whole('Days and groups that differ.'),
      causes: list(causeChange),
      days: list(
        object({
          key: { ...byName(nullable(text())), description: 'The day and its group.' },
          before: { anyOf: [figures, { type: 'null' }] },
          after: { anyOf: [figures, { type: 'null' }] },
          change: { ...figures, description: 'The sum of its causes, exactly.' },
          causes: list(causeChange),
        }),
      ),
    }),
  }),
  RunRequest: {
    ...object(
      {
        as_of: { ...day, description: 'The day on which it starts unless given.' },
        full: flag('Recompute everything.'),
        tables: list(text('`gold/fact_sales`, or `fact_sales`: recomputed in full, with all that depends on them.')),
        reason: { ...text(), maxLength: 1000 },
      },
      [],
    ),
    additionalProperties: false,
  },
  Plan: object({
    plan_id: text(),
    state: { type: 'string', enum: ['waiting', 'planned', 'failed'] },
    request: ref('schemas', 'RunRequest'),
    error: { anyOf: [object({ code: text(), message: text() }), { type: 'null' }] },
    plan: {
      description: `What a run would do: outcome, the release it stands on, files, tables (rows, changed keys, files, partitions,
bytes), checks, and daily figures that would move, before and after. Null unless planned.`,
    },
  }),
  Run: object(run),
  RunWithReport: object({ ...run, report: { description: 'What the run reported; null before it ended.' } }),
  Readiness: object({
    status: { type: 'string', enum: ['ok', 'degraded', 'unavailable'] },
    release: { anyOf: [object({ id: whole(), as_of: day, published_at: instant }), { type: 'null' }] },
    store: flag('The store of the lake can be read.'),
    records: flag('PostgreSQL can be reached.'),
    queue: flag('Runs can be queued.'),
  }),
  Problem: {
    ...object(
      {
        type: text('/problems/CODE'),
        title: text(),
        status: whole(),
        detail: text(),
        instance: text(),
        code: text(),
        errors: list(
          object(
            {
              parameter: text('In the URL, or a header.'),
              pointer: text('In the body.'),
              code: text(),
              detail: text(),
            },
            ['code', 'detail'],
          ),
        ),
        request_id: text(),
      },
      ['type', 'title', 'status', 'detail', 'code', 'request_id'],
    ),
    description: 'RFC 9457.',
  },
  ProblemType: object({ code: text(), status: whole(), title: text(), description: text() }),
};

export const sharedParameters: Readonly<Record<string, Node>> = {
  release: parameter(
    'query',
    'release',
    { type: 'integer', minimum: 1 },
    { description: 'Any kept release; the newest unless given.' },
  ),
  releaseHeader: parameter(
    'header',
    'X-Release',
    { type: 'integer', minimum: 1 },
    { description: 'As the parameter release.' },
  ),
  limit: parameter(
    'query',
    'limit',
    { type: 'integer', minimum: 1 },
    {
      description: '100 unless given and at most 10,000 in JSON; csv and ndjson give all rows unless it is given.',
    },
  ),
  cursor: parameter('query', 'cursor', text(), {
    description: '`page.next_cursor` of an earlier answer to the same query.',
  }),
  format: parameter('query', 'format', { type: 'string', enum: formats }, { description: 'Goes before Accept.' }),
  decimals: parameter(
    'query',
    'decimals',
    { type: 'string', enum: ['number', 'string'], default: 'number' },
    {
      description: '`string` quotes decimals, for readers that would take them for binary fractions.',
    },
  ),
  excel: parameter(
    'query',
    'excel',
    { type: 'boolean', default: false },
    {
      description: 'In csv: a byte order mark, and a quote before text that Excel would run as a formula.',
    },
  ),
  count: parameter(
    'query',
    'count',
    { type: 'boolean', default: false },
    { description: 'Count the rows of all pages.' },
  ),
  groupSort: parameter('query', 'sort', list(text()), {
    style: 'form',
    explode: false,
    description: 'Columns of the answer; with `-` descending.',
  }),
};

export const sharedHeaders: Readonly<Record<string, Node>> = {
  'X-Release': { description: 'The release asked.', schema: whole() },
  'X-Data-As-Of': { description: 'Its as_of.', schema: day },
  'X-Complete-Until': {
    description: 'Up to when each source is complete, as a dictionary (RFC 9651).',
    schema: text(),
  },
  'X-Contract': { description: 'Name and version of the contract: `fact_sales@1`.', schema: text() },
  'X-Masked-Columns': { description: 'Columns that are null because the caller lacks pii:read.', schema: text() },
  ETag: { description: 'Strong where the answer follows from a release. Send it as If-None-Match.', schema: text() },
  Location: { description: 'Where to look the run up.', schema: text() },
};
