import type { Column, ColumnType } from '#contracts';
import { assertNever } from '#errors';

/** A node of an OpenAPI document: plain JSON. */
export type Node = Readonly<Record<string, unknown>>;

export const ref = (kind: 'schemas' | 'parameters' | 'responses' | 'headers', name: string): Node => ({
  $ref: `#/components/${kind}/${name}`,
});

/** `fact_sales` → `FactSales` */
export function pascalCase(name: string): string {
  return name.replaceAll(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** A column of an answer: type, nullability, description, unit. */
export function columnSchema({ type, nullable, description, unit, pii }: Column): Node {
  const { type: json, ...rest } = valueSchema(type);
  return {
    type: nullable || pii !== undefined ? [json, 'null'] : json,
    ...rest,
    description: [
      description,
      unit === undefined ? '' : ` (${unit})`,
      pii === undefined ? '' : '. Null without the scope pii:read',
    ].join(''),
    ...(unit === undefined ? {} : { 'x-unit': unit }),
    ...(pii === undefined ? {} : { 'x-pii': pii }),
  };
}

/** The JSON of a value that is not NULL. */
function valueSchema(type: ColumnType): Node {
  switch (type.kind) {
    case 'string':
      return { type: 'string' };
    case 'integer':
      return { type: 'integer', format: 'int32' };
    case 'long':
      return { type: 'integer', format: 'int64' };
    case 'boolean':
      return { type: 'boolean' };
    case 'date':
      return { type: 'string', format: 'date' };
    case 'timestamp':
      return { type: 'string', format: 'date-time' };
    case 'decimal':
      return { type: 'number', 'x-precision': type.precision, 'x-scale': type.scale };
    case 'strings':
      return { type: 'array', items: { type: 'string' } };
    default:
      return assertNever(type);
  }
}

export const object = (properties: Node, required: readonly string[] = Object.keys(properties)): Node => ({
  type: 'object',
  properties,
  ...(required.length === 0 ? {} : { required }),
});

export const list = (items: Node): Node => ({ type: 'array', items });
export const text = (description?: string): Node => ({ type: 'string', ...described(description) });
export const whole = (description?: string): Node => ({ type: 'integer', ...described(description) });
export const flag = (description?: string): Node => ({ type: 'boolean', ...described(description) });
export const nullable = ({ type, ...rest }: Node): Node => ({ type: [type, 'null'], ...rest });

function described(description: string | undefined): Node {
  return description === undefined ? {} : { description };
}
