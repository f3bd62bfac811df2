export interface ProblemType {
  readonly status: number;
  readonly title: string;
  /** What the asker can do. */
  readonly description: string;
}

/** Every problem that a request can cause, by its public code: `/problems/CODE` tells the same. */
export const problemTypes: Readonly<Record<string, ProblemType>> = {
  'query-invalid': {
    status: 400,
    title: 'The query cannot be answered',
    description: 'Each mistake is in errors, with the parameter or the place in the body that it is in.',
  },
  'cursor-mismatch': {
    status: 400,
    title: 'The cursor belongs to another query',
    description: 'Send a cursor with the query that it came from, or leave it out to start anew.',
  },
  'explain-not-possible': {
    status: 400,
    title: 'The figure cannot be explained',
    description: 'The detail names the products and measures that can be.',
  },
  'too-many-groups': {
    status: 400,
    title: 'The query has too many groups',
    description: 'At most 10,000 groups are answered: filter more, or group by fewer columns.',
  },
  'request-invalid': {
    status: 400,
    title: 'The request is wrong',
    description: 'Each mistake is in errors, with the parameter, header or place in the body that it is in.',
  },
  'request-unreadable': {
    status: 400,
    title: 'The request cannot be read',
    description: 'Send well-formed HTTP; a body must be JSON and not empty.',
  },
  'quarantine-bad-id': {
    status: 400,
    title: 'That is no id of a record',
    description: 'An id is SOURCE:LOAD:ORDINAL, as in the list.',
  },
  'quarantine-bad-change': {
    status: 400,
    title: 'A change cannot be made',
    description: 'Set fields that the source has, or what is inside a JSON field.',
  },
  'quarantine-bad-record': {
    status: 400,
    title: 'The record is not one JSON object',
    description: 'Send the whole record as one JSON object.',
  },
  'quarantine-changes-nothing': {
    status: 400,
    title: 'The repair would change nothing',
    description: 'The records are so already.',
  },
  'quarantine-malformed': {
    status: 400,
    title: 'The record could not be told apart into fields',
    description: 'Send the whole record in record.',
  },
  'quarantine-of-stream': {
    status: 400,
    title: 'Records of a stream cannot be repaired',
    description: 'Send the event again.',
  },
  'quarantine-still-broken': {
    status: 400,
    title: 'The record would still be rejected',
    description: 'Change what breaks the rules in the detail too, or force the repair.',
  },
  'quarantine-unknown-field': {
    status: 400,
    title: 'The source has no such field',
    description: 'The detail names the fields there are.',
  },
  'quarantine-unknown-source': {
    status: 400,
    title: 'There is no such source',
    description: 'The detail names the sources there are.',
  },
  'quarantine-unknown-table': {
    status: 400,
    title: 'No such table rejects records',
    description: 'The detail names the tables that do.',
  },
  'quarantine-which-table': {
    status: 400,
    title: 'The rule is one of several tables',
    description: 'Say which table.',
  },
  'pii-scope-required': {
    status: 403,
    title: 'The query asks by private columns',
    description: 'Filters, sorts, groups and measures over columns with personal data need the scope pii:read.',
  },
  'request-scope-required': {
    status: 403,
    title: 'A scope is missing',
    description: 'Ask with a caller that holds the scope named in the detail.',
  },
  'request-cross-origin': {
    status: 403,
    title: 'Another origin may not ask',
    description: 'Requests of pages from other origins are refused.',
  },
  'request-not-found': { status: 404, title: 'There is nothing here', description: '/docs lists all routes.' },
  'product-not-found': {
    status: 404,
    title: 'There is no such product',
    description: 'GET /v1/products lists all products.',
  },
  'row-not-found': {
    status: 404,
    title: 'There is no row with that key',
    description: 'In this release no row has the key.',
  },
  'release-not-found': {
    status: 404,
    title: 'There is no such release',
    description: 'GET /v1/releases lists the releases that are kept.',
  },
  'plan-not-found': {
    status: 404,
    title: 'There is no such plan',
    description: 'Plans are kept for an hour. POST /v1/admin/plan makes one.',
  },
  'run-not-found': { status: 404, title: 'There is no such run', description: 'GET /v1/admin/runs lists the runs.' },
  'quarantine-not-found': {
    status: 404,
    title: 'There is no such record in quarantine',
    description: 'GET /v1/admin/quarantine lists the records there are.',
  },
  'quarantine-nothing-to-repair': {
    status: 404,
    title: 'No open record breaks the rule',
    description: 'GET /v1/admin/quarantine counts open records by rule.',
  },
  'quarantine-unknown-repair': {
    status: 404,
    title: 'There is no such repair',
    description: 'GET /v1/admin/quarantine/audit names all repairs.',
  },
  'request-method': {
    status: 405,
    title: 'The method does not work here',
    description: 'The header Allow names the methods that do.',
  },
  'request-not-acceptable': {
    status: 406,
    title: 'There is no such format',
    description: 'Answers come as application/json, text/csv and application/x-ndjson.',
  },
  'run-of-command-line': {
    status: 409,
    title: 'The run belongs to a command line',
    description: 'Stop it where it was started.',
  },
  'run-ended': { status: 409, title: 'The run has ended', description: 'A run that ended cannot be cancelled.' },
  'quarantine-pending': {
    status: 409,
    title: 'The record is part of a pending repair',
    description: 'Replay or drop that repair first.',
  },
  'quarantine-repaired': {
    status: 409,
    title: 'The record was repaired',
    description: 'Undo its repair first to repair it otherwise.',
  },
  'quarantine-not-pending': {
    status: 409,
    title: 'The repair is not pending',
    description:
      'One that was replayed is undone; one that was undone is done again; one that was dropped is drafted again.',
  },
  'quarantine-not-undone': {
    status: 409,
    title: 'The repair was not undone',
    description: 'Only a repair that was undone after its replay can be done again.',
  },
  'quarantine-undone': { status: 409, title: 'The repair is undone already', description: 'There is nothing to undo.' },
  'quarantine-stale': {
    status: 409,
    title: 'The records are no longer as they were',
    description: 'Drop the repair, and draft it again.',
  },
  'quarantine-contended': {
    status: 409,
    title: 'Too many repair at the same moment',
    description: 'Send the request again.',
  },
  'release-gone': {
    status: 410,
    title: 'The release is no longer kept',
    description: 'Ask a newer release; a cursor of a removed release cannot be continued.',
  },
  'request-too-large': {
    status: 413,
    title: 'The body is too large',
    description: 'A body may have at most 1 MB.',
  },
  'request-media-type': {
    status: 415,
    title: 'The body is in a format that is not read',
    description: 'Send application/json.',
  },
  'request-misdirected': {
    status: 421,
    title: 'This server does not answer for that host',
    description: 'Ask for localhost, a loopback address or the public URL of the server.',
  },
  'run-idempotency-mismatch': {
    status: 422,
    title: 'The Idempotency-Key was used for another request',
    description: 'Send another key, or the same request again.',
  },
  'request-headers-too-large': {
    status: 431,
    title: 'The request line or a header is too large',
    description: 'Long questions go into the body of POST …/query.',
  },
  internal: {
    status: 500,
    title: 'The server made a mistake',
    description: 'The log of the server has more under the request id.',
  },
  unavailable: {
    status: 503,
    title: 'Something that the answer needs cannot be reached',
    description: 'Try again later; the log of the server has more under the request id.',
  },
  'release-none': {
    status: 503,
    title: 'There is no release yet',
    description: 'Start a run; when it has published, ask again.',
  },
  'serving-busy': {
    status: 503,
    title: 'Too many questions are waiting',
    description: 'Ask again after the seconds that Retry-After says.',
  },
  'serving-timeout': {
    status: 504,
    title: 'The question took too long',
    description: 'Filter more, select fewer columns, or ask for less at once.',
  },
  'queue-unavailable': {
    status: 503,
    title: 'The queue of the workers cannot be reached',
    description: 'Try again when it is back.',
  },
  'records-unavailable': {
    status: 503,
    title: 'The records of runs cannot be reached',
    description: 'Try again when the database is back.',
  },
};

/** `query.invalid` → `query-invalid`; of mistakes too. */
export function publicCode(code: string): string {
  return code.replaceAll(/[._]/g, '-').toLowerCase();
}
