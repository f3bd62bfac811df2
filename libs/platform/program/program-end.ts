import { LakeError } from '#errors';

/** Says to the launcher: do not start me again, I would end the same way. */
const WRONG_SETTINGS = 2;
export const FAILED = 1;

/** Resolves, with the reason, when this program is to end: by a signal, or as the launcher that started it has gone. */
export function toldToEnd(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
    process.once('disconnect', () => resolve('the launcher has gone'));
  });
}

/** Ends a program that could not start, or failed, with words for whoever reads standard error. */
export function exitBy(error: unknown): never {
  const isWrong = error instanceof LakeError && error.code.startsWith('settings.');
  process.stderr.write(`${isWrong ? error.message : String(error instanceof Error ? error.stack : error)}\n`);
  return process.exit(isWrong ? WRONG_SETTINGS : FAILED);
}
