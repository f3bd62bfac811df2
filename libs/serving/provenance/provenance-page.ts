import { createHash } from 'node:crypto';
import { maskedRecord, type Catalogue, type TableContract } from '#contracts';
import { assert } from '#errors';
import type { Release } from '#releases';
import { PRIVATE_SCOPE } from '../compile.js';
import { cursorMismatch, openCursor, sealCursor } from '../cursor.js';
import type { OpenTables } from '../open-tables.js';
import { DEFAULT_LIMIT } from '../query.js';
import { tablesTraced } from './trace-plan.js';
import { traceRow, type RecordRepair, type SourceRecord, type Trace } from './trace-row.js';

export interface ProvenanceQuestion {
  readonly catalogue: Catalogue;
  readonly contract: TableContract;
  /** As REST writes it. */
  readonly key: string;
  /** 100 unless given, at most 1,000. */
  readonly limit?: number;
  readonly cursor?: string;
  readonly scopes: ReadonlySet<string>;
  readonly signal?: AbortSignal;
}

/** A bronze record, and what of it the asker may see. */
export interface ShownRecord extends Omit<SourceRecord, 'record' | 'repair'> {
  /** `bronze.orders` */
  readonly table: string;
  /** Null where nobody knows whom it is about. */
  readonly record: string | null;
  readonly repair: (Omit<RecordRepair, 'record'> & { readonly record: string | null }) | null;
}

export interface ProvenancePage extends Pick<Trace, 'through' | 'shared'> {
  /** In order of source, load, file and row. */
  readonly records: readonly ShownRecord[];
  /** Of all pages. */
  readonly sources: readonly { readonly table: string; readonly rows: number }[];
  readonly total: number;
  readonly nextCursor: string | null;
  /** Fields that are null in the records for want of a scope: `record.email`. */
  readonly maskedColumns: readonly string[];
}

/** A release that is held open. */
interface Held {
  readonly release: Release;
  readonly read: <T>(contracts: readonly TableContract[], work: (tables: OpenTables) => Promise<T>) => Promise<T>;
  /** What a cursor over those tables carries. */
  readonly numberOf: (tables: readonly string[]) => number;
  readonly cursorSecret: string;
}

/** Names of the tables of a release that the provenance of a product's rows depends on. */
export function tablesBehind(contract: TableContract, catalogue: Catalogue, release: Release): readonly string[] {
  const definition = catalogue.byName.get(contract.name);
  assert(definition !== undefined, `${contract.name} is in the catalogue`);
  return tablesTraced(definition, catalogue).filter((name) => release.tables[name] !== undefined);
}

/** A page of the bronze records behind a row: records of one source after those of another, as contracts order them. */
export async function provenancePage(
  { catalogue, contract, key, limit = DEFAULT_LIMIT, cursor, scopes, signal }: ProvenanceQuestion,
  { release, read, numberOf, cursorSecret }: Held,
): Promise<ProvenancePage> {
  const names = tablesBehind(contract, catalogue, release);
  const number = numberOf(names);
  const digest = createHash('sha256')
    .update(JSON.stringify(['provenance', contract.name, contract.version, key]))
    .digest('base64url')
    .slice(0, 22);
  const offset = cursor === undefined ? 0 : offsetOf(cursor, { number, digest, cursorSecret });
  const contracts = catalogue.contracts.filter(({ name }) => names.includes(name));
  const trace = await read(contracts, (tables) =>
    traceRow(tables, {
      catalogue,
      table: contract.name,
      key,
      listed: { offset, limit },
      ...(signal === undefined ? {} : { signal }),
    }),
  );
  const sources = trace.sources.map(({ table, rows }) => ({ table, rows }));
  const total = sources.reduce((sum, { rows }) => sum + rows, 0);
  const next = offset + limit;
  const { records, maskedColumns } = shown(trace, catalogue, scopes);
  return {
    records,
    sources,
    total,
    through: trace.through,
    shared: trace.shared,
    nextCursor: next < total ? sealCursor({ release: number, digest, position: [String(next)] }, cursorSecret) : null,
    maskedColumns,
  };
}

function offsetOf(
  cursor: string,
  { number, digest, cursorSecret }: { number: number; digest: string; cursorSecret: string },
): number {
  const found = openCursor(cursor, cursorSecret);
  if (found.digest !== digest || found.release !== number) throw cursorMismatch();
  return Number(found.position[0]);
}

/** The records as far as the scopes allow. */
function shown(
  { sources }: Trace,
  catalogue: Catalogue,
  scopes: ReadonlySet<string>,
): Pick<ProvenancePage, 'records' | 'maskedColumns'> {
  const maySeeAll = scopes.has(PRIVATE_SCOPE);
  const masked = new Set<string>();
  const records = sources.flatMap(({ table, records }) => {
    const source = catalogue.sources.find(({ name }) => table === `bronze.${name}`);
    assert(source !== undefined, `${table} is of a source`);
    const seen = (record: string) => (maySeeAll ? record : maskedRecord(record, source));
    return records.map(({ record, repair, ...place }): ShownRecord => {
      if (!maySeeAll) for (const field of source.pii ?? []) masked.add(`record.${field}`);
      const repaired = repair === undefined ? null : { ...repair, record: seen(repair.record) };
      return { table, ...place, record: seen(record), repair: repaired };
    });
  });
  return { records, maskedColumns: [...masked].sort() };
}
