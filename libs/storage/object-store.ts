/** What is written: bytes, or a file on this machine (moved or copied as the store sees fit). */
export type Body = Uint8Array | { readonly file: string };

export interface ObjectInfo {
  /** Relative to the store's root, `/`-separated. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

export interface ByteRange {
  readonly start: number;
  /** Exclusive. */
  readonly end?: number;
}

/**
 * Everything the lake asks of a disk or a cloud. Paths are relative to the root, `/`-separated, never start with `/`
 * and never hold `..`. A missing object is `LakeError('storage.not_found', 'notFound')`.
 */
export interface ObjectStore {
  /** How people name this store: an absolute path or a URL. */
  readonly url: string;
  get(path: string, range?: ByteRange): Promise<Uint8Array>;
  /** Whole or not at all; replaces. */
  put(path: string, body: Body): Promise<void>;
  /** Atomic and whole; false when the name is taken, and then nothing was changed. */
  putIfAbsent(path: string, body: Body): Promise<boolean>;
  /** Every object below the prefix, in byte order of the path, after `startAfter` (exclusive). */
  list(prefix: string, startAfter?: string): AsyncIterable<ObjectInfo>;
  /** Idempotent. */
  delete(path: string): Promise<void>;
  /** The object's file on this machine, where the store is one; engines then read it in place. */
  localPath(path: string): string | undefined;
}
