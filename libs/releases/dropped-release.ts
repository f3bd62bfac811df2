import { LakeError } from '#errors';
import type { ObjectStore } from '#storage';
import { HOUR_MS, type Clock } from './lake.js';
import { DROPPED, droppedPath, parseRelease, releasePath, type Release } from './release.js';
import { getIfPresent } from './release-reader.js';

/** What a dropped release stands on stays this long: somebody may have opened it just before. */
const GRACE_MS = HOUR_MS;

/** A release that is no longer listed. */
export interface DroppedRelease {
  readonly path: string;
  readonly release: Release;
  /** Nobody reads it any more. */
  readonly isOver: boolean;
}

/** Takes a release out of the list, and keeps its record aside: until the time is over it says which files must stay. */
export async function dropRelease(store: ObjectStore, clock: Clock, number: number): Promise<void> {
  const path = releasePath(number);
  const record = await getIfPresent(store, path);
  if (record === undefined) return;
  const dropped = { dropped_at: new Date(clock.nowMs()).toISOString(), record: Buffer.from(record).toString('utf8') };
  await store.put(droppedPath(number), Buffer.from(JSON.stringify(dropped)));
  await store.delete(path);
}

export async function* droppedReleases(store: ObjectStore, nowMs: number): AsyncIterable<DroppedRelease> {
  for await (const { path } of store.list(DROPPED)) {
    const bytes = await getIfPresent(store, path);
    if (bytes === undefined) continue;
    const { droppedMs, release } = parseDropped(bytes, path);
    yield { path, release, isOver: nowMs - droppedMs >= GRACE_MS };
  }
}

function parseDropped(bytes: Uint8Array, path: string): { readonly droppedMs: number; readonly release: Release } {
  try {
    const { dropped_at, record } = JSON.parse(Buffer.from(bytes).toString('utf8')) as Readonly<Record<string, string>>;
    const number = Number(path.slice(DROPPED.length, -'.json'.length));
    const release = parseRelease(Buffer.from(record ?? ''), releasePath(number));
    return { droppedMs: Date.parse(dropped_at ?? ''), release };
  } catch (cause) {
    throw new LakeError(
      'release.corrupt',
      'corrupt',
      `${path} is no record of a dropped release. Delete it: what that release alone stood on is then removed.`,
      { at: { path }, cause },
    );
  }
}
