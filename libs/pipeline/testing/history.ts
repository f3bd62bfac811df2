import fc from 'fast-check';
import { isSourceTable, type Catalogue, type Source } from '#contracts';
import type { WithdrawnLoad } from '#releases';
import { compareRelease } from '../prove/prove.js';
import type { ProvedTable } from '../prove/proof.js';
import type { Repair } from '../repair.js';
import type { RunReport } from '../report.js';
import { relationOf } from '../sql-name.js';
import type { SmallLake, Workshop } from './small-lake.js';

export type Fields = Readonly<Record<string, string | null>>;

/** What a release of the product, or a setting, makes of the tables. */
export interface Version {
  readonly catalogue: Catalogue;
  readonly dateFrom?: string;
}

/** What random histories are made of: tables as they are and as later versions have them, and records of their sources. */
export interface World {
  readonly versions: readonly [Version, ...Version[]];
  readonly records: Readonly<Record<string, fc.Arbitrary<Fields>>>;
  readonly days: readonly string[];
}

interface LandedFile {
  readonly source: string;
  readonly records: readonly Fields[];
}

/** What happens to a lake between two moments at which it is looked at; numbers choose among what there is. */
export type Step = { readonly asOf: string; readonly looks: boolean } & (
  | { readonly kind: 'load'; readonly files: readonly LandedFile[] }
  | { readonly kind: 'nothing' | 'full' | 'rehash' | 'repeat' | 'restore' }
  | { readonly kind: 'rules'; readonly version: number }
  | { readonly kind: 'withdraw' | 'rollback'; readonly chosen: number }
  /** Of each rejected record that the number chooses, the fields of another one of the same source. */
  | { readonly kind: 'repair'; readonly chosen: number; readonly source: string; readonly good: readonly Fields[] }
);

/** Histories with at most so many steps after the first load. */
export function histories(world: World, maxSteps: number, maxRecords: number): fc.Arbitrary<readonly Step[]> {
  const sources = Object.keys(world.records);
  const file = fc.constantFrom(...sources).chain((source) =>
    fc.record({
      source: fc.constant(source),
      records: fc.array(recordOf(world, source), { minLength: 1, maxLength: maxRecords }),
    }),
  );
  // moving often, both ways
  const when = { asOf: fc.constantFrom(...world.days), looks: fc.nat(4).map((one) => one === 0) };
  const load = fc.record({ ...when, kind: fc.constant('load' as const), files: fc.array(file, { maxLength: 3 }) });
  // something of everything, for later steps to meet
  const first = fc.record({
    ...when,
    kind: fc.constant('load' as const),
    files: fc.tuple(
      ...sources.map((source) =>
        fc.record({
          source: fc.constant(source),
          records: fc.array(recordOf(world, source), { minLength: 3, maxLength: maxRecords + 4 }),
        }),
      ),
    ),
  });
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 10, arbitrary: load },
    { weight: 2, arbitrary: fc.record({ ...when, kind: fc.constantFrom('nothing', 'full', 'rehash', 'repeat') }) },
    {
      weight: 2,
      arbitrary: fc.record({
        ...when,
        kind: fc.constant('rules' as const),
        version: fc.nat({ max: world.versions.length - 1 }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ ...when, kind: fc.constantFrom('withdraw', 'rollback'), chosen: fc.nat(20) }),
    },
    { weight: 1, arbitrary: fc.record({ ...when, kind: fc.constant('restore' as const) }) },
    {
      weight: 3,
      arbitrary: fc.constantFrom(...sources).chain((source) =>
        fc.record({
          ...when,
          kind: fc.constant('repair' as const),
          chosen: fc.nat(20),
          source: fc.constant(source),
          good: fc.array(recordOf(world, source), { minLength: 1, maxLength: 2 }),
        }),
      ),
    },
  );
  return fc
    .tuple(first, fc.array(step, { minLength: 1, maxLength: maxSteps }))
    .map(([first, rest]) => [first, ...rest]);
}

/**
 * Takes a lake through a history, run by run, and looks at it after the steps that say so and after the last: every
 * table is to be what a rebuild gives. Throws with the first differences.
 */
export async function liveThrough(workshop: Workshop, world: World, steps: readonly Step[]): Promise<void> {
  const life = new Life(workshop, world);
  for (const [at, step] of steps.entries()) {
    await life.take(step, at);
    if (step.looks || at === steps.length - 1) await life.look(at);
  }
}

class Life {
  private readonly lake: SmallLake;
  private version: Version;
  /** By what rules each release was made. */
  private readonly made = new Map<number, Version>();
  private readonly landed: (LandedFile & { readonly path: string })[] = [];

  constructor(
    workshop: Workshop,
    private readonly world: World,
  ) {
    this.lake = workshop.lake();
    this.version = world.versions[0];
  }

  async take(step: Step, at: number): Promise<void> {
    const { lake } = this;
    const run = async (options: Parameters<SmallLake['run']>[0] = {}) => {
      const { outcome, report } = await lake.run({ ...this.version, asOf: step.asOf, ...options });
      if (outcome === 'check_failed') {
        const failed = report.checks.filter(({ passed }) => !passed);
        throw new Error(`step ${at}, ${step.kind}: a check failed: ${JSON.stringify(failed)}`);
      }
      assertConserved(report, `step ${at}, ${step.kind}`);
      if (report.release !== null) this.made.set(report.release, this.version);
    };
    switch (step.kind) {
      case 'load':
        for (const [n, file] of step.files.entries()) this.land({ ...file, path: `${at}_${n}` });
        return run();
      case 'repeat':
        for (const [n, file] of this.landed.slice(0, 1).entries()) this.land({ ...file, path: `again_${at}_${n}` });
        return run();
      case 'nothing':
        return run();
      case 'full':
        return run({ full: true });
      case 'rehash':
        return run({ rehash: true });
      case 'rules':
        this.version = this.world.versions[step.version] ?? this.version;
        return run();
      case 'withdraw': {
        const loads = await this.loads();
        return run({ withdraw: loads.length === 0 ? [] : [loads[step.chosen % loads.length] ?? firstOf(loads)] });
      }
      case 'rollback':
        return this.rollBack(step.chosen);
      case 'restore':
        return run({ restore: (await lake.latest()).withdrawn });
      case 'repair':
        return run({ repairs: await this.repairs(step, at), skipLanding: true });
    }
  }

  /** To a release made by the rules of its time; they are the rules again. */
  private async rollBack(chosen: number): Promise<void> {
    const { lake } = this;
    const numbers = [...this.made.keys()];
    const to = numbers[chosen % numbers.length];
    if (to === undefined) return;
    this.version = this.made.get(to) ?? this.version;
    await lake.rollBack(to, this.version.catalogue);
    this.made.set((await lake.latest()).number, this.version);
  }

  async look(at: number): Promise<void> {
    const { lake, version } = this;
    const tables = await compareRelease(lake.proving({ ...version, release: await lake.latest() }));
    const wrong = tables.filter(({ verdict }) => verdict !== 'same');
    if (wrong.length > 0) throw new Error(`after step ${at}: ${wrong.map(toText).join('\n')}`);
  }

  private land(file: LandedFile & { readonly path: string }): void {
    const { format, folder, name, fields } = this.source(file.source);
    const names = Object.keys(fields);
    const lines =
      format === 'csv'
        ? [names.join(','), ...file.records.map((record) => names.map((field) => record[field] ?? '').join(','))]
        : file.records.map((record) => JSON.stringify(record));
    this.lake.land(`${folder}/${name}_${file.path}.${format}`, `${lines.join('\n')}\n`);
    this.landed.push(file);
  }

  private source(name: string): Source {
    const source = this.version.catalogue.sources.find((one) => one.name === name);
    if (source === undefined) throw new Error(`no source ${name}`);
    return source;
  }

  private async loads(): Promise<readonly WithdrawnLoad[]> {
    const { loads } = await this.lake.latest();
    return Object.entries(loads).flatMap(([source, last]) =>
      Array.from({ length: last }, (_, n) => ({ source, load: n + 1 })),
    );
  }

  private async repairs(step: Step & { readonly kind: 'repair' }, at: number): Promise<readonly Repair[]> {
    const { format, name } = this.source(step.source);
    const table = this.version.catalogue.tables.find((one) => isSourceTable(one) && one.contract.source === name)
      ?.contract.name;
    if (table === undefined) return [];
    const rejects = await this.lake.rows(
      await this.lake.latest(),
      `SELECT * FROM ${relationOf(table).replace('silver.', 'quarantine.')} ORDER BY _batch_id, _source_file, _source_row`,
    );
    const records = rejects
      .filter((_, n) => (n + step.chosen) % 2 === 0)
      .map((reject, n) => {
        const fields = step.good[n % step.good.length] ?? {};
        return {
          original: {
            load: Number(reject['_batch_id']),
            file: String(reject['_source_file']),
            row: Number(reject['_source_row']),
            line: reject['_source_line'] === null ? null : Number(reject['_source_line']),
            loaded_at: String(reject['_loaded_at']),
            as_of: String(reject['_as_of']),
          },
          id: `${name}:${String(reject['_batch_id'])}:${String(reject['_source_row'])}`,
          rules: reject['rules'] as string[],
          superseded_by: null,
          before: String(reject['record']),
          after: { fields, rescued: null, record: format === 'csv' ? null : JSON.stringify(fields) },
        };
      });
    if (records.length === 0) return [];
    return [
      {
        format: 1,
        id: `r${at}`,
        source: name,
        table,
        by: 'local',
        at: '2026-02-17T11:00:00.000Z',
        reason: null,
        records,
      },
    ];
  }
}

function recordOf(world: World, source: string): fc.Arbitrary<Fields> {
  const record = world.records[source];
  if (record === undefined) throw new Error(`no records of ${source}`);
  return record;
}

function assertConserved({ tables }: RunReport, when: string): void {
  for (const { layer, table, rows_in, rows_out, duplicates, quarantined, cumulative } of tables) {
    if (rows_in === null || cumulative === null) continue;
    const run = { rows_in, rows_out: rows_out ?? 0, duplicates: duplicates ?? 0, quarantined: quarantined ?? 0 };
    for (const counts of [run, cumulative]) {
      if (counts.rows_in === counts.rows_out + counts.duplicates + counts.quarantined) continue;
      throw new Error(`${when}: ${layer}/${table} loses records: ${JSON.stringify(counts)}`);
    }
  }
}

function toText({ table, verdict, missing, unexpected, changed, first }: ProvedTable): string {
  const counts = `${missing} missing, ${unexpected} unexpected, ${changed} changed`;
  return `${table} ${verdict}: ${counts}: ${first.map((one) => JSON.stringify(one)).join(' ')}`;
}

function firstOf<T>(all: readonly T[]): T {
  const [first] = all;
  if (first === undefined) throw new Error('there is none');
  return first;
}
