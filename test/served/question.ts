import type { Column, ColumnType, TableContract } from '#contracts';

/** A value of a column as `shopsmart sql --json` shows it. */
export type Shown = string | number | boolean | null;

/** A question in a form of its own: each door gets it in its own words. */
export interface Question {
  readonly contract: TableContract;
  readonly conditions: readonly Condition[];
  /** Rows of these columns, first in an order by `sort`; or groups with a sum. */
  readonly asks:
    | {
        readonly kind: 'rows';
        readonly columns: readonly string[];
        readonly sort: string;
        readonly descending: boolean;
        readonly limit: number;
      }
    | { readonly kind: 'groups'; readonly by: string; readonly monthly: boolean; readonly sum: string };
}

export interface Condition {
  /** `product.category` for a column of a related table. */
  readonly path: string;
  readonly type: ColumnType;
  readonly operator: 'eq' | 'ne' | 'lt' | 'gte' | 'in' | 'contains' | 'null';
  readonly values: readonly Shown[];
}

export const tableName = ({ name }: TableContract): string => name.slice('gold/'.length);

/** Query parameters of the rows or the aggregate. */
export function toRest({ contract, conditions, asks }: Question): string {
  const parameters = new URLSearchParams();
  for (const { path, operator, values } of conditions) {
    for (const value of operator === 'in' ? [values.join(',')] : values) {
      parameters.append(`filter[${path}][${operator}]`, String(value));
    }
  }
  const route = `/v1/products/${tableName(contract)}`;
  if (asks.kind === 'rows') {
    parameters.append('select', asks.columns.join(','));
    parameters.append('sort', `${asks.descending ? '-' : ''}${asks.sort}`);
    parameters.append('limit', String(asks.limit));
    return `${route}/rows?${parameters.toString()}`;
  }
  parameters.append('group', asks.monthly ? `month(${asks.by})` : asks.by);
  parameters.append('measure', `count(),sum(${asks.sum})`);
  parameters.append('limit', '10000');
  return `${route}/aggregate?${parameters.toString()}`;
}

/** Written for this test, from the contract's words alone. */
export function toSql({ contract, conditions, asks }: Question): string {
  const column = (path: string) => (path.includes('.') ? path : `t.${path}`);
  const joined = conditions.some(({ path }) => path.startsWith('product.'));
  const from = `${tableName(contract)} t${joined ? ' LEFT JOIN dim_product product ON product.product_sk = t.product_sk' : ''}`;
  const where = ['true', ...conditions.map((condition) => conditionSql(column(condition.path), condition))];
  if (asks.kind === 'rows') {
    const order = [`${column(asks.sort)} ${asks.descending ? 'DESC NULLS LAST' : 'ASC NULLS FIRST'}`];
    order.push(...contract.key.map((name) => `${column(name)} ASC NULLS FIRST`));
    return `SELECT ${asks.columns.map(column).join(', ')} FROM ${from} WHERE ${where.join(' AND ')} ORDER BY ${order.join(', ')} LIMIT ${asks.limit}`;
  }
  const group = asks.monthly
    ? `CAST(date_trunc('month', ${column(asks.by)}) AS DATE) AS ${asks.by}_month`
    : column(asks.by);
  return `SELECT ${group}, count(*) AS count, sum(${column(asks.sum)}) AS sum_${asks.sum} FROM ${from} WHERE ${where.join(' AND ')} GROUP BY 1 ORDER BY 1 NULLS FIRST`;
}

/** A document with its variables. */
export function toGraphql({ contract, conditions, asks }: Question) {
  const table = camel(tableName(contract));
  const type = `${table.charAt(0).toUpperCase()}${table.slice(1)}`;
  const filter = { and: conditions.map(conditionInput) };
  if (asks.kind === 'rows') {
    const query = `query ($filter: ${type}Filter, $first: Int) {
      answer: ${table}(filter: $filter, first: $first, orderBy: [{ column: ${camel(asks.sort)}, direction: ${asks.descending ? 'DESC' : 'ASC'} }]) {
        nodes { ${asks.columns.map(camel).join(' ')} }
      }
    }`;
    return { query, variables: { filter, first: asks.limit } };
  }
  const key = asks.monthly ? `${camel(asks.by)}_month` : camel(asks.by);
  const query = `query ($filter: ${type}Filter) {
    answer: ${table}Aggregate(filter: $filter, groupBy: [${key}], first: 10000) {
      keys { ${key} } count sum { ${camel(asks.sum)} }
    }
  }`;
  return { query, variables: { filter } };
}

/** What GraphQL answered, as rows of the other doors (decimals and BIGINT as text). */
export function rowsOfGraphql(question: Question, answer: unknown): readonly Readonly<Record<string, unknown>>[] {
  const { asks } = question;
  if (asks.kind === 'rows') {
    const { nodes } = answer as { readonly nodes: readonly Readonly<Record<string, unknown>>[] };
    return nodes.map((node) => Object.fromEntries(asks.columns.map((name) => [name, node[camel(name)]])));
  }
  const groups = answer as readonly {
    readonly keys: Readonly<Record<string, unknown>>;
    readonly count: number;
    readonly sum: Readonly<Record<string, unknown>>;
  }[];
  return groups.map(({ keys, count, sum }) => ({
    [asks.monthly ? `${asks.by}_month` : asks.by]: Object.values(keys)[0],
    count,
    [`sum_${asks.sum}`]: sum[camel(asks.sum)],
  }));
}

/** The columns of the answer that GraphQL gives as text. */
export function textColumns({ contract, asks }: Question): ReadonlySet<string> {
  if (asks.kind === 'groups') return new Set([`sum_${asks.sum}`, ...textual(contract.columns, [asks.by])]);
  return new Set(textual(contract.columns, asks.columns));
}

function textual(columns: Readonly<Record<string, Column>>, names: readonly string[]): readonly string[] {
  return names.filter((name) => ['decimal', 'long'].includes(columns[name]?.type.kind ?? ''));
}

function conditionSql(column: string, { operator, values, type }: Condition): string {
  const [value] = values.map((one) => literal(one, type));
  switch (operator) {
    case 'eq':
      return `${column} = ${value}`;
    case 'ne':
      return `${column} IS DISTINCT FROM ${value}`;
    case 'lt':
      return `${column} < ${value}`;
    case 'gte':
      return `${column} >= ${value}`;
    case 'in':
      return `coalesce(${column} IN (${values.map((one) => literal(one, type)).join(', ')}), false)`;
    case 'contains':
      return `contains(${column}, ${value})`;
    case 'null':
      return `${column} IS ${values[0] === true ? '' : 'NOT '}NULL`;
  }
}

function conditionInput({ path, operator, values, type }: Condition): object {
  const value = values.map((one) => (type.kind === 'decimal' || type.kind === 'long' ? String(one) : one));
  const condition = operator === 'null' ? { isNull: values[0] } : { [operator]: operator === 'in' ? value : value[0] };
  return path.split('.').reduceRight<object>((inner, part) => ({ [camel(part)]: inner }), condition);
}

function literal(value: Shown | undefined, type: ColumnType): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const text = `'${String(value).replaceAll("'", "''")}'`;
  if (type.kind === 'timestamp') return `CAST(${text} AS TIMESTAMP WITH TIME ZONE)`;
  return type.kind === 'date' ? `CAST(${text} AS DATE)` : text;
}

function camel(name: string): string {
  return name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
