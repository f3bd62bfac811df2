/** Relations that a query reads, as it names them (`silver.orders`, `valid.customers`), each once, in order of appearance. */
export function inputsOf(sql: string): readonly string[] {
  const code = sql.replace(/--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'/g, ' ');
  const names = code.matchAll(/(?:\b(?:from|join)\b|,)\s*((?:bronze|silver|gold|parsed|valid)\.[a-z_][a-z0-9_]*)/gi);
  return [...new Set([...names].map((match) => (match[1] ?? '').toLowerCase()))];
}

/** The query as it reads from elsewhere: SQL by the name of each relation, which stays where there is none. */
export function reading(sql: string, from: (relation: string) => string | undefined): string {
  return sql
    .replace(/('(?:[^']|'')*')|--[^\n]*/g, (_, text?: string) => text ?? ' ')
    .replace(
      /((?:\b(?:from|join)\b|,)\s*)((?:bronze|silver|gold|parsed|valid|measures)\.[a-z_][a-z0-9_]*)/gi,
      (text, before: string, relation: string) => {
        const other = from(relation.toLowerCase());
        return other === undefined ? text : `${before}${other}`;
      },
    );
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
