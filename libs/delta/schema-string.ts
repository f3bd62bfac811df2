import { assertNever, LakeError } from '#errors';
import type { ColumnType, Schema, SchemaField } from './schema.js';

interface StructField {
  readonly name: string;
  readonly type: unknown;
  readonly nullable: boolean;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** `metaData.schemaString` (PROTOCOL.md, "Schema Serialization Format"). Refuses names that a reader could not tell apart. */
export function encodeSchema(schema: Schema): string {
  const seen = new Set<string>();
  for (const { name } of schema) {
    if (name === '' || /[ ,;{}()\n\t=]/.test(name) || seen.has(name.toLowerCase())) {
      throw new LakeError(
        'delta.bad_column',
        'invalid',
        `Column '${name}' has no name that Delta allows, or has it twice.`,
        {
          at: { field: name },
        },
      );
    }
    seen.add(name.toLowerCase());
  }
  const fields = schema.map(({ name, type, nullable, comment }) => ({
    name,
    type: encodeType(type),
    nullable,
    metadata: comment === undefined ? {} : { comment },
  }));
  return JSON.stringify({ type: 'struct', fields });
}

/** Throws `delta.unsupported_type` for a type outside the closed list, `delta.corrupt_log` for no schema at all. */
export function parseSchema(schemaString: string): Schema {
  let fields: readonly StructField[] | undefined;
  try {
    fields = (JSON.parse(schemaString) as { fields?: readonly StructField[] }).fields;
  } catch {
    fields = undefined;
  }
  if (!Array.isArray(fields)) {
    throw new LakeError(
      'delta.corrupt_log',
      'corrupt',
      `A table's schema cannot be read: ${schemaString.slice(0, 200)}`,
    );
  }
  return (fields as readonly StructField[]).map((field): SchemaField => {
    const comment = field.metadata?.['comment'];
    return {
      name: field.name,
      type: parseType(field),
      nullable: field.nullable,
      ...(typeof comment === 'string' ? { comment } : {}),
    };
  });
}

function encodeType(type: ColumnType): unknown {
  switch (type.kind) {
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`;
    case 'strings':
      return { type: 'array', elementType: 'string', containsNull: true };
    case 'string':
    case 'integer':
    case 'long':
    case 'boolean':
    case 'date':
    case 'timestamp':
      return type.kind;
    default:
      return assertNever(type);
  }
}

function parseType({ name, type }: StructField): ColumnType {
  if (typeof type === 'string') {
    const decimal = /^decimal\((\d+),\s*(\d+)\)$/.exec(type);
    if (decimal !== null) return { kind: 'decimal', precision: Number(decimal[1]), scale: Number(decimal[2]) };
    switch (type) {
      case 'string':
      case 'integer':
      case 'long':
      case 'boolean':
      case 'date':
      case 'timestamp':
        return { kind: type };
    }
  } else if ((type as { elementType?: unknown } | null)?.elementType === 'string') {
    return { kind: 'strings' };
  }
  throw new LakeError(
    'delta.unsupported_type',
    'invalid',
    `Column ${name} has the type ${JSON.stringify(type)}, which lake tables do not use. Cast it to string, integer, long, decimal, boolean, date, timestamp or array<string>.`,
    { at: { field: name } },
  );
}
