import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';

const PYTHON = '.venv/bin/python';
const SETUP = 'run test/delta-rs/setup.sh, which makes .venv';

export type Row = Readonly<Record<string, unknown>>;

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** The other implementation, in a process of its own that answers one request after the other. */
export class DeltaRs {
  readonly #waiting: Waiting[] = [];
  #stderr = '';

  private constructor(private readonly child: ChildProcessWithoutNullStreams) {
    createInterface(child.stdout).on('line', (line) => {
      const { answer, error } = JSON.parse(line) as { readonly answer?: unknown; readonly error?: string };
      const next = this.#waiting.shift();
      if (error === undefined) next?.resolve(answer);
      else next?.reject(new Error(`delta-rs: ${error}`));
    });
    child.stderr.on('data', (text: Buffer) => (this.#stderr += text.toString()));
    // Where a request meets the end, `close` tells why.
    child.stdin.on('error', () => undefined);
    child.on('close', () => {
      const error = new Error(`delta-rs is not installed, or ended: ${SETUP}.\n${this.#stderr}`);
      for (const waiting of this.#waiting.splice(0)) waiting.reject(error);
    });
  }

  static start(): DeltaRs {
    if (!existsSync(PYTHON)) throw new Error(`delta-rs is not installed: ${SETUP}.`);
    return new DeltaRs(spawn(PYTHON, ['test/delta-rs/delta_rs.py']));
  }

  ask(command: string, ...args: readonly unknown[]): Promise<unknown> {
    if (this.child.exitCode !== null) return Promise.reject(new Error(`delta-rs ended: ${SETUP}.\n${this.#stderr}`));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.child.stdin.write(`${JSON.stringify({ command, args })}\n`);
    });
  }

  async rows(path: string): Promise<readonly Row[]> {
    return byId((await this.ask('read', path)) as readonly Row[]);
  }

  async close(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const closed = new Promise((resolve) => this.child.on('close', resolve));
    this.child.stdin.end();
    await closed;
  }
}

export function byId(rows: readonly Row[]): readonly Row[] {
  return [...rows].sort((left, right) => Number(left['id']) - Number(right['id']));
}
