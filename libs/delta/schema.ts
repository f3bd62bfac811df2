/** The closed list of column types that a lake table may have. Anything else is refused before a byte is written. */
export type ColumnType =
  | { readonly kind: 'string' | 'integer' | 'long' | 'boolean' | 'date' | 'timestamp' }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'strings' };

export interface SchemaField {
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
  readonly comment?: string;
}

export type Schema = readonly SchemaField[];
