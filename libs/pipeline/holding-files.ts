import type { Schema } from '#delta';
import type { Engine } from '#engine';
import { bindNumbered, FILE_COLUMN, statsOf, type LiveFile, type LiveTable } from './live-table.js';
import { semiJoin } from './semi-join.js';
import { literal, workName } from './sql-name.js';

/** Each unit is compared with each file's bounds; more often than this it costs more than it saves, as many units are in nearly every file. */
const MAX_COMPARISONS = 5_000_000;

export interface Units {
  /** Staged relation: distinct values of `by`. */
  readonly relation: string;
  readonly by: readonly string[];
  readonly count: number;
}

/**
 * Numbers of the files of a table that hold a row of one of the units: those that their partition and their statistics allow, then
 * those in which the units' columns, the only ones that are read, really have one.
 */
export async function filesHolding(
  engine: Engine,
  name: string,
  table: LiveTable,
  units: Units,
  signal: AbortSignal,
): Promise<readonly number[]> {
  const likely = await filesThatMayHold(engine, table, units);
  if (likely.length <= 1) return likely;
  const looked = workName('looked', name);
  await bindNumbered(engine, looked, table, likely);
  try {
    const found = await engine.query(
      `SELECT DISTINCT ${FILE_COLUMN} AS file FROM ${looked} p${await semiJoin(engine, 'p', units)} ORDER BY file`,
      [],
      { maxRows: likely.length, signal },
    );
    return found.map((row) => Number(row['file']));
  } finally {
    await engine.drop(looked);
  }
}

async function filesThatMayHold(engine: Engine, table: LiveTable, units: Units): Promise<readonly number[]> {
  const { files, schema } = table;
  const bounded = units.by.flatMap((name) => {
    const type = sqlType(schema, name);
    return type === undefined ? [] : [{ name, type }];
  });
  if (bounded.length === 0 || files.length <= 1 || units.count * files.length > MAX_COMPARISONS)
    return [...files.keys()];
  const rows = files.map((file, at) => {
    const bounds = bounded.flatMap(({ name, type }) => {
      const { low, high, mayHoldNull, mayHoldValue } = boundsOf(file, name);
      const typed = (text: string | undefined) => `CAST(${text === undefined ? 'NULL' : literal(text)} AS ${type})`;
      return [typed(low), typed(high), String(mayHoldNull), String(mayHoldValue)];
    });
    return `(${[at, ...bounds].join(', ')})`;
  });
  const names = bounded.flatMap((_, n) => [`low${n}`, `high${n}`, `null${n}`, `value${n}`]);
  // a bound that is not known excludes nothing
  const fits = bounded.map(
    ({ name }, n) =>
      `CASE WHEN u.${name} IS NULL THEN f.null${n}
        ELSE f.value${n} AND coalesce(u.${name} >= f.low${n}, TRUE) AND coalesce(u.${name} <= f.high${n}, TRUE) END`,
  );
  const found = await engine.query(
    `SELECT file FROM (VALUES ${rows.join(', ')}) f(file, ${names.join(', ')})
    WHERE EXISTS (SELECT 1 FROM ${units.relation} u WHERE ${fits.join(' AND ')}) ORDER BY file`,
    [],
    { maxRows: files.length },
  );
  return found.map((row) => Number(row['file']));
}

/** Types whose bounds every writer gives exactly, or wider: of an instant some cut the upper one. */
function sqlType(schema: Schema, name: string): string | undefined {
  const kinds: Readonly<Record<string, string>> = {
    string: 'VARCHAR',
    integer: 'INTEGER',
    long: 'BIGINT',
    date: 'DATE',
  };
  return kinds[schema.find((field) => field.name === name)?.type.kind ?? ''];
}

function boundsOf({ add }: LiveFile, name: string) {
  if (name in add.partitionValues) {
    const value = add.partitionValues[name] ?? '';
    // an empty text means NULL
    if (value === '') return { low: undefined, high: undefined, mayHoldNull: true, mayHoldValue: false };
    return { low: value, high: value, mayHoldNull: false, mayHoldValue: true };
  }
  const { numRecords, minValues = {}, maxValues = {}, nullCount = {} } = statsOf(add);
  const [low, high] = [textOf(minValues[name]), textOf(maxValues[name])];
  const nulls = nullCount[name];
  return { low, high, mayHoldNull: nulls !== 0, mayHoldValue: nulls === undefined || nulls !== numRecords };
}

/** A number that was rounded when the statistics were read is no bound. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : undefined;
}
