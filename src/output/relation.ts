import { LakeError } from '#errors';
import { resolveRelation } from '#platform';
import { usageError } from '../exit-code.js';

/** The relation of a table that the command line names: a wrong name is wrong usage. */
export function relationNamed(table: string, known: readonly string[]): string {
  try {
    return resolveRelation(table, known);
  } catch (error) {
    throw error instanceof LakeError ? usageError(error.message) : error;
  }
}
