import { LakeError } from '#errors';

/** What scripts may rely on. */
export const exitCode = { done: 0, failed: 1, usage: 2, checkFailed: 3 } as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

/** The command was called in a way that cannot work. */
export function usageError(message: string): LakeError {
  return new LakeError('usage.invalid', 'invalid', message);
}

export function exitCodeOf(error: unknown): ExitCode {
  const isUsage =
    error instanceof LakeError &&
    /^(usage\.|settings\.|sql\.|demo\.bad_|quarantine\.(bad_|unknown_(field|table|source)))/.test(error.code);
  return isUsage ? exitCode.usage : exitCode.failed;
}
