import { bronzeColumns, type Source } from '#contracts';
import type { Schema } from '#delta';
import { schemaOf } from '../lake-schema.js';

/** Columns of a bronze table, as its files are written. */
export function bronzeSchema(source: Source): Schema {
  return schemaOf(bronzeColumns(source));
}
