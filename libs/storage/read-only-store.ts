import { assert } from '#errors';
import type { ByteRange, ObjectInfo, ObjectStore } from './object-store.js';

/** A store for work that must not change it: to write to it is a defect of ours. */
export class ReadOnlyStore implements ObjectStore {
  readonly url: string;

  constructor(private readonly store: ObjectStore) {
    this.url = store.url;
  }

  get(path: string, range?: ByteRange): Promise<Uint8Array> {
    return this.store.get(path, range);
  }

  list(prefix: string, startAfter?: string): AsyncIterable<ObjectInfo> {
    return this.store.list(prefix, startAfter);
  }

  localPath(path: string): string | undefined {
    return this.store.localPath(path);
  }

  put(path: string): Promise<void> {
    return refuse('put', path);
  }

  putIfAbsent(path: string): Promise<boolean> {
    return refuse('putIfAbsent', path);
  }

  delete(path: string): Promise<void> {
    return refuse('delete', path);
  }
}

function refuse(what: string, path: string): Promise<never> {
  assert(false, `nothing is written here: ${what} ${path}`);
}
