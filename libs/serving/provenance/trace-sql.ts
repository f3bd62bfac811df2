import { lakeColumns, recordText, sqlName, type Catalogue, type TableContract } from '#contracts';
import { toDuckDbType, type Row, type Value } from '#engine';
import { assert } from '#errors';
import type { Statement } from '../compile.js';
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

/**
 * The first rows of every table behind a row, with their number in all: `relation`, `total`, and `key` as a list of
 * texts, or of bronze the place. What is shared is counted alone, as relation `#0`, `#1`, …
 */
export function rowsBehindSql(plan: TracePlan, from: TracedRow, catalogue: Catalogue, limit: number): Statement {
  const statement = new TraceStatement(plan, from, catalogue);
  const computed = plan.through.map((table) => {
    const key = statement.contract(table).key.map(quoted);
    const texts = key.map((column) => `CAST(${column} AS VARCHAR)`);
    return statement.firstRows(table, key, `[${texts.join(', ')}] AS key, NULL, NULL, NULL`, limit);
  });
  const records = plan.sources.map(({ name }) =>
    statement.firstRows(`bronze/${name}`, POSITION, `NULL, ${POSITION.join(', ')}`, limit),
  );
  const shared = plan.shared.map(
    (link, n) => `SELECT '#${n}', count(*), 1, NULL, NULL, NULL, NULL FROM ${statement.linked(link)}`,
  );
  return statement.of(
    `SELECT * FROM (${[...computed, ...records, ...shared].join(' UNION ALL ')})
    AS t (relation, total, n, key, ${POSITION.join(', ')}) ORDER BY relation ASC NULLS FIRST, n ASC NULLS FIRST`,
  );
}

/** The records at places of sources: `relation`, the place, the line and the `record` as it came; in any order. */
export function recordsSql(
  places: readonly { readonly table: string; readonly places: readonly Place[] }[],
  { sources }: Catalogue,
): Statement {
  const bindings = new Bindings();
  const whole = (value: number) => `CAST(${bindings.bind(value)} AS BIGINT)`;
  const selects = places.flatMap(({ table, places }) => {
    const source = sources.find(({ name }) => table === `bronze/${name}`);
    assert(source !== undefined, `${table} is of a source`);
    const columns = [...POSITION, '_source_line'].map((column) => `i.${column}`).join(', ');
    return byFile(places).map(({ load, file, rows }) => {
      // the least and the greatest let whole row groups be skipped
      const between = `i._source_row BETWEEN ${whole(Math.min(...rows))} AND ${whole(Math.max(...rows))}`;
      // what did not come as CSV is kept verbatim, and its fields need not be read
      const record = /\.csv(\.gz)?$/.test(file) ? recordText(source, 'i') : 'i._record';
      return `SELECT '${sqlName(table)}' AS relation, ${columns}, ${record} AS record
        FROM ${sqlName(table)} i WHERE i._batch_id = ${whole(load)} AND i._source_file = ${bindings.bind(file)}
        AND ${between} AND i._source_row IN (${rows.map(whole).join(', ')})`;
    });
  });
  return { sql: selects.join(' UNION ALL '), parameters: bindings.values };
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
    private readonly from: TracedRow,
    private readonly catalogue: Catalogue,
  ) {}

  contract(table: string): TableContract {
    const contract = this.catalogue.contracts.find(({ name }) => name === table);
    assert(contract !== undefined, `${table} is in the catalogue`);
    return contract;
  }

  /** The first rows of a table in an order, with their number in all. */
  firstRows(table: string, order: readonly string[], columns: string, limit: number): string {
    const by = order.map((column) => `${column} ASC NULLS FIRST`).join(', ');
    const numbered = `SELECT *, count(*) OVER () AS total, row_number() OVER (ORDER BY ${by}) AS n FROM ${this.#rows(table)}`;
    return `SELECT '${sqlName(table)}' AS relation, total, n, ${columns} FROM (${numbered}) WHERE n <= ${this.#bindings.bind(limit)}`;
  }

  /** The rows `i` of a link, to select from. */
  linked({ table, input, pairs, except }: Link): string {
    const isStart = table === this.from.contract.name;
    const equal = pairs.map(
      ({ input, column, nullable }) => `${input} ${nullable ? 'IS NOT DISTINCT FROM' : '='} r.${quoted(column)}`,
    );
    // joins, not EXISTS, for which DuckDB reads the table twice
    const semi = isStart || equal.length === 0 ? '' : ` SEMI JOIN ${this.#rows(table)} r ON ${equal.join(' AND ')}`;
    const same = POSITION.map((at) => `q.${at} = i.${at}`).join(' AND ');
    const anti = except === undefined ? '' : ` ANTI JOIN ${sqlName(except)} q ON ${same}`;
    const own = isStart ? pairs.map((pair) => this.#isOfStart(pair)) : [];
    return `${sqlName(input)} i${semi}${anti}${own.length === 0 ? '' : ` WHERE ${own.join(' AND ')}`}`;
  }

  of(select: string): Statement {
    const ctes = [...this.#ctes].map(([name, sql]) => `${name} AS (${sql})`);
    return {
      sql: ctes.length === 0 ? select : `WITH ${ctes.join(', ')} ${select}`,
      parameters: this.#bindings.values,
    };
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
    if (table !== this.from.contract.name) return `SELECT ${POSITION.join(', ')} FROM ${this.#rows(table)}`;
    return `SELECT ${POSITION.map((at) => `${this.#ofStart(at)} AS ${at}`).join(', ')}`;
  }

  #columns(table: string): readonly string[] {
    if (table.startsWith('bronze/')) return POSITION;
    const onward = [...this.plan.links, ...this.plan.shared].filter((link) => link.table === table);
    const linked = onward.flatMap(({ pairs }) => pairs.map(({ column }) => column));
    return [...new Set([...this.contract(table).key, ...linked])];
  }

  /** Plain comparisons with the row's own values, by which files and row groups are skipped. */
  #isOfStart({ input, column }: Pair): string {
    const isNull = (this.from.row[column] ?? null) === null;
    return isNull ? `${input} IS NULL` : `${input} = ${this.#ofStart(column)}`;
  }

  #ofStart(column: string): string {
    const value: Value = this.from.row[column] ?? null;
    const type = lakeColumns(this.from.contract)[column]?.type;
    assert(type !== undefined && typeof value !== 'object', `${column} has one value`);
    return `CAST(${this.#bindings.bind(value)} AS ${toDuckDbType(type)})`;
  }
}
