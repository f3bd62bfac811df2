import { DuckDBTypeId, type DuckDBType, type DuckDBValue, type DuckDBValueConverter } from '@duckdb/node-api';
import type { Value } from './engine.js';

/**
 * DuckDB's values as ours. The package's own JSON form of a timestamp follows the time zone of the process, so instants
 * are written here from their microseconds.
 */
export const toValue: DuckDBValueConverter<Value> = (value: DuckDBValue, type: DuckDBType): Value => {
  if (value === null) return null;
  switch (type.typeId) {
    case DuckDBTypeId.BOOLEAN:
      return value as boolean;
    case DuckDBTypeId.TINYINT:
    case DuckDBTypeId.SMALLINT:
    case DuckDBTypeId.INTEGER:
    case DuckDBTypeId.FLOAT:
    case DuckDBTypeId.DOUBLE:
      return value as number;
    case DuckDBTypeId.TIMESTAMP:
    case DuckDBTypeId.TIMESTAMP_TZ:
      return toInstantText((value as { readonly micros: bigint }).micros);
    case DuckDBTypeId.LIST: {
      const { items } = value as { readonly items: readonly DuckDBValue[] };
      return items.map((item) => (item === null ? null : String(item)));
    }
    default:
      return typeof value === 'string' ? value : String(value);
  }
};

const POSITIVE_INFINITY = 9223372036854775807n;

/** RFC 3339 in UTC; a fraction only where there is one. */
function toInstantText(micros: bigint): string {
  if (micros >= POSITIVE_INFINITY) return 'infinity';
  if (micros <= -POSITIVE_INFINITY) return '-infinity';
  let seconds = micros / 1_000_000n;
  let fraction = micros % 1_000_000n;
  if (fraction < 0n) {
    seconds -= 1n;
    fraction += 1_000_000n;
  }
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, -5);
  return fraction === 0n ? `${whole}Z` : `${whole}.${String(fraction).padStart(6, '0').replace(/0+$/, '')}Z`;
}
