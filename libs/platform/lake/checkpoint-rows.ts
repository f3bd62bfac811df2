import type { Action, ParquetRows } from '#delta';
import type { DuckDbEngine, DuckDbParquetRows } from '#engine';

/** Reads and writes checkpoints on a small engine of its own, opened when the first one is met: most processes meet none. */
export class CheckpointRows implements ParquetRows {
  #open: Promise<{ readonly engine: DuckDbEngine; readonly rows: DuckDbParquetRows }> | undefined;

  constructor(private readonly workDir: string) {}

  async readCheckpoint(localFile: string): Promise<readonly Action[]> {
    return (await this.#opened()).rows.readCheckpoint(localFile);
  }

  async writeCheckpoint(localFile: string, actions: readonly Action[]): Promise<number> {
    return (await this.#opened()).rows.writeCheckpoint(localFile, actions);
  }

  async close(): Promise<void> {
    await (await this.#open)?.engine.close();
  }

  #opened() {
    this.#open ??= open(this.workDir);
    return this.#open;
  }
}

async function open(workDir: string) {
  const { DuckDbEngine, DuckDbParquetRows } = await import('#engine');
  const engine = await DuckDbEngine.open({ memoryLimit: '512MB', threads: 1, workDir });
  return { engine, rows: new DuckDbParquetRows(engine) };
}
