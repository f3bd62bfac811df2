import { LakeError } from '#errors';
import { LandingFile } from './landing-file.js';

export interface DemoProgress {
  readonly path: string;
  readonly records: number;
  readonly expected: number;
}

export interface DemoFile {
  /** Relative to the landing folder. */
  readonly path: string;
  /** Well-formed records; those of the late export repeat records of orders.csv. */
  readonly records: number;
  readonly malformed: number;
  readonly sizeBytes: number;
}

/** The files being written: they appear together, or none does. */
export class Writing {
  readonly files: LandingFile[] = [];
  private readonly expected = new Map<LandingFile, number>();

  constructor(
    private readonly outDir: string,
    private readonly signal: AbortSignal | undefined,
    private readonly onProgress: ((progress: DemoProgress) => void) | undefined,
  ) {}

  async open(path: string, expected?: number): Promise<LandingFile> {
    const file = await LandingFile.create(this.outDir, path, this.signal);
    this.files.push(file);
    if (expected !== undefined) this.expected.set(file, expected);
    return file;
  }

  async drain(file: LandingFile): Promise<void> {
    await file.drain();
    this.report(file);
  }

  async publish(): Promise<void> {
    for (const file of this.files) {
      await file.publish();
      this.report(file);
    }
  }

  async discard(): Promise<void> {
    for (const file of this.files) await file.discard();
  }

  private report(file: LandingFile): void {
    this.onProgress?.({ path: file.path, records: file.records, expected: this.expected.get(file) ?? file.records });
  }

  get summary(): readonly DemoFile[] {
    return this.files.map(({ path, records, malformed, sizeBytes }) => ({ path, records, malformed, sizeBytes }));
  }
}

/** Names the folder in what the file system says; anything else, a cancellation too, stays as it is. */
export function toLakeError(error: unknown, outDir: string): unknown {
  const { syscall, code } = (error ?? {}) as NodeJS.ErrnoException;
  if (syscall === undefined || code === undefined) return error;
  return new LakeError(
    'demo.cannot_write',
    'unavailable',
    `cannot write the demo files to ${outDir} (${code}); make it a writable folder with room, or give another`,
    { at: { path: outDir }, cause: error },
  );
}
