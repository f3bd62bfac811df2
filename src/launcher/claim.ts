import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { assert, LakeError } from '#errors';
import { isRunning, processRef, signalProcess, type ProcessRef } from './process-ref.js';

/** What `<data>/launcher.json` tells of the launcher that works there, or of one that was killed. */
export interface LauncherState extends ProcessRef {
  /** Where its api answers; null until that is known. */
  readonly url: string | null;
  readonly children: readonly ChildRef[];
}

export interface ChildRef extends ProcessRef {
  readonly name: string;
}

/** The data folder is this launcher's as long as `launcher.json` names it. */
export class Claim {
  private readonly children: Map<string, ChildRef>;
  private url: string | null = null;

  constructor(
    private readonly path: string,
    private readonly self: ProcessRef,
    /** The launcher that was here last was killed. */
    readonly afterKill: boolean,
    /** Its children; they end by themselves, most often. */
    readonly orphans: readonly ChildRef[],
  ) {
    this.children = new Map(orphans.map((orphan) => [orphan.name, orphan]));
    this.write();
  }

  servesAt(url: string): void {
    this.url = url;
    this.write();
  }

  /** From now on a next launcher knows the child, should this one be killed. */
  async hasChild(name: string, pid: number): Promise<void> {
    const ref = await processRef(pid);
    if (ref === undefined) this.children.delete(name);
    else this.children.set(name, { name, ...ref });
    this.write();
  }

  release(): void {
    rmSync(this.path, { force: true });
  }

  private write(): void {
    const draft = writeDraft(this.path, { ...this.self, url: this.url, children: [...this.children.values()] });
    renameSync(draft, this.path);
  }
}

/** Makes the data folder ours; throws `launcher.running` while another living launcher has it. */
export async function claimFolder(dataDir: string): Promise<Claim> {
  const path = statePath(dataDir);
  const self = await processRef(process.pid);
  assert(self !== undefined, 'this process is running');
  const draft = firstDraft(dataDir, { ...self, url: null, children: [] });
  let dead: LauncherState | undefined;
  try {
    while (!linked(draft, path)) {
      const other = readState(path);
      if (other !== undefined && (await isRunning(other))) throw alreadyRunning(other, dataDir);
      dead = other ?? dead;
      await takeAway(path);
    }
  } finally {
    rmSync(draft, { force: true });
  }
  return new Claim(path, self, dead !== undefined, await running(dead?.children ?? []));
}

/** The launcher that works in the data folder, if one does. */
export async function livingLauncher(dataDir: string): Promise<LauncherState | undefined> {
  const state = readState(statePath(dataDir));
  return state !== undefined && (await isRunning(state)) ? state : undefined;
}

const endsByItselfMs = 3_000;
const endsWhenAskedMs = 3_000;

/** Waits for orphans to see that their launcher is gone; stops those that do not. */
export async function endOrphans(orphans: readonly ChildRef[], say: (text: string) => void): Promise<void> {
  if (orphans.length === 0) return;
  const names = orphans.map(({ name, pid }) => `${name} (process ${pid})`).join(', ');
  say(`An earlier start was killed and left ${names}: waiting for the end of it …`);
  for (const signal of [undefined, 'SIGTERM', 'SIGKILL'] as const) {
    if (signal !== undefined) await Promise.all(orphans.map((orphan) => signalProcess(orphan, signal)));
    if (await allEnded(orphans, signal === undefined ? endsByItselfMs : endsWhenAskedMs)) return;
  }
  throw new LakeError('launcher.orphan', 'conflict', `${names} cannot be ended: end it by hand, then start again`);
}

async function allEnded(orphans: readonly ProcessRef[], withinMs: number): Promise<boolean> {
  for (const untilMs = Date.now() + withinMs; (await running(orphans)).length > 0; await setTimeout(50))
    if (Date.now() > untilMs) return false;
  return true;
}

async function running<R extends ProcessRef>(refs: readonly R[]): Promise<readonly R[]> {
  const verdicts = await Promise.all(refs.map(isRunning));
  return refs.filter((_, i) => verdicts[i]);
}

function alreadyRunning({ pid, url }: LauncherState, dataDir: string): LakeError {
  const where = url === null ? 'and is starting' : `and serves at ${url}`;
  return new LakeError(
    'launcher.running',
    'conflict',
    `npm start already runs for ${dataDir}: it is process ${pid} ${where}. ` +
      `Use it, or stop it (kill ${pid}), or set SHOPSMART_DATA and SHOPSMART_LAKE for a second shop`,
  );
}

/** Removes the claim of a dead launcher; one that a living launcher has put there meanwhile is put back. */
async function takeAway(path: string): Promise<void> {
  const away = draftPath(path);
  try {
    renameSync(path, away);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  const taken = readState(away);
  if (taken !== undefined && (await isRunning(taken))) linked(away, path);
  rmSync(away);
}

function readState(path: string): LauncherState | undefined {
  try {
    const { pid, started, url, children } = (JSON.parse(readFileSync(path, 'utf8')) ?? {}) as Partial<LauncherState>;
    if (typeof pid !== 'number' || typeof started !== 'string') return undefined;
    return { pid, started, url: url ?? null, children: children ?? [] };
  } catch (error) {
    // A power cut may leave half a file: it names nobody.
    if (error instanceof SyntaxError || codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function firstDraft(dataDir: string, state: LauncherState): string {
  try {
    mkdirSync(dataDir, { recursive: true });
    return writeDraft(statePath(dataDir), state);
  } catch (error) {
    throw new LakeError(
      'launcher.data_folder',
      'unavailable',
      `cannot write to ${dataDir} (${codeOf(error)}): give this user the right, or set SHOPSMART_DATA to another folder`,
      { at: { path: dataDir }, cause: error },
    );
  }
}

function writeDraft(path: string, state: LauncherState): string {
  const draft = draftPath(path);
  writeFileSync(draft, `${JSON.stringify(state)}\n`);
  return draft;
}

/** False if there is a file of the name. */
function linked(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function draftPath(path: string): string {
  return `${path}.${randomBytes(4).toString('hex')}`;
}

function statePath(dataDir: string): string {
  return join(dataDir, 'launcher.json');
}

function codeOf(error: unknown): string {
  return String((error as NodeJS.ErrnoException).code);
}
