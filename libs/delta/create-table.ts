import type { Action, Metadata } from './action.js';
import type { Schema } from './schema.js';
import { badColumn, encodeSchema } from './schema-string.js';

export interface TableDefinitionText {
  readonly partitionBy: readonly string[];
  readonly description: string;
  readonly configuration: Readonly<Record<string, string>>;
}

/** At least as long as releases are kept: until there is retention, for ever in human terms. */
const KEEP = 'interval 36500 days';

/** The first actions of a table: reader 1 / writer 2, which every Delta client reads. */
export function createActions(
  schema: Schema,
  { id, nowMs, ...text }: TableDefinitionText & { readonly id: string; readonly nowMs: number },
): readonly Action[] {
  checkPartitions(schema, text.partitionBy);
  const metaData: Metadata = {
    id,
    description: text.description,
    format: { provider: 'parquet', options: {} },
    schemaString: encodeSchema(schema),
    partitionColumns: text.partitionBy,
    configuration: {
      'delta.deletedFileRetentionDuration': KEEP,
      'delta.logRetentionDuration': KEEP,
      ...text.configuration,
    },
    createdTime: nowMs,
  };
  return [{ protocol: { minReaderVersion: 1, minWriterVersion: 2 } }, { metaData }];
}

/** A table's new schema: the identity and the settings of the old one stay. */
export function metadataAction(
  before: Metadata,
  schema: Schema,
  { partitionBy, description, configuration }: TableDefinitionText,
): Action {
  checkPartitions(schema, partitionBy);
  return {
    metaData: {
      ...before,
      description,
      schemaString: encodeSchema(schema),
      partitionColumns: partitionBy,
      configuration: { ...before.configuration, ...configuration },
    },
  };
}

/** A partition's value is text in the log, and files hold the other columns: one has to be left. */
function checkPartitions(schema: Schema, partitionBy: readonly string[]): void {
  for (const [at, name] of partitionBy.entries()) {
    const field = schema.find((column) => column.name === name);
    if (field === undefined) throw badColumn(name, 'is partitioned by, and the schema does not have it');
    if (field.type.kind === 'strings') throw badColumn(name, 'is a list, which cannot be partitioned by');
    if (partitionBy.indexOf(name) !== at) throw badColumn(name, 'is partitioned by twice');
  }
  const last = partitionBy.at(-1);
  if (last !== undefined && partitionBy.length === schema.length) {
    throw badColumn(last, 'is partitioned by like all others, which leaves nothing to store in files');
  }
}
