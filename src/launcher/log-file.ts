import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** A log that never takes more than twice `mostBytes`: when it is full it becomes `<path>.1`, and a new one begins. */
export class LogFile {
  private file: number;
  private sizeBytes: number;

  constructor(
    private readonly path: string,
    private readonly mostBytes: number,
  ) {
    mkdirSync(dirname(path), { recursive: true });
    this.file = openSync(path, 'a');
    this.sizeBytes = fstatSync(this.file).size;
  }

  /** A full disk costs the lines, and nothing else. */
  append(text: string): void {
    try {
      if (this.sizeBytes > 0 && this.sizeBytes + text.length > this.mostBytes) this.rotate();
      this.sizeBytes += writeSync(this.file, text);
    } catch {
      // Whoever watches the terminal has seen them.
    }
  }

  /** What is said after this is not kept. */
  close(): void {
    closeSync(this.file);
    this.file = -1;
  }

  private rotate(): void {
    renameSync(this.path, `${this.path}.1`);
    const full = this.file;
    this.file = openSync(this.path, 'a');
    this.sizeBytes = 0;
    closeSync(full);
  }
}
