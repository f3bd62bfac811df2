import { HOUR_MS } from './lake.js';
import type { Release } from './release.js';

/** How many releases stay, whatever their age, and how long every one stays. Beyond both, the last one of each day does. */
export interface Retention {
  readonly newest: number;
  readonly youngMs: number;
}

/**
 * A publisher that has not listed for an hour lists first, and stalls for less than a day: the number it tries next is
 * then among the newest or the young ones, never one that was dropped.
 */
const NEVER_DROPPED = { newest: 100, youngMs: 24 * HOUR_MS };

export function retentionOf(keepReleases: number): Retention {
  return { ...NEVER_DROPPED, newest: Math.max(NEVER_DROPPED.newest, keepReleases) };
}

/**
 * `current`: kept, and its tables' logs with it. `daily`: kept, standing on sealed lists where logs are cleaned.
 * `dropped`: goes.
 */
export type Fate = 'current' | 'daily' | 'dropped';

/** Says what becomes of releases that it is shown newest first; days are those of UTC. */
export function judgeReleases(retention: Retention, nowMs: number): (release: Release) => Fate {
  let shown = 0;
  let day: string | undefined;
  return ({ published_at }) => {
    const isLastOfDay = published_at.slice(0, 10) !== day;
    day = published_at.slice(0, 10);
    const isYoung = nowMs - Date.parse(published_at) < retention.youngMs;
    if (++shown <= retention.newest || isYoung) return 'current';
    return isLastOfDay ? 'daily' : 'dropped';
  };
}
