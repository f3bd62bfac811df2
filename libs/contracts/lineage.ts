/** Relations that a query reads, as it names them (`silver.orders`, `valid.customers`), each once, in order of appearance. */
export function inputsOf(sql: string): readonly string[] {
  const code = sql.replace(/--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'/g, ' ');
  const names = code.matchAll(/(?:\b(?:from|join)\b|,)\s*((?:bronze|silver|gold|parsed|valid)\.[a-z_][a-z0-9_]*)/gi);
  return [...new Set([...names].map((match) => (match[1] ?? '').toLowerCase()))];
}

/** The tables behind those relations, as contracts name them. */
export function tablesOf(sql: string): readonly string[] {
  return [...new Set(inputsOf(sql).map(tableOf))];
}

/** `parsed.orders` reads `bronze/orders`, `valid.orders` what `silver/orders` is chosen from. */
export function tableOf(relation: string): string {
  return relation
    .replace('.', '/')
    .replace(/^parsed\//, 'bronze/')
    .replace(/^valid\//, 'silver/');
}
