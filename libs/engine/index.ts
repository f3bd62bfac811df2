export { DuckDbEngine, type DuckDbOptions } from './duckdb-engine.js';
export { toDuckDbType, type QueryColumn } from './duckdb-type.js';
export { DuckDbParquetRows } from './duckdb-parquet-rows.js';
export { preludeDigestText } from './prelude.js';
export { lintSql, type LintFinding } from './sql-lint.js';
export type {
  BoundFile,
  BoundTable,
  ColumnStats,
  Engine,
  Layout,
  MaterialiseTarget,
  Parameter,
  Row,
  Value,
  WrittenFile,
} from './engine.js';
