import { types } from 'node:util';
import { LakeError } from '#errors';

/** What a person needs of an error: message, code, where. The stack only when debugging. */
export function errorText(error: unknown, debug: boolean): string {
  const lines = [`Error: ${messageOf(error)}`];
  if (error instanceof LakeError) {
    const place = Object.entries(error.at)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name} ${String(value)}`);
    lines.push(`  code: ${error.code}`);
    if (place.length > 0) lines.push(`  where: ${place.join(', ')}`);
    if (error.cause !== undefined) lines.push(`  cause: ${messageOf(error.cause).split('\n', 1)[0] ?? ''}`);
  }
  if (debug && types.isNativeError(error)) lines.push(error.stack ?? '');
  return lines.join('\n');
}

function messageOf(error: unknown): string {
  return types.isNativeError(error) ? error.message : String(error);
}
