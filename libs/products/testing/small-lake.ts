import {
  bronzeColumns,
  brokenAny,
  isSourceTable,
  lakeColumns,
  loadsColumns,
  measuresOf,
  parsedSelect,
  rejectReasons,
  sqlName,
  typeName,
  type Catalogue,
  type Column,
  type SilverContract,
  type Source,
  type TableContract,
  type TableDefinition,
} from '#contracts';
import { shopCatalogue } from '../shop-catalogue.js';

/** The part of an engine that a small lake needs. */
interface SqlEngine {
  stage(name: string, sql: string): Promise<number>;
  define(name: string, sql: string): Promise<void>;
  query(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

/** One record's fields by name; `_raw` stands for a record that cannot be read. */
export type Fields = Readonly<Record<string, string | null>>;
export type ResultRow = Readonly<Record<string, unknown>>;

interface Loaded {
  readonly source: Source;
  readonly load: number;
  readonly asOf: string;
  readonly records: readonly Fields[];
}

/**
 * Runs the shop's own SQL over a handful of records, from bronze on, as a full rebuild does; no files, no releases.
 */
export class SmallLake {
  readonly catalogue: Catalogue = shopCatalogue();
  private readonly loads: Loaded[] = [];

  constructor(
    private readonly engine: SqlEngine,
    private readonly asOf: string,
    private readonly dates: { readonly from: string; readonly to: string } = { from: '2025-01-01', to: '2025-12-31' },
  ) {}

  /** One load of one file. */
  load(name: string, records: readonly Fields[], asOf = this.asOf): this {
    const source = this.catalogue.sources.find((candidate) => candidate.name === name);
    if (source === undefined) throw new Error(`no source ${name}`);
    const load = this.loads.filter((earlier) => earlier.source === source).length + 1;
    this.loads.push({ source, load, asOf, records });
    return this;
  }

  /** Computes the tables and all that they read. */
  async compute(...tables: readonly string[]): Promise<void> {
    const wanted = this.closure(tables);
    await this.fill('bronze.loads', loadsColumns(), this.loads.map(ledgerRow));
    for (const source of this.catalogue.sources) {
      const rows = this.loads.filter((loaded) => loaded.source === source).flatMap(bronzeRows);
      await this.fill(`bronze.${source.name}`, bronzeColumns(source), rows);
    }
    for (const definition of this.catalogue.tables) {
      if (wanted.has(definition.contract.name)) await this.computeTable(definition);
    }
  }

  async rows(table: string, orderBy = '1'): Promise<readonly ResultRow[]> {
    return this.engine.query(`SELECT * FROM ${sqlName(table)} ORDER BY ${orderBy}`);
  }

  /** A table's query with some of its inputs replaced by other relations. */
  query(table: string, inputs: Readonly<Record<string, string>> = {}): string {
    const { sql, contract } = this.definition(table);
    return `SELECT ${Object.keys(contract.columns).join(', ')} FROM (${this.dated(withInputs(sql, inputs))}) t`;
  }

  /** The query for a table's measures, likewise. */
  measures(table: string, inputs: Readonly<Record<string, string>> = {}): string {
    const { measuresSql = '', contract } = this.definition(table);
    const { by = [], columns = [] } = contract.recompute.measures ?? {};
    return `SELECT ${[...by, ...columns].join(', ')} FROM (${this.dated(withInputs(measuresSql, inputs))}) t`;
  }

  definition(table: string): TableDefinition {
    const definition = this.catalogue.byName.get(table);
    if (definition === undefined) throw new Error(`no table ${table}`);
    return definition;
  }

  dated(sql: string): string {
    return sql
      .replace(/:as_of\b/g, `DATE '${this.asOf}'`)
      .replace(/:date_from\b/g, `DATE '${this.dates.from}'`)
      .replace(/:date_to\b/g, `DATE '${this.dates.to}'`);
  }

  private async computeTable(definition: TableDefinition): Promise<void> {
    const { contract, sql, measuresSql } = definition;
    const name = sqlName(contract.name);
    if (isSourceTable(definition)) return this.computeSilver(definition);
    if (measuresSql !== undefined) await this.computeMeasures(contract, measuresSql);
    const made = `SELECT * FROM (${this.dated(sql)}) t`;
    const columns = Object.keys(contract.columns);
    await this.engine.stage(name, `SELECT ${columns.join(', ')} FROM (${made}) t`);
    await this.sameTypes(name, contract.columns);
    if (definition.orphansSql !== undefined) {
      await this.engine.stage(name.replace('gold.', 'quarantine.'), this.dated(definition.orphansSql));
    }
  }

  /** What it measures is what the table has. */
  private async computeMeasures({ name, columns, recompute }: TableContract, sql: string): Promise<void> {
    await this.engine.stage(measuresOf(name), this.dated(sql));
    const { by = [], columns: measured = [] } = recompute.measures ?? {};
    const promised = [...by, ...measured].map((column) => [column, columns[column]!] as const);
    await this.sameTypes(measuresOf(name), Object.fromEntries(promised));
  }

  private async computeSilver(definition: TableDefinition & { contract: SilverContract & { source: string } }) {
    const { contract, sql } = definition;
    const source = this.catalogue.sources.find(({ name }) => name === contract.source);
    if (source === undefined) throw new Error(`no source ${contract.source}`);
    const short = contract.name.replace('silver/', '');
    await this.engine.define(`parsed.${source.name}`, parsedSelect(source));
    await this.engine.stage(
      `work.judged_${short}`,
      `SELECT t.*, ${this.dated(brokenAny(contract))} AS _bad FROM (${this.dated(sql)}) t`,
    );
    await this.engine.define(`valid.${short}`, `SELECT * FROM work.judged_${short} WHERE NOT _bad`);
    const by = contract.winner.keep === 'latest' ? contract.winner.by : undefined;
    const latest = `${by === undefined ? '' : `${by} DESC NULLS LAST, `}_position DESC NULLS LAST`;
    const rank = contract.winner.keep === 'first' ? '_position ASC NULLS FIRST' : latest;
    const columns = Object.keys(lakeColumns(contract)).filter((name) => name !== '_processed_at' && name !== '_run_id');
    await this.engine.stage(
      `silver.${short}`,
      `SELECT ${columns.join(', ')} FROM (SELECT *, row_number() OVER (PARTITION BY ${contract.key.join(', ')}
        ORDER BY ${rank}) AS place FROM valid.${short}) t WHERE place = 1`,
    );
    await this.sameTypes(`silver.${short}`, contract.columns);
    const fields = Object.keys(source.fields).map((name) => `${name} AS _raw_${name}`);
    // Named apart, because raw and typed fields share their names
    const bronze = `SELECT _batch_id AS _b, _source_row AS _r, _malformed, ${fields.join(', ')} FROM bronze.${source.name}`;
    const reasons = this.dated(rejectReasons(contract, source)).replace(/\bb\.(?!_malformed)/g, 'b._raw_');
    await this.engine.stage(
      `quarantine.${short}`,
      `SELECT _b AS load, _r AS row, ${reasons} AS rules FROM work.judged_${short} r
       JOIN (${bronze}) b ON _b = r._batch_id AND _r = r._source_row WHERE r._bad`,
    );
  }

  /** What the SQL gives is what the contract says. A decimal may be wider: a value that does not fit is refused when written. */
  private async sameTypes(name: string, columns: Readonly<Record<string, Column>>): Promise<void> {
    const types = await this.engine.query(`SELECT column_name, column_type FROM (DESCRIBE ${name})`);
    const actual = new Map(types.map((row) => [String(row['column_name']), String(row['column_type'])]));
    for (const [column, { type }] of Object.entries(columns)) {
      const expected = duckDbType(typeName(type));
      if (withoutWidth(actual.get(column) ?? '') !== withoutWidth(expected)) {
        throw new Error(`${name}.${column} is ${actual.get(column)}, the contract says ${expected}`);
      }
    }
  }

  private async fill(name: string, columns: Readonly<Record<string, Column>>, rows: readonly Fields[]): Promise<void> {
    const names = Object.keys(columns);
    const casts = names.map(
      (column) => `CAST(${column} AS ${duckDbType(typeName(columns[column]!.type))}) AS ${column}`,
    );
    const values = rows.map((row) => `(${names.map((column) => literal(row[column] ?? null)).join(', ')})`);
    const none = `(${names.map(() => 'NULL').join(', ')})`;
    await this.engine.stage(
      name,
      `SELECT ${casts.join(', ')} FROM (VALUES ${values.length === 0 ? none : values.join(',\n')}) v (${names.join(', ')})
        ${values.length === 0 ? 'WHERE FALSE' : ''}`,
    );
  }

  private closure(tables: readonly string[]): ReadonlySet<string> {
    const wanted = new Set<string>();
    const visit = (name: string): void => {
      const definition = this.catalogue.byName.get(name);
      if (definition === undefined || wanted.has(name)) return;
      wanted.add(name);
      for (const { input } of definition.contract.recompute.from)
        visit(input.replace(/^valid\./, 'silver.').replace('.', '/'));
      if (definition.orphansSql !== undefined) visit('silver/orders');
    };
    tables.forEach(visit);
    return wanted;
  }
}

export function withInputs(sql: string, inputs: Readonly<Record<string, string>>): string {
  return Object.entries(inputs).reduce(
    (text, [relation, other]) => text.replaceAll(new RegExp(`\\b${relation.replace('.', '\\.')}\\b`, 'g'), other),
    sql,
  );
}

function ledgerRow({ source, load, asOf, records }: Loaded): Fields {
  return {
    source: source.name,
    load: String(load),
    path: fileOf(load),
    size_bytes: '1',
    modified_ms: '1',
    digest: String(load),
    records: String(records.length),
    row_offset: '0',
    malformed: '0',
    loaded_at: `${asOf} 00:00:00+00`,
    as_of: asOf,
    run_id: `run-${load}`,
  };
}

function bronzeRows({ load, asOf, records }: Loaded): readonly Fields[] {
  return records.map((record, n) => ({
    ...record,
    _record: record['_raw'] ?? null,
    _malformed: record['_raw'] === undefined ? 'false' : 'true',
    _source_file: fileOf(load),
    _source_row: String(n + 1),
    _source_line: String(n + 2),
    _loaded_at: `${asOf} 00:00:00+00`,
    _batch_id: String(load),
    _as_of: asOf,
  }));
}

function fileOf(load: number): string {
  return `load-${load}`;
}

function literal(value: string | null): string {
  return value === null ? 'NULL' : `'${value.replaceAll("'", "''")}'`;
}

function duckDbType(name: string): string {
  const names: Readonly<Record<string, string>> = {
    STRING: 'VARCHAR',
    TIMESTAMP: 'TIMESTAMP WITH TIME ZONE',
    'LIST<STRING>': 'VARCHAR[]',
  };
  return names[name] ?? name;
}

function withoutWidth(type: string): string {
  return type.replace(/^DECIMAL\(\d+,/, 'DECIMAL(');
}
