import { lakeColumns, recordText, sqlName, type Catalogue, type TableContract } from '#contracts';
import { toDuckDbType, type Row, type Value } from '#engine';
import { assert } from '#errors';
import type { Statement } from '../compile.js';
import { consideredSql, repairsSql } from '../considered.js';
import type { OpenTables } from '../open-tables.js';
import { Bindings, quoted } from '../sql.js';
import { POSITION, type Link, type Pair, type TracePlan } from './trace-plan.js';

/** A row that is traced. */
export interface TracedRow {
  readonly contract: TableContract;
  /** In the lake's columns; those that its release does not have yet are missing. */
  readonly row: Row;
}

/** Where a bronze record stands. */
export interface Place {
  readonly load: number;
  readonly file: string;
  readonly row: number;
}

/** Which of the records are listed: the first of each source, or so many of all sources, one source after the other. */
export type Listed = { readonly each: number } | { readonly offset: number; readonly limit: number };

/** What is read, and where it is read from. */
export interface TraceFrom {
  readonly catalogue: Catalogue;
  readonly tables: OpenTables;
}

/**
 * The rows of every table behind a row: `relation`, their number `total`, and `key` as a list of texts, or of bronze the
 * place and `listed`. Of computed tables the first `keys` are given, of bronze those that are listed, and one at least.
 * What is shared is counted alone, as relation `#0`, `#1`, …
 */
export function rowsBehindSql(
  plan: TracePlan,
  start: TracedRow,
  from: TraceFrom,
  keys: number,
  listed: Listed,
): Statement {
  const statement = new TraceStatement(plan, start, from);
  const computed = plan.through.map((table) => statement.firstKeys(table, keys));
  const records = plan.sources.length === 0 ? [] : [statement.places(listed)];
  const shared = plan.shared.map(
    (link, n) => `SELECT '#${n}', count(*), 1, NULL, NULL, NULL, NULL, FALSE FROM ${statement.linked(link)}`,
  );
  return statement.of(
    `SELECT * FROM (${[...computed, ...records, ...shared].join(' UNION ALL ')})
    AS t (relation, total, n, key, ${POSITION.join(', ')}, listed) ORDER BY relation ASC NULLS FIRST, n ASC NULLS FIRST`,
  );
}

/** The records at places of sources: `relation`, the place, the line and the `record` as it came; in any order. */
export function recordsSql(
  places: readonly { readonly table: string; readonly places: readonly Place[] }[],
  { catalogue, tables }: TraceFrom,
): Statement {
  const bindings = new Bindings();
  const whole = (value: number) => `CAST(${bindings.bind(value)} AS BIGINT)`;
  const selects = places.flatMap(({ table, places }) => {
    const source = catalogue.sources.find(({ name }) => table === `bronze/${name}`);
    const relation = tables.relationOf(table);
    assert(source !== undefined && relation !== undefined, `${table} is of a source, and there`);
    const columns = [...POSITION, '_source_line'].map((column) => `i.${column}`).join(', ');
    return byFile(places).map(({ load, file, rows }) => {
      // the least and the greatest let whole row groups be skipped
      const between = `i._source_row BETWEEN ${whole(Math.min(...rows))} AND ${whole(Math.max(...rows))}`;
      // what did not come as CSV is kept verbatim, and its fields need not be read
      const record = /\.csv(\.gz)?$/.test(file) ? recordText(source, 'i') : 'i._record';
      return `SELECT '${sqlName(table)}' AS relation, ${columns}, ${record} AS record
        FROM ${relation} i WHERE i._batch_id = ${whole(load)} AND i._source_file = ${bindings.bind(file)}
        AND ${between} AND i._source_row IN (${rows.map(whole).join(', ')})`;
    });
  });
  return { sql: selects.join(' UNION ALL '), parameters: bindings.values };
}

/** The repairs of records at places of a source, by their places; undefined where the source has none. */
export function repairsOfSql(source: string, places: readonly Place[], { tables }: TraceFrom): Statement | undefined {
  const repairs = repairsSql(tables, source);
  if (repairs === undefined) return undefined;
  const bindings = new Bindings();
  const whole = (value: number) => `CAST(${bindings.bind(value)} AS BIGINT)`;
  const listed = places.map(({ load, file, row }) => `(${whole(load)}, ${bindings.bind(file)}, ${whole(row)})`);
  return {
    sql: `SELECT original_load AS _batch_id, original_file AS _source_file, original_row AS _source_row,
        repair, repaired_by, repaired_at, reason, r._batch_id AS load, r.after AS record
      FROM ${repairs} r JOIN (VALUES ${listed.join(', ')}) p (load, file, row)
      ON r.original_load = p.load AND r.original_file = p.file AND r.original_row = p.row`,
    parameters: bindings.values,
  };
}

function byFile(places: readonly Place[]) {
  const files = new Map<string, { readonly load: number; readonly file: string; readonly rows: number[] }>();
  for (const { load, file, row } of places) {
    const name = `${load} ${file}`;
    const found = files.get(name) ?? { load, file, rows: [] };
    found.rows.push(row);
    files.set(name, found);
  }
  return [...files.values()];
}

/** One statement over the rows that a row follows from: those of a table are a CTE over those of the tables it feeds. */
class TraceStatement {
  readonly #bindings = new Bindings();
  readonly #ctes = new Map<string, string>();

  constructor(
    private readonly plan: TracePlan,
    private readonly start: TracedRow,
    private readonly from: TraceFrom,
  ) {}

  /** The first rows of a computed table in the order of its key, with their number in all. */
  firstKeys(table: string, most: number): string {
    const key = this.#contract(table).key.map(quoted);
    const by = key.map((column) => `${column} ASC NULLS FIRST`).join(', ');
    const texts = key.map((column) => `CAST(${column} AS VARCHAR)`).join(', ');
    const numbered = `SELECT *, count(*) OVER () AS total, row_number() OVER (ORDER BY ${by}) AS n FROM ${this.#rows(table)}`;
    return `SELECT '${sqlName(table)}', total, n, [${texts}], NULL, NULL, NULL, FALSE FROM (${numbered}) WHERE n <= ${this.#bindings.bind(most)}`;
  }

  /** The places of records that are listed, and the first one of each source, which says how many there are. */
  places(listed: Listed): string {
    const place = POSITION.join(', ');
    const each = this.plan.sources.map(
      ({ name }, n) =>
        `SELECT ${n} AS source, '${sqlName(`bronze/${name}`)}' AS relation, ${place} FROM ${this.#rows(`bronze/${name}`)}`,
    );
    const order = POSITION.map((at) => `${at} ASC NULLS FIRST`).join(', ');
    const bind = (value: number) => `CAST(${this.#bindings.bind(value)} AS BIGINT)`;
    const isListed =
      'each' in listed
        ? `n <= ${bind(listed.each)}`
        : `ordinal > ${bind(listed.offset)} AND ordinal <= ${bind(listed.offset + listed.limit)}`;
    return `SELECT relation, total, n, NULL, ${place}, listed FROM (
      SELECT *, (${isListed}) AS listed FROM (
        SELECT *, count(*) OVER (PARTITION BY source) AS total,
          row_number() OVER (PARTITION BY source ORDER BY ${order}) AS n,
          row_number() OVER (ORDER BY source ASC NULLS FIRST, ${order}) AS ordinal
        FROM (${each.join(' UNION ALL ')})))
      WHERE listed OR n = 1`;
  }

  /** The rows `i` of a link, to select from. */
  linked({ table, input, pairs, except }: Link): string {
    const isStart = table === this.start.contract.name;
    const equal = pairs.map(
      ({ input, column, nullable }) => `${input} ${nullable ? 'IS NOT DISTINCT FROM' : '='} r.${quoted(column)}`,
    );
    // joins, not EXISTS, for which DuckDB reads the table twice
    const semi = isStart || equal.length === 0 ? '' : ` SEMI JOIN ${this.#rows(table)} r ON ${equal.join(' AND ')}`;
    const same = POSITION.map((at) => `q.${at} = i.${at}`).join(' AND ');
    const rejects = except === undefined ? undefined : this.from.tables.relationOf(except);
    const anti = rejects === undefined ? '' : ` ANTI JOIN ${rejects} q ON ${same}`;
    const own = isStart ? pairs.map((pair) => this.#isOfStart(pair)) : [];
    return `${this.#input(input)} i${semi}${anti}${own.length === 0 ? '' : ` WHERE ${own.join(' AND ')}`}`;
  }

  of(select: string): Statement {
    const ctes = [...this.#ctes].map(([name, sql]) => `${name} AS (${sql})`);
    return {
      sql: ctes.length === 0 ? select : `WITH ${ctes.join(', ')} ${select}`,
      parameters: this.#bindings.values,
    };
  }

  #contract(table: string): TableContract {
    const contract = this.from.catalogue.contracts.find(({ name }) => name === table);
    assert(contract !== undefined, `${table} is in the catalogue`);
    return contract;
  }

  /** Of bronze the records that count. */
  #input(table: string): string {
    const source = this.from.catalogue.sources.find(({ name }) => table === `bronze/${name}`);
    if (source !== undefined) return consideredSql(this.from.tables, source);
    const relation = this.from.tables.relationOf(table);
    assert(relation !== undefined, `${table} is in the release`);
    return relation;
  }

  /** The relation that holds the rows of a table: what identifies each, and what leads on from it. */
  #rows(table: string): string {
    const name = `rows_of_${table.replaceAll('/', '_')}`;
    if (!this.#ctes.has(name)) {
      const links = this.plan.links.filter(({ input }) => input === table);
      const columns = this.#columns(table);
      const selects = links.map((link) =>
        link.byPosition === true
          ? this.#ownPlaces(link)
          : `SELECT ${columns.map((column) => `i.${quoted(column)}`).join(', ')} FROM ${this.linked(link)}`,
      );
      this.#ctes.set(name, selects.join(' UNION '));
    }
    return name;
  }

  /** Rows of a source's table say where their records stand: bronze itself is not read for it. */
  #ownPlaces({ table }: Link): string {
    if (table !== this.start.contract.name) return `SELECT ${POSITION.join(', ')} FROM ${this.#rows(table)}`;
    return `SELECT ${POSITION.map((at) => `${this.#ofStart(at)} AS ${at}`).join(', ')}`;
  }

  #columns(table: string): readonly string[] {
    if (table.startsWith('bronze/')) return POSITION;
    const onward = [...this.plan.links, ...this.plan.shared].filter((link) => link.table === table);
    const linked = onward.flatMap(({ pairs }) => pairs.map(({ column }) => column));
    return [...new Set([...this.#contract(table).key, ...linked])];
  }

  /** Plain comparisons with the row's own values, by which files and row groups are skipped. */
  #isOfStart({ input, column }: Pair): string {
    const isNull = (this.start.row[column] ?? null) === null;
    return isNull ? `${input} IS NULL` : `${input} = ${this.#ofStart(column)}`;
  }

  #ofStart(column: string): string {
    const value: Value = this.start.row[column] ?? null;
    const type = lakeColumns(this.start.contract)[column]?.type;
    assert(type !== undefined && typeof value !== 'object', `${column} has one value`);
    return `CAST(${this.#bindings.bind(value)} AS ${toDuckDbType(type)})`;
  }
}
