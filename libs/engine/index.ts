export { DuckDbEngine, type DuckDbOptions } from './duckdb-engine.js';
export { preludeDigestText } from './prelude.js';
export type {
  BoundFile,
  BoundTable,
  ColumnStats,
  Engine,
  MaterialiseTarget,
  Parameter,
  Row,
  Value,
  WrittenFile,
} from './engine.js';
