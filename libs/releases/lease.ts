import { z } from 'zod';
import type { ObjectStore } from '#storage';
import type { Clock } from './lake.js';
import { getIfPresent } from './release-reader.js';
import { RUNS } from './run-record.js';

/** Each acquisition takes the next number below this folder, so exactly one of many takers gets it. */
const LEASE = `${RUNS}publish.lease/`;
const LEASE_MS = 60_000;
const POLL_MS = 250;

const leaseSchema = z.object({ holder: z.string(), expires_ms: z.int() }).readonly();

/** The right to re-plan and publish undisturbed. Progress only: safety rests on putIfAbsent of the release record. */
export interface Lease {
  readonly holder: string;
  readonly fence: number;
}

interface Standing extends Lease {
  readonly expiresMs: number;
}

/** Waits for the lease and takes it; a holder that died is waited out. */
export async function acquireLease(store: ObjectStore, clock: Clock, holder: string): Promise<Lease> {
  for (;;) {
    const last = await waitForOthers(store, clock, holder);
    const fence = (last?.fence ?? 0) + 1;
    const taken = await store.putIfAbsent(leasePath(fence), bodyOf(holder, clock.nowMs() + LEASE_MS));
    const now = await standing(store);
    if (now?.fence === fence && now.holder === holder) {
      if (last !== undefined) await store.delete(leasePath(last.fence));
      return { holder, fence };
    }
    // The number had been taken, given back and cleared while we looked: a later holder stands.
    if (taken) await store.delete(leasePath(fence));
  }
}

/** Every 30 s while a long re-plan goes on; false when another has taken over. */
export async function renewLease(store: ObjectStore, clock: Clock, lease: Lease): Promise<boolean> {
  const now = await standing(store);
  if (now?.fence !== lease.fence || now.holder !== lease.holder) return false;
  await store.put(leasePath(lease.fence), bodyOf(lease.holder, clock.nowMs() + LEASE_MS));
  return true;
}

/** Gives the lease back; its number is not free again, an expired body stays. */
export async function releaseLease(store: ObjectStore, lease: Lease): Promise<void> {
  const now = await standing(store);
  if (now?.fence === lease.fence && now.holder === lease.holder) {
    await store.put(leasePath(lease.fence), bodyOf(lease.holder, 0));
  }
}

/** Lets whoever holds the lease publish first; returns the last lease seen, no longer held by another. */
export async function waitForOthers(store: ObjectStore, clock: Clock, self: string): Promise<Lease | undefined> {
  for (;;) {
    const last = await standing(store);
    if (last === undefined || last.holder === self || last.expiresMs <= clock.nowMs()) return last;
    await clock.sleep(Math.min(POLL_MS, last.expiresMs - clock.nowMs()));
  }
}

async function standing(store: ObjectStore): Promise<Standing | undefined> {
  let path: string | undefined;
  for await (const found of store.list(LEASE)) path = found.path;
  if (path === undefined) return undefined;
  const bytes = await getIfPresent(store, path);
  // Deleted by the next holder between the listing and the read.
  if (bytes === undefined) return standing(store);
  const fence = Number(path.slice(LEASE.length, -'.json'.length));
  const parsed = leaseSchema.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  return parsed.success
    ? { holder: parsed.data.holder, fence, expiresMs: parsed.data.expires_ms }
    : { holder: '', fence, expiresMs: 0 };
}

function bodyOf(holder: string, expiresMs: number): Uint8Array {
  return Buffer.from(JSON.stringify({ holder, expires_ms: expiresMs }));
}

function leasePath(fence: number): string {
  return `${LEASE}${String(fence).padStart(20, '0')}.json`;
}
