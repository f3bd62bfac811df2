import type { Action } from '#delta';
import { LakeError } from '#errors';
import type { ObjectStore } from '#storage';
import { digestOf } from './digest.js';
import { STAGED, type ReleaseTable } from './release.js';
import { getIfPresent } from './release-reader.js';

export type StagedRef = NonNullable<ReleaseTable['staged']>;

/**
 * Writes a table's actions, one JSON a line as in the log. The digest is part of the name: an attempt whose publish is
 * still on its way keeps its own actions whatever a later attempt of the run stages.
 */
export async function stageActions(
  store: ObjectStore,
  runId: string,
  table: string,
  actions: readonly Action[],
): Promise<StagedRef> {
  const bytes = Buffer.from(actions.map((action) => `${JSON.stringify(action)}\n`).join(''));
  const digest = digestOf(bytes);
  const path = `${STAGED}${runId}/${table}.${digest.slice(0, 16)}.json`;
  await store.put(path, bytes);
  return { path, digest };
}

export async function readStaged(store: ObjectStore, { path, digest }: StagedRef): Promise<readonly Action[]> {
  const bytes = await getIfPresent(store, path);
  if (bytes === undefined || digestOf(bytes) !== digest) {
    throw new LakeError(
      'release.corrupt',
      'corrupt',
      `${path} ${bytes === undefined ? 'is gone' : 'is not what its release says'}. Restore it from a backup, or serve an earlier release.`,
      { at: { path } },
    );
  }
  return parseActions(bytes);
}

export function parseActions(bytes: Uint8Array): readonly Action[] {
  return Buffer.from(bytes)
    .toString('utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as Action);
}

/** The run that staged a file below `_releases/staged/`. */
export function runOfStaged(path: string): string | undefined {
  return path.startsWith(STAGED) ? path.slice(STAGED.length).split('/')[0] : undefined;
}
