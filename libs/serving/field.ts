import { lakeColumns, type Catalogue, type ColumnType, type Relation, type TableContract } from '#contracts';

/** What a query needs to know of other tables: the contracts that relations lead to. */
export type Tables = Pick<Catalogue, 'byName'>;

/** A column that a query can name: one of the table's own (`channel`), or one over relations (`product.category`). */
export interface Field {
  readonly path: string;
  /** Relations to follow, in order; empty for the table's own columns. */
  readonly relations: readonly string[];
  readonly column: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
  /** Identifies a person or stands for one: served with the scope `pii:read` only. */
  readonly isPrivate: boolean;
}

/** Relations may lead back; a longer path is no question that anyone has. */
const MAX_RELATIONS = 3;

/** The column that a path names, or undefined: a path is only ever looked up in contracts, never made into SQL. */
export function fieldAt(path: string, contract: TableContract, tables: Tables): Field | undefined {
  const parts = path.split('.');
  const column = parts.pop() ?? '';
  if (parts.length > MAX_RELATIONS) return undefined;
  let owner = contract;
  for (const name of parts) {
    const next = related(name, owner, tables);
    if (next === undefined) return undefined;
    owner = next.contract;
  }
  // the audit columns are rarely asked for, and this runs for every name of every request
  const columns = Object.hasOwn(owner.columns, column) ? owner.columns : lakeColumns(owner);
  const found = Object.hasOwn(columns, column) ? columns[column] : undefined;
  if (found === undefined) return undefined;
  return {
    path,
    relations: parts,
    column,
    type: found.type,
    nullable: found.nullable || parts.length > 0,
    isPrivate: found.pii !== undefined,
  };
}

/** The relation of that name and its table. Only relations to a key: any other could multiply rows. */
export function related(
  name: string,
  contract: TableContract,
  tables: Tables,
): { readonly relation: Relation; readonly contract: TableContract } | undefined {
  const relation = contract.relations.find((candidate) => candidate.name === name);
  const other = relation === undefined ? undefined : tables.byName.get(relation.to)?.contract;
  if (relation === undefined || other === undefined) return undefined;
  const isKey =
    relation.references.length === other.key.length && other.key.every((part) => relation.references.includes(part));
  return isKey ? { relation, contract: other } : undefined;
}
