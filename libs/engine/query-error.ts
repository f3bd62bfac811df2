import { LakeError } from '#errors';

/** A failure of DuckDB as ours, said once: what ran out, or that the query is wrong. */
export function toLakeError(error: unknown, doing: string): LakeError {
  if (isLakeError(error)) return error;
  const text = messageOf(error);
  if (/^INTERRUPT/i.test(text)) return cancelled(doing);
  if (/No space left on device|failed to offload data block|max_temp_directory_size/i.test(text)) {
    return new LakeError(
      'engine.disk_full',
      'unavailable',
      `${doing}: the disk of the work folder is full. Free space, or raise SHOPSMART_MEMORY_LIMIT so that less is spilled`,
      { cause: error },
    );
  }
  if (/^Out of Memory/i.test(text)) {
    return new LakeError(
      'engine.out_of_memory',
      'unavailable',
      `${doing}: the memory limit was reached. Raise SHOPSMART_MEMORY_LIMIT, or free disk space for the work folder`,
      { cause: error },
    );
  }
  return new LakeError('engine.query_failed', 'invalid', `${doing}: ${text}`, { cause: error });
}

export function cancelled(doing: string): LakeError {
  return new LakeError('engine.cancelled', 'unavailable', `${doing}: cancelled. Start it again when ready`);
}

function isLakeError(error: unknown): error is LakeError {
  return error instanceof LakeError;
}

function messageOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'message' in error) return String(error.message);
  return String(error);
}
