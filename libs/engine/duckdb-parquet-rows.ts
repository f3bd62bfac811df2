import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { LakeError } from '#errors';
import type { Action, ParquetRows } from '#delta';
import type { DuckDbEngine } from './duckdb-engine.js';
import { quoteText } from './sql-text.js';

type Fields = Readonly<Record<string, string>>;

const TEXT_MAP = 'MAP(VARCHAR, VARCHAR)';

/** The columns of a classic checkpoint (PROTOCOL.md, "Checkpoints"). `commitInfo` has no place in one. */
const CHECKPOINT: Readonly<Record<string, Fields>> = {
  protocol: {
    minReaderVersion: 'INTEGER',
    minWriterVersion: 'INTEGER',
    readerFeatures: 'VARCHAR[]',
    writerFeatures: 'VARCHAR[]',
  },
  metaData: {
    id: 'VARCHAR',
    name: 'VARCHAR',
    description: 'VARCHAR',
    format: `STRUCT(provider VARCHAR, options ${TEXT_MAP})`,
    schemaString: 'VARCHAR',
    partitionColumns: 'VARCHAR[]',
    configuration: TEXT_MAP,
    createdTime: 'BIGINT',
  },
  add: {
    path: 'VARCHAR',
    partitionValues: TEXT_MAP,
    size: 'BIGINT',
    modificationTime: 'BIGINT',
    dataChange: 'BOOLEAN',
    stats: 'VARCHAR',
    tags: TEXT_MAP,
  },
  remove: {
    path: 'VARCHAR',
    deletionTimestamp: 'BIGINT',
    dataChange: 'BOOLEAN',
    extendedFileMetadata: 'BOOLEAN',
    partitionValues: TEXT_MAP,
    size: 'BIGINT',
  },
  txn: { appId: 'VARCHAR', version: 'BIGINT', lastUpdated: 'BIGINT' },
};

/** DuckDB takes twice as much memory for reading JSON, so more is asked for only where a line is longer. */
const SHORT_LINE_BYTES = 1024 * 1024;

/** Checkpoints by way of DuckDB: actions are JSON lines on one side and Parquet on the other. */
export class DuckDbParquetRows implements ParquetRows {
  constructor(private readonly engine: DuckDbEngine) {}

  async readCheckpoint(localFile: string): Promise<readonly Action[]> {
    const columns = await this.#presentColumns(localFile);
    if (columns.length === 0) {
      throw new LakeError(
        'delta.bad_checkpoint',
        'corrupt',
        `${localFile} has no action column of a Delta checkpoint`,
        {
          at: { path: localFile },
        },
      );
    }
    const select = columns.map(({ action, fields }) => {
      const picked = fields.map((field) => `${quoteText(field)}: "${action}"."${field}"`).join(', ');
      return `CASE WHEN "${action}" IS NOT NULL THEN CAST(to_json({${picked}}) AS VARCHAR) END AS "${action}"`;
    });
    const actions: Action[] = [];
    for await (const rows of this.engine.stream(
      `SELECT ${select.join(', ')} FROM read_parquet(${quoteText(localFile)})`,
    )) {
      for (const row of rows) {
        for (const { action } of columns) {
          const text = row[action];
          if (typeof text === 'string') actions.push(toAction(action, text));
        }
      }
    }
    return actions;
  }

  async writeCheckpoint(localFile: string, actions: readonly Action[]): Promise<number> {
    const lines = `${localFile}.${randomUUID()}.ndjson`;
    const columns = Object.entries(CHECKPOINT).map(([action, fields]) => {
      const types = Object.entries(fields).map(([field, type]) => `${field} ${type}`);
      return `${action}: 'STRUCT(${types.join(', ')})'`;
    });
    let longest = SHORT_LINE_BYTES;
    const measured = function* () {
      for (const line of actionLines(actions)) {
        longest = Math.max(longest, 2 * Buffer.byteLength(line));
        yield line;
      }
    };
    try {
      await pipeline(Readable.from(measured()), createWriteStream(lines));
      const options =
        `format = 'newline_delimited', compression = 'uncompressed', maximum_object_size = ${longest}, ` +
        `columns = {${columns.join(', ')}}`;
      await this.engine.copyParquet(`SELECT * FROM read_json(${quoteText(lines)}, ${options})`, localFile);
    } finally {
      await rm(lines, { force: true });
    }
    return (await stat(localFile)).size;
  }

  /** What of a checkpoint's columns this file has: other writers add and leave out some. */
  async #presentColumns(localFile: string): Promise<readonly { action: string; fields: readonly string[] }[]> {
    const fieldsOf = await this.engine.structFields(`SELECT * FROM read_parquet(${quoteText(localFile)})`);
    return Object.entries(CHECKPOINT).flatMap(([action, fields]) => {
      const present = new Set(fieldsOf.get(action) ?? []);
      const kept = Object.keys(fields).filter((field) => present.has(field));
      return kept.length === 0 ? [] : [{ action, fields: kept }];
    });
  }
}

function* actionLines(actions: readonly Action[]): Iterable<string> {
  for (const action of actions) {
    if (!('commitInfo' in action)) yield `${JSON.stringify(action)}\n`;
  }
}

/** Parquet has NULL where JSON has no field; a NULL inside a map (a partition value) stays. */
function toAction(action: string, text: string): Action {
  const fields = JSON.parse(text) as Record<string, unknown>;
  const present = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
  if (action === 'metaData') present['configuration'] ??= {};
  return { [action]: present } as Action;
}
