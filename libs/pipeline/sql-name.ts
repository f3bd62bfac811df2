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
