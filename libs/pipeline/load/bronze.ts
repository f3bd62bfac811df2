import type { Source } from '#contracts';
import type { Schema, SchemaField } from '#delta';

/** Columns of a bronze table: one text a field, then what every record carries. */
export function bronzeSchema(source: Source): Schema {
  const column = (name: string, kind: 'string' | 'long' | 'boolean' | 'date' | 'timestamp'): SchemaField => ({
    name,
    type: { kind },
    nullable: true,
  });
  return [
    ...Object.keys(source.fields).map((name) => column(name, 'string')),
    column('_rescued', 'string'),
    column('_record', 'string'),
    column('_malformed', 'boolean'),
    column('_source_file', 'string'),
    column('_source_row', 'long'),
    column('_source_line', 'long'),
    column('_loaded_at', 'timestamp'),
    column('_batch_id', 'long'),
    column('_as_of', 'date'),
  ];
}
