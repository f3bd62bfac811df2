import { spawn, type ChildProcess } from 'node:child_process';
import { resolve } from 'node:path';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Place {
  /** Working folder: `.env` and relative paths start there. */
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Sent once the command says something for the first time. */
  readonly interruptBy?: NodeJS.Signals;
  /** Another user to run as; only root may. */
  readonly uid?: number;
  readonly onStart?: (child: ChildProcess) => void;
}

/** Runs the command line as a user does, in a process of its own. */
export function shopsmart(args: readonly string[], place: Place): Promise<Ended> {
  return runNode([resolve('bin/shopsmart.js'), ...args], place);
}

/** What `npm start` does once everything is built. */
export function npmStart(place: Place): Promise<Ended> {
  return runNode([resolve('dist/src/start.js')], place);
}

async function runNode(args: readonly string[], { cwd, env, interruptBy, uid, onStart }: Place): Promise<Ended> {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(SHOPSMART_|NODE_OPTIONS$|LOG_LEVEL$|PORT$|HOST$)/.test(name),
  );
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  onStart?.(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (stderr === '' && interruptBy !== undefined) child.kill(interruptBy);
    stderr += text;
  });
  const code = await new Promise<number | null>((ended, failed) => child.once('error', failed).once('close', ended));
  return { code, stdout, stderr };
}
