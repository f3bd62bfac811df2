import { assertNever, LakeError } from '#errors';
import type { ColumnType, Schema, SchemaField } from './schema.js';

interface StructField {
  readonly name: string;
  readonly type: unknown;
  readonly nullable?: boolean;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** `metaData.schemaString` (PROTOCOL.md, "Schema Serialization Format"). Refuses names that a reader could not tell apart. */
export function encodeSchema(schema: Schema): string {
  const seen = new Set<string>();
  for (const { name, type } of schema) {
    if (name === '' || /[ ,;{}()\n\t=]/.test(name)) {
      throw badColumn(name, 'has a character that Delta does not allow in names (space , ; { } ( ) = tab line end)');
    }
    if (seen.has(name.toLowerCase())) throw badColumn(name, 'comes twice, as names without case');
    if (type.kind === 'decimal' && !isDecimal(type.precision, type.scale)) {
      throw badColumn(
        name,
        `is decimal(${type.precision},${type.scale}); a decimal has 1 to 38 digits, and no more behind its point`,
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

export function badColumn(name: string, what: string): LakeError {
  return new LakeError('delta.bad_column', 'invalid', `Column '${name}' ${what}. Change the table's contract.`, {
    at: { field: name },
  });
}

function isDecimal(precision: number, scale: number): boolean {
  return precision >= 1 && precision <= 38 && scale >= 0 && scale <= precision;
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
      nullable: field.nullable !== false,
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
  } else if (isStringArray(type)) {
    return { kind: 'strings' };
  }
  throw new LakeError(
    'delta.unsupported_type',
    'invalid',
    `Column ${name} has the type ${JSON.stringify(type)}, which lake tables do not use. Cast it to string, integer, long, decimal, boolean, date, timestamp or array<string>.`,
    { at: { field: name } },
  );
}

function isStringArray(type: unknown): boolean {
  const { type: kind, elementType } = (type ?? {}) as { readonly type?: unknown; readonly elementType?: unknown };
  return kind === 'array' && elementType === 'string';
}
