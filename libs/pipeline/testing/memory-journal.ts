import { renameSync, rmSync } from 'node:fs';
import { LakeError } from '#errors';
import type { RunJournal } from '../run-journal.js';

/** An attempt dies at its n-th entry, before it is kept or after. */
export interface Death {
  readonly atEntry: number;
  readonly kept: boolean;
}

const FILES = '<files>';

/** A journal whose entries outlive the attempt, not the test. */
export class MemoryJournal implements RunJournal {
  #entries = new Map<string, string>();
  #recorded = 0;
  #death: Death | undefined;

  constructor(public filesDir: string) {}

  get steps(): readonly string[] {
    return [...this.#entries.keys()];
  }

  dies(death: Death): this {
    this.#death = death;
    return this;
  }

  /** As the next attempt finds it: elsewhere. */
  taken(): this {
    this.#death = undefined;
    const folder = `${this.filesDir}-taken`;
    try {
      renameSync(this.filesDir, folder);
    } catch {
      // nothing was written yet
    }
    this.filesDir = folder;
    return this;
  }

  recall(step: string): Promise<unknown> {
    const text = this.#entries.get(step)?.replaceAll(FILES, this.filesDir);
    return Promise.resolve(text === undefined ? undefined : JSON.parse(text));
  }

  record(step: string, value: unknown): Promise<void> {
    const dies = ++this.#recorded === this.#death?.atEntry;
    if (!dies || this.#death?.kept === true)
      this.#entries.set(step, JSON.stringify(value).replaceAll(this.filesDir, FILES));
    return dies
      ? Promise.reject(new LakeError('storage.failed', 'unavailable', 'dead, on purpose'))
      : Promise.resolve();
  }

  isOurs(): Promise<boolean> {
    return Promise.resolve(true);
  }

  clear(): Promise<void> {
    this.#entries = new Map();
    rmSync(this.filesDir, { recursive: true, force: true });
    return Promise.resolve();
  }
}
