/** The closed list of types that a column of the lake may have. */
export type ColumnType =
  | { readonly kind: 'string' | 'integer' | 'long' | 'boolean' | 'date' | 'timestamp' }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'strings' };

/** `pii` identifies a person; a `pseudonym` stands for one and can be guessed back. Neither is shared without its scope. */
export type PiiClass = 'pii' | 'pseudonym';

export interface Column {
  readonly type: ColumnType;
  readonly description: string;
  readonly unit?: string;
  readonly pii?: PiiClass;
  readonly nullable: boolean;
}

export const text = (description: string): Column => column({ kind: 'string' }, description);
export const integer = (description: string, unit?: string): Column => column({ kind: 'integer' }, description, unit);
/** An INTEGER that counts things. */
export const count = (description: string): Column => integer(description, 'count');
export const long = (description: string, unit?: string): Column => column({ kind: 'long' }, description, unit);
export const decimal = (precision: number, scale: number, description: string, unit?: string): Column =>
  column({ kind: 'decimal', precision, scale }, description, unit);
/** DECIMAL(18,2) in the shop's currency. */
export const money = (description: string): Column => decimal(18, 2, description, 'currency');
/** DECIMAL(9,2): a percentage, unless another unit is given. */
export const rate = (description: string, unit = '%'): Column => decimal(9, 2, description, unit);
export const date = (description: string): Column => column({ kind: 'date' }, description);
export const timestamp = (description: string): Column => column({ kind: 'timestamp' }, description, 'UTC');
export const strings = (description: string): Column => column({ kind: 'strings' }, description);
/** A BOOLEAN that may be unknown, as sources have them. */
export const maybe = (description: string): Column => column({ kind: 'boolean' }, description);
/** A derived BOOLEAN: unknown is false, so it is never NULL. */
export const flag = (description: string): Column => required(maybe(description));

/** The column is never NULL. */
export const required = (base: Column): Column => ({ ...base, nullable: false });
export const pii = (base: Column): Column => ({ ...base, pii: 'pii' });
export const pseudonym = (base: Column): Column => ({ ...base, pii: 'pseudonym' });

/** `DECIMAL(18,2)`: how people and documents write the type. */
export function typeName(type: ColumnType): string {
  switch (type.kind) {
    case 'decimal':
      return `DECIMAL(${type.precision},${type.scale})`;
    case 'long':
      return 'BIGINT';
    case 'strings':
      return 'LIST<STRING>';
    default:
      return type.kind.toUpperCase();
  }
}

function column(type: ColumnType, description: string, unit?: string): Column {
  return { type, description, nullable: true, ...(unit === undefined ? {} : { unit }) };
}
