import { assert } from '#errors';
import { sqlName, type TableContract } from '#contracts';
import { toDuckDbType, type Parameter } from '#engine';
import type { DayRange } from './day-counts.js';
import { fieldAt, related, type Field, type Tables } from './field.js';
import { filterSql, type SqlColumn } from './filter-sql.js';
import { afterSql, orderBySql, reversed, type OrderColumn, type Position } from './keyset.js';
import { bucketSql, groupsOutputs, measureSql, type OutputColumn } from './output.js';
import { QueryError, type Problem } from './problem.js';
import type { Filter, GroupsQuery, Query, RowsQuery } from './query.js';
import { filterPaths } from './read-tables.js';
import { Bindings, quoted } from './sql.js';
import { valueSql } from './value.js';

/** Without it, columns that identify a person, or stand for one, are NULL and cannot be asked by. */
export const PRIVATE_SCOPE = 'pii:read';

/** The column of a group query's result that says how many groups there are. */
export const GROUPS_COLUMN = '#groups';

export interface Statement {
  readonly sql: string;
  readonly parameters: readonly Parameter[];
}

export interface CompiledQuery extends Statement {
  /** The answer's columns, in order. The result may have more, which begin with `#`. */
  readonly columns: readonly OutputColumn[];
  /** Those that are NULL for want of a scope. */
  readonly maskedColumns: readonly string[];
  /** Where a row's place in the order is read from, in order. */
  readonly order: readonly OrderColumn[];
}

export interface CompileOptions {
  /** Rows after this place (before it, for a backward query). */
  readonly after?: Position;
  /** Rows at most; the query's limit unless given. */
  readonly limit?: number | 'all';
  /** Only rows of these days. */
  readonly within?: DayRange;
  readonly relationOf?: RelationOf;
}

/** The relation, as SQL, that a table's rows are read from; their own names unless told (`"gold"."fact_sales"`). */
export type RelationOf = (contract: TableContract) => string;

/**
 * The statement that answers a query for a caller: identifiers come from contracts, every value is a parameter.
 * A backward query gives its rows from the last to the first. Throws `PII_SCOPE_REQUIRED`.
 */
export function compileQuery(
  query: Query,
  contract: TableContract,
  tables: Tables,
  scopes: ReadonlySet<string>,
  options: CompileOptions = {},
): CompiledQuery {
  refusePrivate(query, contract, tables, scopes);
  const source = new TableSource(contract, tables, options.relationOf ?? relationSql);
  return query.kind === 'rows' ? compileRows(query, source, scopes, options) : compileGroups(query, source, options);
}

/** Columns, by what they are to be called, of the rows that pass a filter; in no order. Refuses nothing. */
export function filteredSql(
  select: Readonly<Record<string, string>>,
  where: Filter,
  contract: TableContract,
  from: { readonly tables: Tables; readonly relationOf: RelationOf; readonly bindings: Bindings },
): string {
  const source = new TableSource(contract, from.tables, from.relationOf);
  const columns = Object.entries(select).map(([name, path]) => `${source.column(path).sql} AS ${quoted(name)}`);
  const filter = filterSql(where, (path) => source.column(path), from.bindings);
  return `SELECT ${columns.join(', ')} FROM ${source.from()}${whereSql(filter)}`;
}

/** The statement that counts the rows or groups of all pages, as `total`. Throws `PII_SCOPE_REQUIRED`. */
export function compileTotal(
  query: Query,
  contract: TableContract,
  tables: Tables,
  scopes: ReadonlySet<string>,
  relationOf: RelationOf = relationSql,
): Statement {
  refusePrivate(query, contract, tables, scopes);
  const source = new TableSource(contract, tables, relationOf);
  const bindings = new Bindings();
  if (query.kind === 'groups') {
    const groups = groupsSql(query, source, bindings);
    return {
      sql: `SELECT count(*) AS total FROM (${groups.sql}) a${whereSql(groups.having)}`,
      parameters: bindings.values,
    };
  }
  const filter = filterSql(query.where, (path) => source.column(path), bindings);
  return { sql: `SELECT count(*) AS total FROM ${source.from()}${whereSql(filter)}`, parameters: bindings.values };
}

function compileRows(
  query: RowsQuery,
  source: TableSource,
  scopes: ReadonlySet<string>,
  options: CompileOptions,
): CompiledQuery {
  const bindings = new Bindings();
  const fields = query.select.map((path) => source.field(path));
  const masked = fields.filter((field) => field.isPrivate && !scopes.has(PRIVATE_SCOPE)).map(({ path }) => path);
  const served = new Set(query.select.filter((path) => !masked.includes(path)));
  const sort = [...query.sort, ...ascending(source.contract.key)].filter(isFirst);
  const order = sort.map(({ path, descending }) => {
    return { ...source.column(path), descending, output: served.has(path) ? path : `#${path}` };
  });
  const outputs = fields.map(({ path, type }) =>
    served.has(path)
      ? `${source.column(path).sql} AS ${quoted(path)}`
      : `CAST(NULL AS ${toDuckDbType(type)}) AS ${quoted(path)}`,
  );
  const hidden = order
    .filter(({ output }) => !served.has(output))
    .map(({ sql, output }) => `${sql} AS ${quoted(output)}`);
  const filter = filterSql(query.where, (path) => source.column(path), bindings);
  const direction = query.backward === true ? reversed(order) : order;
  const after = options.after === undefined ? undefined : afterSql(direction, options.after, bindings);
  const days = options.within === undefined ? [] : daysSql(options.within, source, bindings);
  const sql =
    `SELECT ${[...outputs, ...hidden].join(', ')} FROM ${source.from()}${whereSql(filter, after, ...days)}` +
    ` ORDER BY ${orderBySql(direction)}${limitSql(options.limit ?? query.limit)}`;
  const columns = fields.map(({ path, type }) => ({ name: path, type, path }));
  return { sql, parameters: bindings.values, columns, maskedColumns: masked, order };
}

function compileGroups(query: GroupsQuery, source: TableSource, options: CompileOptions): CompiledQuery {
  const bindings = new Bindings();
  const { sql: inner, having, columns } = groupsSql(query, source, bindings);
  const sort = [...query.sort, ...ascending(query.group.map(({ name }) => name))].filter(isFirst);
  const order = sort.map(({ path, descending }) => ({ ...outputColumn(path, columns, 'g'), descending, output: path }));
  const direction = query.backward === true ? reversed(order) : order;
  const after = options.after === undefined ? undefined : afterSql(direction, options.after, bindings);
  const named = columns.map(({ name }) => `g.${quoted(name)}`);
  const counted = `SELECT a.*, count(*) OVER () AS ${quoted(GROUPS_COLUMN)} FROM (${inner}) a${whereSql(having)}`;
  const sql =
    `SELECT ${[...named, `g.${quoted(GROUPS_COLUMN)}`].join(', ')} FROM (${counted}) g${whereSql(after)}` +
    `${order.length === 0 ? '' : ` ORDER BY ${orderBySql(direction)}`}${limitSql(options.limit ?? query.limit)}`;
  return { sql, parameters: bindings.values, columns, maskedColumns: [], order };
}

/** Groups and measures with their names, and the condition on them. */
function groupsSql(query: GroupsQuery, source: TableSource, bindings: Bindings) {
  const { group, measures } = query;
  const columns = groupsOutputs(group, measures, (path) => source.field(path).type);
  const groups = group.map(({ path, bucket }) => {
    const { sql, type } = source.column(path);
    return bucket === undefined ? sql : bucketSql(bucket, sql, type);
  });
  const measured = measures.map((measure) => {
    const column = measure.path === undefined ? undefined : source.column(measure.path);
    return measureSql(measure, column?.sql ?? '', column?.type);
  });
  const outputs = [...groups, ...measured].map((sql, n) => `${sql} AS ${quoted(columns[n]?.name ?? '')}`);
  const filter = filterSql(query.where, (path) => source.column(path), bindings);
  const grouped = groups.length === 0 ? '' : ` GROUP BY ${groups.map((_, n) => n + 1).join(', ')}`;
  const sql = `SELECT ${outputs.join(', ')} FROM ${source.from()}${whereSql(filter)}${grouped}`;
  const having = filterSql(query.having, (name) => outputColumn(name, columns, 'a'), bindings);
  return { sql, having, columns };
}

function outputColumn(name: string, columns: readonly OutputColumn[], alias: string): SqlColumn {
  const column = columns.find((candidate) => candidate.name === name);
  assert(column !== undefined, `${name} was parsed`);
  return { sql: `${alias}.${quoted(name)}`, type: column.type, nullable: true };
}

/** The table of a query, joined to those that its paths lead to: each relation once, by outer joins to a key. */
class TableSource {
  readonly #aliases = new Map<string, string>([['', 't']]);
  readonly #joins: string[] = [];

  constructor(
    readonly contract: TableContract,
    private readonly tables: Tables,
    private readonly relationOf: RelationOf,
  ) {}

  field(path: string): Field {
    const field = fieldAt(path, this.contract, this.tables);
    assert(field !== undefined, `${path} was parsed`);
    return field;
  }

  column(path: string): SqlColumn {
    const { relations, column, type, nullable } = this.field(path);
    return { sql: `${this.#aliasOf(relations)}.${quoted(column)}`, type, nullable };
  }

  /** After all columns were named. */
  from(): string {
    return [`${this.relationOf(this.contract)} t`, ...this.#joins].join(' ');
  }

  #aliasOf(relations: readonly string[]): string {
    let alias = 't';
    let owner = this.contract;
    relations.forEach((name, n) => {
      const prefix = relations.slice(0, n + 1).join('.');
      const next = related(name, owner, this.tables);
      assert(next !== undefined, `${prefix} was parsed`);
      const joined = this.#aliases.get(prefix) ?? `r${this.#aliases.size}`;
      if (!this.#aliases.has(prefix)) {
        this.#aliases.set(prefix, joined);
        const { columns, references } = next.relation;
        const on = columns.map(
          (column, at) => `${joined}.${quoted(references[at] ?? '')} = ${alias}.${quoted(column)}`,
        );
        this.#joins.push(`LEFT JOIN ${this.relationOf(next.contract)} ${joined} ON ${on.join(' AND ')}`);
      }
      [alias, owner] = [joined, next.contract];
    });
    return alias;
  }
}

function refusePrivate(query: Query, contract: TableContract, tables: Tables, scopes: ReadonlySet<string>): void {
  if (scopes.has(PRIVATE_SCOPE)) return;
  const paths = (items: readonly { readonly path?: string }[]) => items.flatMap(({ path }) => path ?? []);
  const asked: readonly (readonly [string, readonly string[]])[] =
    query.kind === 'rows'
      ? [
          ['/where', filterPaths(query.where)],
          ['/sort', paths(query.sort)],
        ]
      : [
          ['/where', filterPaths(query.where)],
          ['/group', paths(query.group)],
          ['/measures', paths(query.measures)],
        ];
  const problems = asked.flatMap(([pointer, names]) =>
    [...new Set(names)]
      .filter((path) => fieldAt(path, contract, tables)?.isPrivate === true)
      .map((path): Problem => {
        return { pointer, code: 'PII_SCOPE_REQUIRED', detail: `${path} needs the scope ${PRIVATE_SCOPE}` };
      }),
  );
  if (problems.length === 0) return;
  const list = problems.map(({ pointer, detail }) => `${pointer}: ${detail}`).join('; ');
  throw new QueryError('PII_SCOPE_REQUIRED', 'forbidden', `The query asks by personal data: ${list}.`, problems);
}

function daysSql({ column, from, to }: DayRange, source: TableSource, bindings: Bindings): readonly string[] {
  const { sql, type } = source.column(column);
  const start = (day: string) => valueSql(type.kind === 'date' ? day : `${day}T00:00:00Z`, type, bindings);
  return [
    ...(from === undefined ? [] : [`${sql} >= ${start(from)}`]),
    ...(to === undefined ? [] : [`${sql} < ${start(to)}`]),
  ];
}

function whereSql(...conditions: readonly (string | undefined)[]): string {
  const needed = conditions.filter((condition) => condition !== undefined && condition !== 'TRUE');
  return needed.length === 0 ? '' : ` WHERE ${needed.join(' AND ')}`;
}

/** A number of ours, so it may stand in the text: engines only use an index of the first rows where they see it. */
function limitSql(limit: number | 'all'): string {
  if (limit === 'all') return '';
  assert(Number.isSafeInteger(limit) && limit >= 0, 'a limit is a count');
  return ` LIMIT ${limit}`;
}

function ascending(paths: readonly string[]): readonly { readonly path: string; readonly descending: boolean }[] {
  return paths.map((path) => ({ path, descending: false }));
}

function isFirst(item: { readonly path: string }, n: number, items: readonly { readonly path: string }[]): boolean {
  return items.findIndex(({ path }) => path === item.path) === n;
}

function relationSql(contract: TableContract): string {
  return sqlName(contract.name).split('.').map(quoted).join('.');
}
