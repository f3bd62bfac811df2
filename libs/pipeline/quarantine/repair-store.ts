import { z } from 'zod';
import { LakeError } from '#errors';
import type { Clock } from '#releases';
import type { ObjectStore } from '#storage';
import { encodeRepair, REPAIR_FOLDER, repairPath, repairSchema, type Repair } from '../repair.js';

/*
 * Repairs in the lake, each object written once and never changed or removed:
 *   _repairs/r7.json            what is to be repaired, by whom and why
 *   _repairs/dropped/r7.json    it is not to be replayed (any more)
 *   _repairs/runs/<run id>.json what a run was asked to do with repairs
 * Whether a repair was replayed, and whether it counts, the releases say: `bronze/repairs` and their withdrawn loads.
 */

const DROPPED = `${REPAIR_FOLDER}dropped/`;
const RUNS = `${REPAIR_FOLDER}runs/`;

const droppedSchema = z
  .object({ repair: z.string(), by: z.string(), at: z.string(), reason: z.string().nullable() })
  .readonly();

const loadSchema = z.object({ source: z.string(), load: z.int() }).readonly();

const runSchema = z
  .object({
    run_id: z.string(),
    /** Repairs that it replays. */
    repairs: z.array(z.string()).readonly(),
    /** Loads that it withdraws: repairs that are undone. */
    withdraw: z.array(loadSchema).readonly(),
    restore: z.array(loadSchema).readonly(),
    by: z.string(),
    at: z.string(),
    reason: z.string().nullable(),
  })
  .readonly();

export type DroppedRepair = z.infer<typeof droppedSchema>;
export type RepairRun = z.infer<typeof runSchema>;

const ATTEMPTS = 1_000;

/** Stores a new repair durably, under the next free number. */
export async function addRepair(store: ObjectStore, draft: Omit<Repair, 'id' | 'format'>): Promise<Repair> {
  let number = Math.max(0, ...(await repairIds(store)).map(numberOf));
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const repair: Repair = { format: 1, id: `r${++number}`, ...draft };
    if (await store.putIfAbsent(repairPath(repair.id), encodeRepair(repair))) return repair;
  }
  throw new LakeError('quarantine.contended', 'conflict', 'too many others repair at this moment: try again');
}

/** All there are, oldest first, whatever became of them. */
export async function repairIds(store: ObjectStore): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const { path } of store.list(REPAIR_FOLDER)) {
    const id = /^_repairs\/(r\d{1,15})\.json$/.exec(path)?.[1];
    if (id !== undefined) ids.push(id);
  }
  return ids.sort((a, b) => numberOf(a) - numberOf(b));
}

/** Throws `quarantine.unknown_repair`. */
export async function readRepair(store: ObjectStore, id: string): Promise<Repair> {
  const repair = /^r\d{1,15}$/.test(id) ? await read(store, repairPath(id), repairSchema) : undefined;
  if (repair !== undefined) return repair;
  throw new LakeError('quarantine.unknown_repair', 'notFound', `there is no repair '${id.slice(0, 50)}'`, {
    at: { field: 'repair' },
  });
}

/** False when somebody dropped it before. */
export function dropRepair(store: ObjectStore, dropped: DroppedRepair): Promise<boolean> {
  return store.putIfAbsent(`${DROPPED}${dropped.repair}.json`, encode(dropped));
}

export function droppedRepairs(store: ObjectStore): Promise<readonly DroppedRepair[]> {
  return readAll(store, DROPPED, droppedSchema);
}

/** What a run does, said before it does it; a run that is taken up again says it once. */
export async function noteRun(store: ObjectStore, clock: Clock, run: Omit<RepairRun, 'at'>): Promise<void> {
  const at = new Date(clock.nowMs()).toISOString();
  await store.putIfAbsent(`${RUNS}${run.run_id}.json`, encode({ ...run, at }));
}

export function repairRuns(store: ObjectStore): Promise<readonly RepairRun[]> {
  return readAll(store, RUNS, runSchema);
}

function numberOf(id: string): number {
  return Number(id.slice(1));
}

function encode(value: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}

async function readAll<T>(store: ObjectStore, prefix: string, schema: z.ZodType<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const { path } of store.list(prefix)) {
    const found = await read(store, path, schema);
    if (found !== undefined) all.push(found);
  }
  return all;
}

async function read<T>(store: ObjectStore, path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await store.get(path);
  } catch (error) {
    if (error instanceof LakeError && error.kind === 'notFound') return undefined;
    throw error;
  }
  const parsed = schema.safeParse(toJson(bytes));
  if (parsed.success) return parsed.data;
  const message = `${path} in the lake is no record of a repair: restore it from a backup, or take it away`;
  throw new LakeError('quarantine.corrupt_repair', 'corrupt', message, { at: { path }, cause: parsed.error });
}

function toJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}
