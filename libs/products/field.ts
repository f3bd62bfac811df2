import type { FieldParser } from '#contracts';

/** Text, trimmed; blank is NULL. For ids, and for text that a rule trims. */
export const id: FieldParser = { kind: 'id' };
/** Text as it came; blank is NULL. */
export const asIs: FieldParser = { kind: 'text' };
export const whole: FieldParser = { kind: 'integer' };
export const truth: FieldParser = { kind: 'boolean' };
export const day: FieldParser = { kind: 'date' };
export const instant: FieldParser = { kind: 'timestamp' };
export const json: FieldParser = { kind: 'json' };
export const amount: FieldParser = { kind: 'decimal', precision: 18, scale: 2 };
export const ratio: FieldParser = { kind: 'decimal', precision: 9, scale: 2 };
export const weight: FieldParser = { kind: 'decimal', precision: 9, scale: 3 };
