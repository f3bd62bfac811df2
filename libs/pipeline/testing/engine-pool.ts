import { join } from 'node:path';
import type { ParquetRows } from '#delta';
import { DuckDbEngine, DuckDbParquetRows, type Engine } from '#engine';

/**
 * Real engines, lent again once they are closed: opening one takes longer than a run of the small shop. What a borrower
 * left behind is dropped, as a fresh engine would have none of it.
 */
export class EnginePool {
  private readonly idle: DuckDbEngine[] = [];
  private readonly all: DuckDbEngine[] = [];

  /** Reads and writes checkpoints; few runs come to one. */
  readonly parquet: ParquetRows = {
    readCheckpoint: async (file) => new DuckDbParquetRows(await this.ofCheckpoints()).readCheckpoint(file),
    writeCheckpoint: async (file, actions) =>
      new DuckDbParquetRows(await this.ofCheckpoints()).writeCheckpoint(file, actions),
  };
  private checkpoints: Promise<DuckDbEngine> | undefined;

  constructor(private readonly dir: string) {}

  async open(): Promise<Engine> {
    const engine = this.idle.pop() ?? (await this.another());
    const names = new Set<string>();
    const named = <T>(name: string, made: Promise<T>): Promise<T> => {
      names.add(name);
      return made;
    };
    return {
      name: engine.name,
      bind: (name, bound) => named(name, engine.bind(name, bound)),
      define: (name, sql) => named(name, engine.define(name, sql)),
      stage: (name, sql, signal) => named(name, engine.stage(name, sql, signal)),
      drop: (name) => engine.drop(name),
      stream: (sql, parameters, signal) => engine.stream(sql, parameters, signal),
      query: (sql, parameters, options) => engine.query(sql, parameters, options),
      materialise: (sql, target, signal) => engine.materialise(sql, target, signal),
      close: async () => {
        for (const name of [...names].reverse()) await engine.drop(name);
        this.idle.push(engine);
      },
    };
  }

  async close(): Promise<void> {
    for (const engine of this.all) await engine.close();
  }

  private ofCheckpoints(): Promise<DuckDbEngine> {
    this.checkpoints ??= this.another();
    return this.checkpoints;
  }

  private async another(): Promise<DuckDbEngine> {
    const engine = await DuckDbEngine.open({ workDir: join(this.dir, 'engine'), threads: 1, memoryLimit: '512MB' });
    this.all.push(engine);
    return engine;
  }
}
