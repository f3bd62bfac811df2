import type { DuckDBConnection } from '@duckdb/node-api';
import { LakeError } from '#errors';

/**
 * Lets through one SELECT over known relations. DuckDB's own parser gives the tree, so nothing depends on how the text
 * is spelled. It is the first of two layers: the sealed engine's configuration is the other.
 */
export class SelectGuard {
  constructor(private readonly relations: ReadonlySet<string>) {}

  /** Throws `sql.refused`, naming what is not allowed. */
  async check(connection: DuckDBConnection, sql: string): Promise<void> {
    const tree = await parsed(connection, sql);
    if (tree.error || tree.statements === undefined) {
      throw refused(`only a SELECT statement can be run here (${tree.error_message ?? 'not readable'})`);
    }
    if (tree.statements.length !== 1) throw refused('exactly one SELECT statement can be run at a time');
    this.#visit(tree.statements[0], new Set());
  }

  #visit(node: unknown, outerNames: ReadonlySet<string>): void {
    if (Array.isArray(node)) {
      for (const child of node) this.#visit(child, outerNames);
      return;
    }
    if (typeof node !== 'object' || node === null) return;
    const fields = node as Readonly<Record<string, unknown>>;
    const names = new Set([...outerNames, ...withNames(fields)]);
    this.#checkNode(fields, names);
    for (const child of Object.values(fields)) this.#visit(child, names);
  }

  #checkNode(node: Readonly<Record<string, unknown>>, names: ReadonlySet<string>): void {
    const type = node['type'];
    if (type === 'BASE_TABLE') {
      const schema = textOf(node['schema_name']);
      const table = textOf(node['table_name']);
      const full = schema === '' ? table : `${schema}.${table}`;
      const known =
        textOf(node['catalog_name']) === '' && (this.#knows(full) || (schema === '' && names.has(table.toLowerCase())));
      if (!known) throw refused(`there is no table ${full}: the tables are ${[...this.relations].sort().join(', ')}`);
    }
    if (type === 'TABLE_FUNCTION') {
      const name = functionName(node['function']);
      if (!ROW_FUNCTIONS.has(name)) throw refused(`${name}() may not be used as a table`);
    }
    if (type === 'FUNCTION' && REFUSED_FUNCTIONS.test(functionName(node))) {
      throw refused(`${functionName(node)}() may not be used here`);
    }
    if (type === 'SHOW_REF') throw refused('SHOW and DESCRIBE are not SELECT statements');
  }

  #knows(name: string): boolean {
    return this.relations.has(name) || this.relations.has(name.toLowerCase());
  }
}

const ROW_FUNCTIONS = new Set(['range', 'generate_series', 'unnest']);
const REFUSED_FUNCTIONS =
  /^(read_|write_|parquet_|duckdb_|pragma_|sniff_|glob$|query$|query_table$|getenv$|getvariable$|current_setting$|nextval$|currval$)/;

interface StatementTree {
  readonly error: boolean;
  readonly error_message?: string;
  readonly statements?: readonly unknown[];
}

async function parsed(connection: DuckDBConnection, sql: string): Promise<StatementTree> {
  const reader = await connection.runAndReadAll('SELECT CAST(json_serialize_sql(CAST(? AS VARCHAR)) AS VARCHAR)', [
    sql,
  ]);
  return JSON.parse(String(reader.getRows()[0]?.[0])) as StatementTree;
}

/** Names that a WITH clause of this node defines. */
function withNames(node: Readonly<Record<string, unknown>>): readonly string[] {
  const map = (node['cte_map'] as { readonly map?: unknown } | undefined)?.map;
  if (!Array.isArray(map)) return [];
  return map.map((entry) => textOf((entry as { readonly key?: unknown }).key).toLowerCase());
}

function functionName(node: unknown): string {
  return textOf((node as { readonly function_name?: unknown } | undefined)?.function_name).toLowerCase();
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function refused(reason: string): LakeError {
  return new LakeError('sql.refused', 'invalid', `this SQL is refused: ${reason}`);
}
