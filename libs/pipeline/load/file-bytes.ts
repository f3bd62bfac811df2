import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';

interface ReadOptions {
  readonly gzip: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Sees the bytes as they are stored. */
  readonly onStored?: (bytes: Buffer) => void;
}

/** How the bytes ended. `cut`: the gzip stream is broken or incomplete; all that could be unpacked was delivered. */
type Ending = 'whole' | 'cut';

const readBytes = 1 << 20;

/**
 * Delivers a file's bytes, unpacked, one chunk after another. A chunk's memory is reused: copy what outlives the
 * call.
 */
export async function readFileBytes(
  path: string,
  options: ReadOptions,
  onBytes: (bytes: Buffer) => void,
): Promise<Ending> {
  const file = await open(path, 'r');
  const unpack = options.gzip ? new Unpacker(onBytes) : undefined;
  try {
    const buffer = Buffer.allocUnsafe(readBytes);
    for (;;) {
      options.signal?.throwIfAborted();
      const { bytesRead } = await file.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) break;
      const bytes = buffer.subarray(0, bytesRead);
      options.onStored?.(bytes);
      if (unpack === undefined) onBytes(bytes);
      else await unpack.write(bytes);
    }
    return unpack === undefined ? 'whole' : await unpack.end();
  } finally {
    unpack?.close();
    await file.close();
  }
}

/**
 * Unpacks gzip and keeps everything before a fault. Read by events, not as a stream: a stream that fails drops the
 * chunks its reader has not taken yet.
 */
class Unpacker {
  private readonly gunzip = createGunzip({ chunkSize: 1 << 18 });
  private broken = false;
  private defect: Error | undefined;
  private settle: (() => void) | undefined;
  private written = false;

  constructor(onBytes: (bytes: Buffer) => void) {
    this.gunzip.on('data', (bytes: Buffer) => {
      if (this.defect !== undefined) return;
      try {
        onBytes(bytes);
      } catch (error) {
        this.defect = error as Error;
      }
    });
    this.gunzip.on('error', () => {
      this.broken = true;
      this.settle?.();
    });
    this.gunzip.on('end', () => this.settle?.());
  }

  async write(bytes: Buffer): Promise<void> {
    this.written = true;
    if (!this.broken) {
      // gunzip may keep the chunk beyond this call
      await this.settled((done) => this.gunzip.write(Buffer.from(bytes), () => done()));
    }
    if (this.defect !== undefined) throw this.defect;
  }

  async end(): Promise<Ending> {
    if (!this.written) return 'whole'; // an empty file, not a broken one
    if (!this.broken) await this.settled(() => this.gunzip.end());
    if (this.defect !== undefined) throw this.defect;
    return this.broken ? 'cut' : 'whole';
  }

  close(): void {
    this.gunzip.destroy();
  }

  private settled(start: (done: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      this.settle = resolve;
      start(resolve);
    });
  }
}
