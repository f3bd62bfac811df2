import type { ObjectStore } from '#storage';
import { HOUR_MS } from './lake.js';
import type { Release } from './release.js';
import { ReleaseReader } from './release-reader.js';
import { bornMs, findRun } from './run-record.js';

/** How far the clocks of two machines may differ: whoever made a run's id and whoever published it. */
const MAX_SKEW_MS = HOUR_MS;

/**
 * What a retried run asks before it computes anything: the release that an earlier attempt of it published, `newest` or
 * an earlier one. The run's record says where to look; without one (a run that published deletes it, vacuum a stale
 * one) all releases since the run's id was made are looked at.
 */
export async function publishedByRun(
  store: ObjectStore,
  runId: string,
  newest: Release | undefined,
): Promise<Release | undefined> {
  const reader = new ReleaseReader(store);
  const record = await findRun(store, runId);
  if (record !== undefined) return reader.byRun(runId, record.parent ?? 0);
  const sinceMs = bornMs(runId) - MAX_SKEW_MS;
  for (let release = newest; release !== undefined; release = await reader.get(release.number - 1)) {
    if (release.run_id === runId) return release;
    if (Date.parse(release.published_at) < sinceMs) return undefined;
  }
  return undefined;
}
