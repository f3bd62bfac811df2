import { bronzeColumns, type Source } from '#contracts';
import type { Schema } from '#delta';

/** Columns of a bronze table, as its files are written. */
export function bronzeSchema(source: Source): Schema {
  return Object.entries(bronzeColumns(source)).map(([name, { type, nullable, description }]) => ({
    name,
    type,
    nullable,
    comment: description,
  }));
}
