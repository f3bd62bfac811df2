import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, lstat, mkdir, readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LakeError } from '#errors';
import type { Log } from '../log/log.js';

/** Whose PostgreSQL is. Undefined: ours. */
export type Account = { readonly uid: number; readonly gid: number } | undefined;

export interface Home {
  /** Holds the cluster and the port last used. */
  readonly folder: string;
  readonly programs: string;
  readonly cluster: string;
  readonly account: Account;
}

/** PostgreSQL refuses to run as root; this is `nobody` on every Unix. */
const NOBODY = { uid: 65_534, gid: 65_534 };

/** For root alone: where `nobody` can reach a cluster although it cannot reach the data folder. */
const ELSEWHERE = '/var/lib/shopsmart';

/**
 * `<data>/postgres`. For root, when PostgreSQL's account cannot get there (a data folder below a 0700 home), a folder in
 * `/var/lib/shopsmart` of which `<data>/postgres/elsewhere` has the path, so that it is found wherever the data folder
 * is moved. A cluster that exists is never left for a new one.
 */
export async function findHome(dataDir: string, log: Log): Promise<Home> {
  const folder = join(dataDir, 'postgres');
  const isRoot = process.getuid?.() === 0;
  await mkdir(dataDir, { recursive: true });
  await mkdir(folder, { recursive: true, mode: isRoot ? 0o711 : 0o700 });
  const near = await realpath(folder);
  const pointer = join(near, 'elsewhere');
  const far = await readText(pointer);
  if (!isRoot) {
    if (far !== undefined)
      throw cannotUse(`it was made by root and is in ${far}: start as root, or remove ${pointer} to begin a new one`);
    return home(near, near, undefined);
  }
  if (far !== undefined && (await isOurs(far))) return home(far, ELSEWHERE, NOBODY);
  if (far !== undefined) log.warn({ path: far }, 'the records of PostgreSQL are gone; beginning anew');

  // A start by an ordinary user left it theirs: it stays so.
  const owner = await stat(join(near, 'cluster')).catch(() => undefined);
  const account = owner === undefined ? NOBODY : { uid: owner.uid, gid: owner.gid };
  if (canReach(near, account)) return home(near, near, account);
  if (owner !== undefined)
    throw cannotUse(
      `uid ${owner.uid}, whose it is, cannot reach ${near}: give others the x bit on the folders above it (chmod o+x)`,
    );
  const made = await makeElsewhere();
  await writeFile(pointer, made, { flush: true });
  log.info({ path: made }, `PostgreSQL keeps its records there: uid ${NOBODY.uid} cannot reach ${near}`);
  return home(made, ELSEWHERE, NOBODY);
}

function home(folder: string, programs: string, account: Account): Home {
  return { folder, programs, cluster: join(folder, 'cluster'), account };
}

async function makeElsewhere(): Promise<string> {
  const made = join(ELSEWHERE, randomBytes(8).toString('hex'));
  for (const folder of [ELSEWHERE, made]) {
    await mkdir(folder, { recursive: true });
    // Whatever the umask: to be passed through, not to be listed.
    await chmod(folder, 0o711);
  }
  return made;
}

/** Nobody but root could have put something else there. */
async function isOurs(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined);
  return found !== undefined && found.isDirectory() && found.uid === 0 && (found.mode & 0o022) === 0;
}

/** Asked of the system, by going there: modes alone would miss access lists and mounts. */
function canReach(folder: string, account: NonNullable<Account>): boolean {
  return spawnSync('/bin/sh', ['-c', 'cd "$0"', folder], { ...account, cwd: '/', stdio: 'ignore' }).status === 0;
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function cannotUse(why: string): LakeError {
  return new LakeError(
    'postgres.cannot_start',
    'unavailable',
    `The database of this data folder cannot be used: ${why}. Or set DATABASE_URL to a PostgreSQL server.`,
  );
}
