/** `gold/fact_sales` → `gold.fact_sales`; `bronze/quarantine/orders` → `quarantine.orders`. */
export function relationOf(table: string): string {
  const parts = table.split('/');
  return parts.slice(-2).join('.');
}

/** A name in the engine's work schema that belongs to one table: `work.new_gold_fact_sales`. */
export function workName(role: string, table: string): string {
  return `work.${role}_${table.replaceAll('/', '_')}`;
}

/** A text literal. For values of ours (paths, ids); what callers send is bound as a parameter. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Fills in the run's dates: `:as_of`, `:date_from`, `:date_to`. */
export function withDates(sql: string, dates: Readonly<Record<string, string>>): string {
  return sql.replace(/:(as_of|date_from|date_to)\b/g, (_, name: string) => `DATE ${literal(dates[name] ?? '')}`);
}

/** The query with other relations in the place of some of its inputs. */
export function withInputs(sql: string, inputs: ReadonlyMap<string, string>): string {
  let text = sql;
  for (const [name, other] of inputs) text = text.replace(new RegExp(`\\b${name.replace('.', '\\.')}\\b`, 'g'), other);
  return text;
}

/** A condition: both sides have the same values in these columns; NULL equals NULL. */
export function sameValues(left: string, leftColumns: readonly string[], right: string, rightColumns = leftColumns) {
  return leftColumns
    .map((column, n) => `${left}.${column} IS NOT DISTINCT FROM ${right}.${rightColumns[n] ?? column}`)
    .join(' AND ');
}

/** Where a record stands in bronze, within its source. */
export const PLACE = ['_batch_id', '_source_file', '_source_row'];

/** A condition: the same record of the source. */
export function samePlace(left: string, right: string): string {
  return PLACE.map((name) => `${left}.${name} = ${right}.${name}`).join(' AND ');
}
