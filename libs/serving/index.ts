export { answerQuery, streamQuery, type Answer, type Asked, type StreamedAnswer } from './answer.js';
export { AnswerCache, type CachedAnswer } from './answer-cache.js';
export { answerKey, scopeClass, strongEtag, type AnswerIdentity, type ScopeClass } from './answer-key.js';
export {
  Answers,
  type AnswersOptions,
  type AskedRelease,
  type PinnedRelease,
  type ReleaseLabel,
  type Want,
} from './answers.js';
export { openCursor, type Cursor } from './cursor.js';
export { fieldAt, related, type Field, type Tables } from './field.js';
export { bucketType, measureType, type OutputColumn } from './output.js';
export { parseQuery } from './parse-query.js';
export { at as pointerAt, QueryError, type Problem } from './problem.js';
export { bucketUnits, DEFAULT_LIMIT, MAX_LIMIT } from './query.js';
export type { Filter, GroupColumn, GroupsQuery, Measure, Query, RowsQuery, Sort } from './query.js';
export { tablesRead } from './read-tables.js';
export {
  csvHeader,
  csvRowWriter,
  engineTextColumns,
  jsonRowWriter,
  textColumns,
  type TextColumn,
} from './row-format.js';
export { restKey, whereKey } from './rest-key.js';
export { explain, placeOf, type Explanation } from './explain/explain.js';
export { boundTables, type OpenTables } from './open-tables.js';
export {
  tablesBehind,
  type ProvenancePage,
  type ProvenanceQuestion,
  type ShownRecord,
} from './provenance/provenance-page.js';
export { MAX_RECORDS, traceRow, type Trace } from './provenance/trace-row.js';
