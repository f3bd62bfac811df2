/** `net_line_total` is `netLineTotal` in GraphQL: what is snake_case at the other doors is camelCase in this folder. */
export function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

export function capital(name: string): string {
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

/** What REST shows, with names as GraphQL has them. Keys that are data (sources) have to be made values before. */
export function camelCased(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelCased);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [camelCase(name), camelCased(part)]));
}

/** `{orders: x}` as `[{source: 'orders', <name>: x}]`. */
export function bySource(record: Readonly<Record<string, unknown>>, name: string): readonly object[] {
  return Object.entries(record).map(([source, value]) => ({ source, [name]: value }));
}
