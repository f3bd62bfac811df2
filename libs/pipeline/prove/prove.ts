import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { inputTables, lakeColumns, type Catalogue, type TableContract } from '#contracts';
import type { Schema } from '#delta';
import type { Engine } from '#engine';
import { ReleaseReader, tableAt, type Clock, type Lake, type Release, type TableState } from '#releases';
import { localCopy } from '#storage';
import { logicDigests, type ComputedRun } from '../compute.js';
import { countOf } from '../count-of.js';
import { quarantineOf, schemaOf } from '../lake-schema.js';
import { bindLive, type LiveTable } from '../live-table.js';
import { relationOf, workName } from '../sql-name.js';
import { compareTable } from './compare-table.js';
import { check, checkFilesPresent, checkLog, checkStats, checkUnreferenced } from './file-checks.js';
import { writeProof, type Proof, type ProofCheck, type ProvedTable } from './proof.js';
import { REBUILT, rebuild } from './rebuild.js';
import { checkConserved, checkContract, checkLoads } from './row-checks.js';

export interface ProveOptions {
  readonly catalogue: Catalogue;
  readonly lake: Lake;
  readonly openEngine: () => Promise<Engine>;
  readonly prelude: string;
  readonly release: Release;
  readonly clock: Clock;
  /** A local folder that the proof may fill and empties when it ends. */
  readonly workDir: string;
  readonly dateFrom: string;
  readonly dateTo: string;
  readonly onProgress: (progress: ProveProgress) => void;
  readonly signal: AbortSignal;
}

export interface ProveProgress {
  readonly done: number;
  readonly total: number;
  readonly what: string;
}

/**
 * Rebuilds a release from its bronze beside the lake and compares every table row by row; checks loads, conservation,
 * contracts, logs and files. Writes nothing into the lake but the proof, which it also returns.
 */
export async function prove(options: ProveOptions): Promise<Proof> {
  const { lake, release, clock } = options;
  const startedMs = clock.nowMs();
  const found = await withProver(options, (prover) => prover.prove());
  const provedMs = clock.nowMs();
  const proof: Proof = {
    format: 1,
    release: release.number,
    verdict: verdictOf(found),
    as_of: release.as_of,
    proved_at: new Date(provedMs).toISOString(),
    seconds: (provedMs - startedMs) / 1000,
    ...found,
  };
  await writeProof(lake.store, proof);
  return proof;
}

/** The comparison alone: what a rebuild says of the rows of every table. Writes nothing into the lake. */
export function compareRelease(options: ProveOptions): Promise<readonly ProvedTable[]> {
  return withProver(options, (prover) => prover.compareAll());
}

async function withProver<T>(options: ProveOptions, work: (prover: Prover) => Promise<T>): Promise<T> {
  const engine = await options.openEngine();
  try {
    return await work(new Prover(options, engine));
  } finally {
    await engine.close();
    await rm(join(options.workDir, REBUILT), { recursive: true, force: true });
  }
}

type Found = Pick<Proof, 'tables' | 'checks'>;

/** They say which run wrote a row last, not what it says. A reject's `_run_id` is the run that loaded it, and compared. */
const STAMPS: ReadonlySet<string> = new Set(['_processed_at', '_run_id']);
/** Each question opens every file. */
const FEW_FILES = 8;
const QUARANTINE = 'bronze/quarantine/';

class Prover {
  private readonly rulesChanged: ReadonlySet<string>;
  private readonly states = new Map<string, TableState>();
  private readonly total: number;
  private done = 0;

  constructor(
    private readonly options: ProveOptions,
    private readonly engine: Engine,
  ) {
    this.rulesChanged = changedRules(options);
    // each computed table is rebuilt, each table is looked at
    this.total = options.catalogue.tables.length + options.catalogue.contracts.length;
  }

  async prove(): Promise<Found> {
    const { lake, clock } = this.options;
    const fileChecks = [...(await this.checkFiles()), await checkUnreferenced(lake, clock)];
    // Rows cannot be told from files that are not there.
    if (fileChecks.some(({ name, passed }) => name === 'files_present' && !passed)) {
      return { tables: this.computed().map((contract) => this.notCompared(contract)), checks: fileChecks };
    }
    const checks: ProofCheck[] = [];
    const { tables, rebuilt } = await this.eachTable(async (contract, live, { dates }) => {
      checks.push(...(await this.checkRows(contract, live, dates)));
    });
    return { tables, checks: [...checks, ...checkConserved(rebuilt), ...fileChecks] };
  }

  async compareAll(): Promise<readonly ProvedTable[]> {
    const { tables } = await this.eachTable(() => Promise.resolve());
    return tables;
  }

  /** Rebuilds, then compares table by table and, while the table is at hand, does what else is to be done with it. */
  private async eachTable(
    also: (contract: TableContract, live: LiveTable, rebuilt: ComputedRun) => Promise<void>,
  ): Promise<{ readonly tables: readonly ProvedTable[]; readonly rebuilt: ComputedRun }> {
    const { engine } = this;
    const released = await this.openTables();
    const rebuilt = await rebuild(this.options, engine, released, (event) => {
      if (event.kind === 'table') this.step(`${event.table} rebuilt`);
    });
    for (const { table, live } of rebuilt.outcomes) await bindLive(engine, workName(REBUILT, table), live);
    for (const [table, live] of released) await bindLive(engine, relationOf(table), this.asContracted(table, live));
    const tables: ProvedTable[] = [];
    for (const contract of this.options.catalogue.contracts) {
      const live = released.get(contract.name);
      if (live !== undefined) {
        const outcome = rebuilt.outcomes.find(({ table }) => table === contract.name);
        await this.atHand(contract.name, live, async () => {
          if (outcome !== undefined) tables.push(await this.compare(contract, live.schema, outcome.totalRows));
          await also(contract, live, rebuilt);
        });
      }
      this.step(contract.name);
    }
    return { tables, rebuilt };
  }

  private async stateOf(table: string): Promise<TableState> {
    const known = this.states.get(table);
    if (known !== undefined) return known;
    const state = await tableAt(this.options.lake, this.options.release, table);
    this.states.set(table, state);
    return state;
  }

  private async checkFiles(): Promise<readonly ProofCheck[]> {
    const { lake, release } = this.options;
    const newest = (await new ReleaseReader(lake.store).latest()) ?? release;
    const checks: ProofCheck[] = [];
    for (const table of Object.keys(release.tables).sort()) {
      const state = await this.stateOf(table);
      const log = await checkLog(lake, newest, state);
      checks.push(await checkFilesPresent(lake, state), ...(log === undefined ? [] : [log]));
    }
    return checks;
  }

  private async openTables(): Promise<ReadonlyMap<string, LiveTable>> {
    const { lake, release } = this.options;
    const tables = new Map<string, LiveTable>();
    for (const table of Object.keys(release.tables)) {
      const { schema, partitionColumns, files: stored } = await this.stateOf(table);
      const files = [];
      for (const { add, storePath } of stored)
        files.push({ add, localPath: await localCopy(lake.store, storePath, lake.cacheDir) });
      tables.set(table, { schema, partitionBy: partitionColumns, files });
    }
    return tables;
  }

  /** With columns that the contract has gained since: checks may name them. */
  private asContracted(table: string, live: LiveTable): LiveTable {
    const contract = this.options.catalogue.contracts.find(({ name }) => name === table);
    const gained = contract === undefined ? [] : schemaOf(lakeColumns(contract)).filter(isNotIn(live.schema));
    return { ...live, schema: [...live.schema, ...gained] };
  }

  /** Many questions are asked of a table; one in many files is read into the engine for them. */
  private async atHand(table: string, live: LiveTable, ask: () => Promise<void>): Promise<void> {
    if (live.files.length <= FEW_FILES) return ask();
    const { engine } = this;
    const [name, inFiles] = [relationOf(table), workName('released', table)];
    await bindLive(engine, inFiles, this.asContracted(table, live));
    await engine.stage(name, `SELECT * FROM ${inFiles}`, this.options.signal);
    await ask();
    await engine.define(name, `SELECT * FROM ${inFiles}`);
  }

  private async compare(contract: TableContract, released: Schema, rebuilt_rows: number): Promise<ProvedTable> {
    const { engine } = this;
    const { signal } = this.options;
    const own = contract.name.startsWith(QUARANTINE) ? new Set<string>() : STAMPS;
    const current = new Map(schemaOf(lakeColumns(contract)).map(({ name, type }) => [name, JSON.stringify(type)]));
    const columns = released
      .filter(({ name, type }) => !own.has(name) && current.get(name) === JSON.stringify(type))
      .map(({ name }) => name);
    const { rules } = this.notCompared(contract);
    const table = { table: contract.name, rules, rows: this.rowsOf(contract.name), rebuilt_rows };
    // Another key tells other rows apart.
    if (contract.key.some((name) => !columns.includes(name))) {
      return { ...table, verdict: 'other_rules', missing: 0, unexpected: 0, changed: 0, first: [] };
    }
    const compared = await compareTable({
      engine,
      contract,
      released: relationOf(contract.name),
      rebuilt: workName(REBUILT, contract.name),
      columns,
      signal,
    });
    const same = compared.missing + compared.unexpected + compared.changed === 0;
    return { ...table, verdict: same ? 'same' : rules === 'changed' ? 'other_rules' : 'differs', ...compared };
  }

  private async checkRows(
    { name: table }: TableContract,
    live: LiveTable,
    dates: Readonly<Record<string, string>>,
  ): Promise<readonly ProofCheck[]> {
    const { engine } = this;
    const { catalogue, signal } = this.options;
    const state = await this.stateOf(table);
    const rows = await countOf(engine, relationOf(table), signal);
    const counted = rows === state.rows ? [] : [`${rows} rows, the release says ${state.rows}`];
    const source = catalogue.sources.find(({ name }) => `bronze/${name}` === table);
    return [
      check(table, 'rows_counted', counted),
      await checkStats(engine, state, live, signal),
      ...(source === undefined ? [] : [await checkLoads(engine, source.name, relationOf(table))]),
      // what other rules ask of rows says nothing of rows made by the former ones
      ...(this.rulesChanged.has(table) ? [] : await checkContract(engine, catalogue, table, dates, signal)),
    ];
  }

  private computed(): readonly TableContract[] {
    const { catalogue, release } = this.options;
    const isComputed = ({ name }: TableContract) => catalogue.byName.has(name) || name.startsWith(QUARANTINE);
    return catalogue.contracts.filter((contract) => isComputed(contract) && contract.name in release.tables);
  }

  private notCompared({ name }: TableContract): ProvedTable {
    return {
      table: name,
      verdict: 'not_compared',
      rules: this.rulesChanged.has(name) ? 'changed' : 'same',
      rows: this.rowsOf(name),
      rebuilt_rows: 0,
      missing: 0,
      unexpected: 0,
      changed: 0,
      first: [],
    };
  }

  private rowsOf(table: string): number {
    return this.options.release.tables[table]?.rows ?? 0;
  }

  private step(what: string): void {
    this.options.onProgress({ done: ++this.done, total: this.total, what });
  }
}

function verdictOf({ tables, checks }: Found): Proof['verdict'] {
  const broken = checks.some(({ passed, severity }) => !passed && severity === 'error');
  if (broken || tables.some(({ verdict }) => verdict === 'differs')) return 'differs';
  return tables.every(({ verdict }) => verdict === 'same') ? 'ok' : 'unproven';
}

/** Tables whose rules, or those of a table that they follow from, are not what the release was made with. */
function changedRules({ release, ...options }: ProveOptions): ReadonlySet<string> {
  const digests = logicDigests(options);
  const changed = new Set<string>();
  // the catalogue has each table after what it reads
  for (const definition of options.catalogue.tables) {
    const { name } = definition.contract;
    const inherits = inputTables(definition).some((input) => changed.has(input));
    if (!inherits && release.tables[name]?.logic === digests.get(name)) continue;
    changed.add(name).add(quarantineOf(name));
  }
  return changed;
}

function isNotIn(schema: Schema): (field: Schema[number]) => boolean {
  const names = new Set(schema.map(({ name }) => name));
  return ({ name }) => !names.has(name);
}
