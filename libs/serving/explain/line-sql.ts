import {
  measuresOf,
  parsedSelect,
  reading,
  tableOf,
  type Catalogue,
  type ColumnType,
  type TableContract,
} from '#contracts';
import { toDuckDbType } from '#engine';
import { assert } from '#errors';
import { filteredSql } from '../compile.js';
import { consideredSql } from '../considered.js';
import type { OpenTables } from '../open-tables.js';
import { measureType } from '../output.js';
import type { Filter } from '../query.js';
import { quoted, type Bindings } from '../sql.js';
import { POSITION } from '../provenance/trace-plan.js';
import { ofSource, quarantineOf, type Beside, type ExplainPlan, type OfSource } from './explain-plan.js';

const PLACE = POSITION.join(', ');
const at = (left: string, right: string) => POSITION.map((name) => `${left}.${name} = ${right}.${name}`).join(' AND ');

/** Lines of one release as SQL: those that a figure counts, and those that would be lines had they been taken. */
export class LineSql {
  constructor(
    private readonly plan: ExplainPlan,
    private readonly where: Filter,
    private readonly catalogue: Catalogue,
    private readonly tables: OpenTables,
    private readonly bindings: Bindings,
  ) {}

  /** Rows of the lines that the figure counts: `_line` is the key, `_amount` what each adds, and columns of the line. */
  counted(columns: readonly string[]): string {
    const { lines, each, sum } = this.plan;
    const named = Object.fromEntries([each.named[0] ?? each.key, ...columns].map((name) => [name, name]));
    const select = { ...named, _line: each.named[0] ?? each.key };
    if (sum === undefined) {
      const { amount } = this.plan;
      const rows = this.#filtered({ ...select, ...(amount === undefined ? {} : { _of: amount }) });
      return `SELECT *, ${this.#amount('_of')} AS _amount FROM (${rows})`;
    }
    const own = sum.on.map(([, own]) => own);
    const units = this.#filtered(Object.fromEntries(own.map((name) => [name, name])));
    const of = this.plan.amount === undefined ? '' : `, l.${quoted(this.plan.amount)} AS _of`;
    const listed = Object.entries(select).map(([name, column]) => `l.${quoted(column)} AS ${quoted(name)}`);
    return `SELECT *, ${this.#amount('_of')} AS _amount FROM (
      SELECT ${listed.join(', ')}${of} FROM ${this.#relation(lines.contract.name)} l
      SEMI JOIN (${units}) a ON ${this.#sameUnit('l', 'a')}
      ${sum.unless === undefined ? '' : `WHERE NOT coalesce(${sum.unless.when}, FALSE)`})`;
  }

  /** The records that the figure left out, as far as the filter keeps them, by reason: `reason, rules, n, amount`. */
  leftOut(): string {
    const { contract, lines, sum } = this.plan;
    const reasons = { reason: '_reason', rules: '_rules' };
    const left = this.#leftLines();
    if (sum === undefined) {
      const { amount } = this.plan;
      const rows = this.#filtered({ ...reasons, ...(amount === undefined ? {} : { _of: amount }) }, left, {
        ...contract,
        columns: { ...contract.columns, ...REASONS },
      });
      return this.#byReason(rows);
    }
    const own = Object.keys(contract.columns).map(quoted);
    const not = sum.unless;
    const excluded =
      not === undefined
        ? ''
        : `UNION ALL BY NAME SELECT *, '${not.reason}' AS _reason, '' AS _rules FROM ${this.#relation(lines.contract.name)} l WHERE ${not.when}`;
    const made = this.#withSql(contract.name, (name) => (name === lines.contract.name ? 'left_lines' : undefined));
    const of = this.plan.amount === undefined ? 'NULL' : `l.${quoted(this.plan.amount)}`;
    const columns = own.map((column) => `a.${column}`).join(', ');
    // a day that has no line at all shows in no row of the product
    const rows = `(WITH left_lines AS MATERIALIZED (SELECT * FROM ${left} ${excluded}),
      made AS (SELECT ${own.join(', ')} FROM (${made}) m)
      SELECT ${columns}, l._reason, l._rules, ${of} AS _of FROM left_lines l
        JOIN ${this.#relation(contract.name)} a ON ${this.#sameUnit('l', 'a')}
      UNION ALL
      SELECT ${columns}, l._reason, l._rules, ${of} AS _of FROM left_lines l
        JOIN (SELECT * FROM made m ANTI JOIN ${this.#relation(contract.name)} b ON ${this.#sameOwn('m', 'b')}) a
        ON ${this.#sameUnit('l', 'a')})`;
    const withReasons = { ...contract, columns: { ...contract.columns, ...REASONS, _of: OF } };
    return this.#byReason(this.#filtered({ ...reasons, _of: '_of' }, rows, withReasons));
  }

  /**
   * The lines that records would be which are none, by the table's own SQL: rejected, lost to another of their key, or
   * without a place. What follows from other lines too is NULL, and so is what cannot be read.
   */
  #leftLines(): string {
    const { lines, each, grain, beside } = this.plan;
    const { contract } = lines;
    const name = quoted(each.named[0] ?? '');
    const silver = grain.definition.contract;
    const columns = Object.keys(silver.columns);
    const own = this.#relation(silver.name);
    const rejects = this.#relation(quarantineOf(silver.name));
    const orphans = this.tables.relationOf(quarantineOf(contract.name));
    const records = consideredSql(this.tables, grain.source);
    const inputs = new Map([[silver.name, 'tokens']]);
    beside.forEach(({ definition }, n) => inputs.set(definition.contract.name, `beside_${n}`));
    const ctes = {
      rejected: `SELECT ${PLACE}, array_to_string(rules, ', ') AS rules FROM ${rejects}`,
      lost: `SELECT ${PLACE} FROM ${records} b ANTI JOIN ${own} s ON ${at('s', 'b')} ANTI JOIN rejected q ON ${at('q', 'b')}`,
      stopped: `SELECT ${PLACE}, 'quarantined' AS _reason, rules AS _rules FROM rejected
        UNION ALL SELECT ${PLACE}, 'duplicate', '' FROM lost`,
      again: this.#typed(grain, `(SELECT b.* FROM ${records} b SEMI JOIN stopped p ON ${at('p', 'b')})`),
      unplaced: `SELECT s.* FROM ${own} s ANTI JOIN ${this.#relation(contract.name)} p ON p.${name} = s.${quoted(each.key)}`,
      left_out: `SELECT ${columnsOf('r', columns)}, _reason, _rules, ${token('r')} AS _token, ${columnsOf('r', POSITION)}
        FROM again r JOIN stopped p ON ${at('p', 'r')}
        UNION ALL
        SELECT ${columnsOf('s', columns)}, 'orphaned', ${orphans === undefined ? "''" : "coalesce(array_to_string(q.rules, ', '), '')"}, ${token('s')}, ${columnsOf('s', POSITION)}
        FROM unplaced s ${orphans === undefined ? '' : `LEFT JOIN ${orphans} q ON ${at('q', 's')}`}`,
      // records of one key would be one line: each gets a key of its own
      tokens: `SELECT * REPLACE (_token AS ${quoted(each.key)}) FROM left_out`,
      ...Object.fromEntries(beside.map((input, n) => [`beside_${n}`, this.#withRejected(input)])),
      would: this.#withSql(contract.name, (table) => inputs.get(table)),
    };
    const shown = Object.entries(contract.columns).map(([column, { type }]) => {
      const as = `AS ${quoted(column)}`;
      if (each.named.includes(column)) return `l.${quoted(each.key)} ${as}`;
      if (each.together.includes(column)) return `CAST(NULL AS ${toDuckDbType(type)}) ${as}`;
      // what finds no place has what its record says
      const alone = silver.columns[column]?.type.kind === type.kind ? `l.${quoted(column)}` : 'NULL';
      return `CASE WHEN w.${name} IS NULL THEN ${alone} ELSE w.${quoted(column)} END ${as}`;
    });
    const withs = Object.entries(ctes).map(([cte, sql]) => `${cte} AS MATERIALIZED (${sql})`);
    return `(WITH ${withs.join(',\n')}
      SELECT ${shown.join(', ')}, l._reason, l._rules FROM left_out l LEFT JOIN would w ON w.${name} = l._token)`;
  }

  /** Rows that lines left out may belong to, and of keys that have none the latest record that was rejected. */
  #withRejected(input: Beside): string {
    const { contract } = input.definition;
    const { columns: known } = this.plan.grain.definition.contract;
    const on = input.on
      .filter(([, line]) => line in known)
      .map(([own, line]) => `o.${quoted(line)} = x.${quoted(own)}`);
    const ofLeftOut = on.length === 0 ? '' : ` SEMI JOIN left_out o ON ${on.join(' AND ')}`;
    const columns = [...Object.keys(contract.columns), ...POSITION].map(quoted);
    const key = contract.key.map(quoted);
    const rejects = this.#relation(quarantineOf(contract.name));
    const records = `(SELECT b.* FROM ${consideredSql(this.tables, input.source)} b SEMI JOIN ${rejects} q ON ${at('q', 'b')})`;
    return `SELECT ${columns.join(', ')} FROM (
      SELECT ${columns.join(', ')} FROM ${this.#relation(contract.name)}
      UNION ALL
      SELECT ${columns.join(', ')} FROM (
        SELECT *, row_number() OVER (PARTITION BY ${key.join(', ')} ORDER BY _position DESC NULLS LAST) AS _place
        FROM (${this.#typed(input, records)}) r)
      r ANTI JOIN ${this.#relation(contract.name)} s ON ${key.map((name) => `s.${name} = r.${name}`).join(' AND ')}
      WHERE _place = 1) x${ofLeftOut}`;
  }

  /** Bronze records as their silver table reads them. */
  #typed({ definition, source }: OfSource, records: string): string {
    const parsed = reading(parsedSelect(source), (name) =>
      name === `bronze.${source.name}` ? records : this.#relation(tableOf(name)),
    );
    return this.#dated(
      reading(definition.sql, (name) => (name === `parsed.${source.name}` ? `(${parsed})` : this.#input(name))),
    );
  }

  /** The SQL of a table, with other relations in place of some of its inputs. */
  #withSql(table: string, instead: (table: string) => string | undefined): string {
    const definition = this.catalogue.byName.get(table);
    assert(definition !== undefined, `${table} is in the catalogue`);
    const { sql, measuresSql = '' } = definition;
    const from = (name: string): string => {
      if (name === measuresOf(table)) return `(${reading(measuresSql, from)})`;
      return name.startsWith('valid.') ? this.#input(name) : (instead(tableOf(name)) ?? this.#input(name));
    };
    return this.#dated(reading(sql, from));
  }

  #input(name: string): string {
    const table = tableOf(name);
    if (!name.startsWith('valid.')) return this.#relation(table);
    const input = ofSource(table, this.catalogue);
    const rejects = this.#relation(quarantineOf(table));
    const records = `(SELECT b.* FROM ${consideredSql(this.tables, input.source)} b ANTI JOIN ${rejects} q ON ${at('q', 'b')})`;
    return `(${this.#typed(input, records)})`;
  }

  #dated(sql: string): string {
    return sql.replaceAll(/:as_of\b/g, `DATE '${this.tables.release.as_of}'`);
  }

  #filtered(select: Readonly<Record<string, string>>, relation?: string, contract: TableContract = this.plan.contract) {
    return filteredSql(select, this.where, contract, {
      tables: this.catalogue,
      bindings: this.bindings,
      relationOf: ({ name }) => (name === contract.name && relation !== undefined ? relation : this.#relation(name)),
    });
  }

  #byReason(rows: string): string {
    return `SELECT reason, rules, count(*) AS n, ${this.#total(this.#amount('_of'))} AS amount
      FROM (${rows}) GROUP BY reason, rules ORDER BY reason ASC NULLS FIRST, rules ASC NULLS FIRST`;
  }

  /** What a row adds to the figure; NULL where nobody knows. */
  #amount(of: string): string {
    const { amount, counts } = this.plan;
    if (amount === undefined) return '1';
    return counts ? `CASE WHEN ${of} IS NULL THEN 0 ELSE 1 END` : of;
  }

  #total(amount: string): string {
    return `CAST(sum(${amount}) AS ${toDuckDbType(amountType(this.plan))})`;
  }

  #sameUnit(line: string, unit: string): string {
    const on = this.plan.sum?.on ?? [];
    return on
      .map(([column, own]) => `${line}.${quoted(column)} IS NOT DISTINCT FROM ${unit}.${quoted(own)}`)
      .join(' AND ');
  }

  #sameOwn(left: string, right: string): string {
    const on = this.plan.sum?.on ?? [];
    return on.map(([, own]) => `${left}.${quoted(own)} IS NOT DISTINCT FROM ${right}.${quoted(own)}`).join(' AND ');
  }

  #relation(table: string): string {
    const relation = this.tables.relationOf(table);
    assert(relation !== undefined, `${table} is in the release`);
    return relation;
  }
}

function columnsOf(alias: string, columns: readonly string[]): string {
  return columns.map((name) => `${alias}.${quoted(name)}`).join(', ');
}

function token(alias: string): string {
  return `'#' || ${POSITION.map((name) => `CAST(${alias}.${name} AS VARCHAR)`).join(` || ':' || `)}`;
}

const REASONS = {
  _reason: { type: { kind: 'string' }, description: 'Why it was left out', nullable: false },
  _rules: { type: { kind: 'string' }, description: 'Rules that it breaks', nullable: false },
} as const;
const OF = { type: { kind: 'long' }, description: 'What it would add', nullable: true } as const;

/** Of amounts: as the aggregate's. */
export function amountType({ contract, measure }: ExplainPlan): ColumnType {
  const type = measureType(measure, measure.path === undefined ? undefined : contract.columns[measure.path]?.type);
  assert(type !== undefined, 'the measure was parsed');
  return type;
}
