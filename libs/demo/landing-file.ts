import { mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Text gathered before a write; what a file holds in memory at most, but for one record. */
const CHUNK_CHARACTERS = 256 * 1024;

/** A landing file being written under a temporary name beside its own. It appears under its own name when published. */
export class LandingFile {
  private text = '';
  records = 0;
  malformed = 0;
  sizeBytes = 0;

  private constructor(
    readonly path: string,
    private readonly target: string,
    private readonly temporary: string,
    private readonly handle: FileHandle,
    private readonly signal: AbortSignal | undefined,
  ) {}

  static async create(outDir: string, path: string, signal: AbortSignal | undefined): Promise<LandingFile> {
    const target = join(outDir, path);
    await mkdir(dirname(target), { recursive: true });
    const temporary = join(dirname(target), `.${basename(target)}.tmp`);
    return new LandingFile(path, target, temporary, await open(temporary, 'w'), signal);
  }

  /** Text that is no record: a header, a bracket. */
  frame(text: string): void {
    this.text += text;
  }

  record(text: string): void {
    this.text += text;
    this.records++;
  }

  malformedRecord(text: string): void {
    this.text += text;
    this.malformed++;
  }

  get full(): boolean {
    return this.text.length >= CHUNK_CHARACTERS;
  }

  /** Writes what was gathered; the caller waits, so a slow disk slows the making of records. */
  async drain(): Promise<void> {
    this.signal?.throwIfAborted();
    const bytes = Buffer.from(this.text, 'utf8');
    this.text = '';
    this.sizeBytes += bytes.length;
    for (let done = 0; done < bytes.length;) done += (await this.handle.write(bytes, done)).bytesWritten;
  }

  async close(): Promise<void> {
    await this.drain();
    await this.handle.close();
  }

  async publish(): Promise<void> {
    await rename(this.temporary, this.target);
  }

  async discard(): Promise<void> {
    await this.handle.close();
    await rm(this.temporary, { force: true });
  }
}
