import type { Column } from './column.js';
import type { Check, Layer, Recompute, Relation, Rule, SilverContract, Source, TableContract } from './contract.js';
import { validateContract, validateSource } from './validate.js';

/** A file of it is copied in well under a second, and a table of gigabytes still has few. */
const DEFAULT_TARGET_BYTES = 16 * 1024 * 1024;

/** What a contract has to say; the rest has a default. */
export interface TableSpec {
  readonly describes: string;
  /** Raised when the meaning of a column changes. */
  readonly version?: number;
  readonly owner?: TableContract['owner'];
  readonly key: readonly string[];
  readonly columns: Readonly<Record<string, Column>>;
  readonly partitionBy?: readonly string[];
  /** Order in which readers want rows; the key unless said. */
  readonly sortBy?: readonly string[];
  /** Size of a file from which a partition is cut; less where a small change should copy less. */
  readonly targetBytes?: number;
  readonly relations?: readonly Relation[];
  readonly checks?: readonly Check[];
  readonly recompute: Recompute;
  readonly explained?: TableContract['explained'];
}

export interface SilverSpec extends TableSpec {
  readonly source?: string;
  readonly rules?: readonly Rule[];
  readonly winner?: SilverContract['winner'];
}

/** A gold or bronze table's contract, or a silver one made from other silver tables. Throws `contract.invalid`. */
export function table(name: string, spec: TableSpec): TableContract {
  const layer = name.slice(0, Math.max(0, name.indexOf('/'))) as Layer;
  const { describes, version = 1, owner = 'batch', key, columns, recompute } = spec;
  const { partitionBy = [], sortBy = key, targetBytes = DEFAULT_TARGET_BYTES, relations = [], checks = [] } = spec;
  const contract: TableContract = {
    name,
    layer,
    version,
    owner,
    describes,
    key,
    columns,
    partitionBy,
    sortBy,
    targetBytes,
    relations,
    checks: [...ownChecks(name, key, columns), ...checks],
    recompute,
    ...(spec.explained === undefined ? {} : { explained: spec.explained }),
  };
  validateContract(contract);
  return contract;
}

/** A silver table's contract: its columns, and which records it takes. Throws `contract.invalid`. */
export function silverTable(name: string, spec: SilverSpec): SilverContract {
  const contract: SilverContract = {
    ...table(name, spec),
    layer: 'silver',
    rules: spec.rules ?? [],
    winner: spec.winner ?? { keep: 'latest' },
    ...(spec.source === undefined ? {} : { source: spec.source }),
  };
  validateContract(contract);
  return contract;
}

/** A landing or stream source. Throws `contract.invalid`. */
export function source(name: string, spec: Omit<Source, 'name'>): Source {
  const made: Source = { name, ...spec };
  validateSource(made);
  return made;
}

/** The rule that a source field is there; `broken` looks at the column of that name. */
export function requires(field: string): Rule {
  return { name: `required_${field}`, description: `${field} is missing`, broken: `${field} IS NULL`, requires: field };
}

/** `references` of the other table exist for every non-NULL `columns` of this one. */
export function referenceCheck(name: string, relation: Relation): Check {
  const on = relation.columns.map((column, n) => `o.${relation.references[n] ?? column} = t.${column}`).join(' AND ');
  const named = relation.columns.map((column) => `t.${column} IS NOT NULL`).join(' AND ');
  return {
    name: `refers_${relation.name}`,
    severity: 'error',
    description: `Every ${relation.columns.join(', ')} is in ${relation.to}.`,
    failing: `SELECT ${relation.columns.map((column) => `t.${column}`).join(', ')} FROM ${sqlName(name)} t
      WHERE ${named} AND NOT EXISTS (SELECT 1 FROM ${sqlName(relation.to)} o WHERE ${on})`,
    units: { [sqlName(name)]: relation.columns, [sqlName(relation.to)]: relation.references },
  };
}

export function warnIfEmpty(name: string): Check {
  return {
    name: 'not_empty',
    severity: 'warn',
    description: 'The table has rows.',
    failing: `SELECT n FROM (SELECT count(*) AS n FROM ${sqlName(name)}) c WHERE n = 0`,
  };
}

/** `gold/fact_sales` as SQL names it: `gold.fact_sales`; `bronze/quarantine/orders` is `quarantine.orders`. */
export function sqlName(name: string): string {
  return name.split('/').slice(-2).join('.');
}

function ownChecks(name: string, key: readonly string[], columns: TableSpec['columns']): readonly Check[] {
  const never = Object.keys(columns).filter((column) => columns[column]?.nullable === false);
  const unique: Check = {
    name: 'key_unique',
    severity: 'error',
    description: `${key.join(', ')} identifies a row.`,
    failing: `SELECT ${key.join(', ')} FROM ${sqlName(name)} GROUP BY ${key.join(', ')} HAVING count(*) > 1`,
    units: { [sqlName(name)]: key },
  };
  if (never.length === 0) return [unique];
  const failing = `SELECT ${key.join(', ')} FROM ${sqlName(name)} WHERE ${never.map((column) => `${column} IS NULL`).join(' OR ')}`;
  const present: Check = {
    name: 'never_null',
    severity: 'error',
    description: `Never NULL: ${never.join(', ')}.`,
    failing,
  };
  return [unique, present];
}
