import type { Action, ParquetRows } from '#delta';
import { DuckDbEngine, DuckDbParquetRows } from '#engine';

/** Reads and writes checkpoints on a small engine of its own, opened when the first one is met: most processes meet none. */
export class CheckpointRows implements ParquetRows {
  #engine: Promise<DuckDbEngine> | undefined;

  constructor(private readonly workDir: string) {}

  async readCheckpoint(localFile: string): Promise<readonly Action[]> {
    return new DuckDbParquetRows(await this.#open()).readCheckpoint(localFile);
  }

  async writeCheckpoint(localFile: string, actions: readonly Action[]): Promise<number> {
    return new DuckDbParquetRows(await this.#open()).writeCheckpoint(localFile, actions);
  }

  async close(): Promise<void> {
    await (await this.#engine)?.close();
  }

  #open(): Promise<DuckDbEngine> {
    this.#engine ??= DuckDbEngine.open({ memoryLimit: '512MB', threads: 1, workDir: this.workDir });
    return this.#engine;
  }
}
