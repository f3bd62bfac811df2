import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';

/**
 * Stops PostgreSQL when this process is killed: a shell that reads from a pipe of ours and interrupts it at the pipe's
 * end. A line sets it free, so that it never signals a process that got the id later. One that is killed is replaced.
 */
export function watchOver(postgres: ChildProcess): void {
  // Windows has no shell of this kind; the next start stops what was left.
  if (process.platform === 'win32' || postgres.pid === undefined) return;
  const watcher = spawn('/bin/sh', ['-c', 'read _ || kill -INT "$0"', String(postgres.pid)], {
    // Ctrl-C in the terminal must not reach it.
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watcher.unref();
  watcher.stdin.on('error', () => undefined);
  const release = () => watcher.stdin.end('\n');
  postgres.once('exit', release);
  watcher.once('error', () => undefined);
  watcher.once('exit', () => {
    postgres.off('exit', release);
    void setTimeout(1000, undefined, { ref: false }).then(() => {
      if (postgres.exitCode === null && postgres.signalCode === null) watchOver(postgres);
    });
  });
}
