import { parsedField, type Source } from '#contracts';
import type { Engine } from '#engine';
import type { WithdrawnLoad } from '#releases';
import { bindConsidered } from './considered.js';
import { countOf } from './count-of.js';
import { REPAIRS } from './lake-schema.js';
import { bindLive, liveFile, type LiveTable } from './live-table.js';
import type { Landed } from './load-landing.js';
import { parsedFrom } from './silver.js';
import { literal, relationOf, workName } from './sql-name.js';

/** How the records of a source that count differ from those that counted in the parent release. */
export interface BronzeChange {
  /** Relation of the bronze records that count now and did not before: loaded, repaired, or of a restored load. */
  readonly came: string;
  readonly cameRows: number;
  /** Relation of those that no longer count: of a load withdrawn by this run, or repaired by it. */
  readonly went: string;
  readonly wentRows: number;
  /** Both, each field read by its parser. */
  readonly parsed: string;
  /** Loads of landing files that came, or came back. */
  readonly loads: readonly number[];
}

export interface BronzeQuestion {
  readonly engine: Engine;
  readonly source: Source;
  /** Tables of the parent release, and as they are with what was loaded. */
  readonly prior: ReadonlyMap<string, LiveTable>;
  readonly current: ReadonlyMap<string, LiveTable>;
  readonly landed: Landed;
  /** Loads that did not count in the parent release, and those that do not count now. */
  readonly before: readonly WithdrawnLoad[];
  readonly withdrawn: readonly WithdrawnLoad[];
}

/**
 * Names the changed records of a source, whose `bronze.<source>` is bound as it counts now; undefined when there are
 * none, or the table is new.
 */
export async function bindBronzeChange(question: BronzeQuestion): Promise<BronzeChange | undefined> {
  const { engine, source, prior, current, landed, before, withdrawn } = question;
  const table = `bronze/${source.name}`;
  const [old, live] = [prior.get(table), current.get(table)];
  if (old === undefined || live === undefined) return undefined;
  const names = (role: string) => workName(role, table);
  const [came, went, both, parsed] = [names('came'), names('went'), names('changed'), names('changed_parsed')];
  const fresh = landed.loads.get(source.name);
  const restored = loadsOf(without(before, withdrawn), source);
  const repaired = loadsOf(landed.repairs, source);
  const moved = [...restored, ...loadsOf(without(withdrawn, before), source), ...repaired];
  if (fresh === undefined && moved.length === 0) return undefined;

  const { written = [], moved: sameRows = [] } =
    landed.outcomes.find((outcome) => outcome.table === table)?.write ?? {};
  const loaded = written.filter(({ addPath }) => !sameRows.includes(addPath));
  const none = `SELECT * FROM bronze.${source.name} WHERE FALSE`;
  if (moved.length === 0) {
    await bindLive(engine, came, { ...old, files: loaded.map(liveFile) });
    await engine.define(went, none);
  } else {
    const earlier = names('earlier');
    const freshLoads = [...(fresh === undefined ? [] : [fresh]), ...repaired];
    const notYet = freshLoads.map((load) => ({ source: source.name, load }));
    await bindConsidered(engine, source, live, [...before, ...notYet], earlier);
    const loads = [...moved, ...(fresh === undefined ? [] : [fresh])].join(', ');
    const isMoved = `b._batch_id IN (${loads}) OR EXISTS (SELECT 1 FROM ${relationOf(REPAIRS)} r
      WHERE r.source = ${literal(source.name)} AND r._batch_id IN (${loads})
        AND r.original_load = b._batch_id AND r.original_file = b._source_file AND r.original_row = b._source_row)`;
    await engine.define(came, `SELECT b.* FROM bronze.${source.name} b WHERE ${isMoved}`);
    await engine.define(went, `SELECT b.* FROM ${earlier} b WHERE ${isMoved}`);
  }
  await engine.define(both, `SELECT * FROM ${came} UNION ALL SELECT * FROM ${went}`);
  await engine.define(parsed, parsedFrom(source, both));
  return {
    came,
    cameRows: await countOf(engine, came),
    went,
    wentRows: moved.length === 0 ? 0 : await countOf(engine, went),
    parsed,
    loads: [...(fresh === undefined ? [] : [fresh]), ...restored],
  };
}

/** A condition: the bronze record `b` has one of the units' values in the fields `by`, read by their parsers. */
export function isOfUnits(source: Source, by: readonly string[], units: string, columns: readonly string[]): string {
  const fields = by.map((field) => parsedField(source, field));
  const same = fields.map((field, n) => `u.${columns[n] ?? ''} IS NOT DISTINCT FROM ${field}`).join(' AND ');
  return `EXISTS (SELECT 1 FROM ${units} u WHERE ${same})`;
}

export function loadsOf(loads: readonly WithdrawnLoad[], { name }: Source): readonly number[] {
  return loads.filter(({ source }) => source === name).map(({ load }) => load);
}

/** The loads of `some` that are not among `others`. */
function without(some: readonly WithdrawnLoad[], others: readonly WithdrawnLoad[]): readonly WithdrawnLoad[] {
  return some.filter(({ source, load }) => !others.some((other) => other.source === source && other.load === load));
}
