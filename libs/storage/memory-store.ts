import { readFile } from 'node:fs/promises';
import { LakeError } from '#errors';
import type { Body, ByteRange, ObjectInfo, ObjectStore } from './object-store.js';
import { checkPath, checkPrefix, compareBytes, notFound } from './object-path.js';

/**
 * What goes wrong at one mutating call: it fails and nothing happened (`fail`), it happened but the answer is lost
 * (`lose`), or the process dies before it (`stop`: every later call fails too).
 */
export interface Fault {
  /** Counted from 1 over put, putIfAbsent and delete. */
  readonly atCall: number;
  readonly kind: 'fail' | 'lose' | 'stop';
}

/** A store in memory that can go wrong on purpose. Objects are copied in and out. */
export class MemoryStore implements ObjectStore {
  readonly url = 'memory:';
  /** Mutating calls so far. */
  calls = 0;
  private stopped = false;

  constructor(
    private readonly objects: Map<string, { readonly bytes: Uint8Array; readonly modifiedMs: number }> = new Map(),
    private readonly fault?: Fault,
    private readonly nowMs: () => number = () => 0,
  ) {}

  /** The same objects, as the next process finds them. */
  reopen(fault?: Fault): MemoryStore {
    return new MemoryStore(this.objects, fault, this.nowMs);
  }

  async get(path: string, range?: ByteRange): Promise<Uint8Array> {
    await this.turn();
    const object = this.objects.get(checkPath(path));
    if (object === undefined) throw notFound(this.url, path);
    return object.bytes.slice(range?.start ?? 0, range?.end);
  }

  async put(path: string, body: Body): Promise<void> {
    const bytes = await bytesOf(body);
    await this.mutate(() => {
      this.objects.set(checkPath(path), { bytes, modifiedMs: this.nowMs() });
      return true;
    });
  }

  async putIfAbsent(path: string, body: Body): Promise<boolean> {
    const bytes = await bytesOf(body);
    return this.mutate(() => {
      if (this.objects.has(checkPath(path))) return false;
      this.objects.set(path, { bytes, modifiedMs: this.nowMs() });
      return true;
    });
  }

  async *list(prefix: string, startAfter?: string): AsyncIterable<ObjectInfo> {
    await this.turn();
    checkPrefix(prefix);
    const paths = [...this.objects.keys()].filter((path) => path.startsWith(prefix)).sort(compareBytes);
    for (const path of paths) {
      const object = this.objects.get(path);
      if (object === undefined || (startAfter !== undefined && compareBytes(path, startAfter) <= 0)) continue;
      yield { path, sizeBytes: object.bytes.length, modifiedMs: object.modifiedMs };
    }
  }

  async delete(path: string): Promise<void> {
    await this.mutate(() => this.objects.delete(checkPath(path)));
  }

  localPath(): undefined {
    return undefined;
  }

  private async mutate<T>(apply: () => T): Promise<T> {
    await this.turn();
    this.calls += 1;
    if (this.fault?.atCall !== this.calls) return apply();
    if (this.fault.kind === 'stop') {
      this.stopped = true;
      throw lost('the process is dead');
    }
    if (this.fault.kind === 'lose') apply();
    throw lost(this.fault.kind === 'lose' ? 'the answer is lost' : 'the call failed');
  }

  /** Lets other callers come between any two calls, as a network would. */
  private async turn(): Promise<void> {
    await Promise.resolve();
    if (this.stopped) throw lost('the process is dead');
  }
}

function lost(why: string): LakeError {
  return new LakeError('storage.failed', 'unavailable', `memory: ${why}, on purpose.`);
}

async function bytesOf(body: Body): Promise<Uint8Array> {
  return body instanceof Uint8Array ? body.slice() : new Uint8Array(await readFile(body.file));
}
