export {
  count,
  date,
  decimal,
  flag,
  integer,
  long,
  maybe,
  money,
  pii,
  pseudonym,
  rate,
  required,
  text,
  timestamp,
  typeName,
  type Column,
  type ColumnType,
  type PiiClass,
} from './column.js';
export type {
  Check,
  Explained,
  FieldParser,
  KeyPath,
  Layer,
  Measures,
  Owner,
  Recompute,
  Relation,
  Rule,
  SilverContract,
  Sum,
  Source,
  TableContract,
  TableDefinition,
} from './contract.js';
export type { DailyFigure, DailyFigures, DailyLines, LineRecord } from './daily-figures.js';
export { referenceCheck, requires, silverTable, source, sqlName, table, warnIfEmpty } from './table.js';
export { catalogue, inputTables, isSourceTable, type Catalogue } from './catalogue.js';
export { inputsOf, reading, tableOf } from './lineage.js';
export { measuresOf, recomputedUnits } from './measure.js';
export { checkedRelations, failingAmong, touchedRows, touchedUnits, type CheckedRelation } from './narrowed-check.js';
export { bronzeColumns, lakeColumns, loadsColumns } from './lake-column.js';
export {
  brokenAny,
  castFailures,
  parsedField,
  parsedSelect,
  recordText,
  rejectReasons,
  ruleList,
} from './source-sql.js';
export { maskedRecord } from './masked-record.js';
export { dataDictionary } from './data-dictionary.js';
