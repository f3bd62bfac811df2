import { constants } from 'node:fs';
import { access, readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Source } from '#contracts';
import { LakeError } from '#errors';

/** A file that belongs to a source, as it was when the landing folder was listed. */
export interface LandingFile {
  /** Below the landing folder, with `/` between its parts. */
  readonly path: string;
  readonly localPath: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

/** Something in the landing folder that this run leaves alone, and why. */
export interface LandingNote {
  readonly path: string;
  readonly reason: string;
}

export interface Landing {
  /** By source name; files in byte order of their path. */
  readonly files: ReadonlyMap<string, readonly LandingFile[]>;
  readonly waiting: readonly LandingNote[];
  readonly skipped: readonly LandingNote[];
}

const fileName = /^(.+)\.(csv|json|ndjson)(\.gz)?$/;
const unfinished = /^[._]|\.(tmp|part)$/;
/** Folders nested deeper are a mistake (or a loop of links), not data. */
const maxDepth = 64;

/**
 * Lists what has landed for each source: `NAME*.csv|json|ndjson`, plain or `.gz`, at any depth below the source's
 * folder and directly under the landing folder. A file that cannot be read fails the listing, before anything is
 * loaded: a run without it would look complete.
 */
export async function findLandingFiles(landingDir: string, sources: readonly Source[]): Promise<Landing> {
  const found = new Map<string, LandingFile[]>(sources.map((source) => [source.name, []]));
  const waiting: LandingNote[] = [];
  const skipped: LandingNote[] = [];
  const unreadable: { path: string; cause: unknown }[] = [];
  const visited = new Set<string>();
  const folders = new Set(sources.map((source) => source.folder));

  const visit = async (folder: string, depth: number): Promise<void> => {
    const real = await realpath(join(landingDir, folder));
    if (visited.has(real) || depth > maxDepth) return;
    visited.add(real);
    for (const name of await readdir(real)) {
      const path = folder === '' ? name : `${folder}/${name}`;
      try {
        await take(path, name, depth);
      } catch (cause) {
        unreadable.push({ path, cause });
      }
    }
  };

  const take = async (path: string, name: string, depth: number): Promise<void> => {
    const localPath = join(landingDir, path);
    const owner = ownerOf(path, sources);
    const top = depth === 0;
    if (unfinished.test(name)) {
      waiting.push({ path, reason: 'its name says that it is not finished' });
      return;
    }
    const info = await stat(localPath);
    if (info.isDirectory()) {
      if (owner !== undefined) skipped.push({ path, reason: 'it is a folder named like a file' });
      if (!top || folders.has(name)) await visit(path, depth + 1);
      return;
    }
    if (owner === undefined) return;
    if (!info.isFile()) {
      skipped.push({ path, reason: 'it is not a regular file' });
      return;
    }
    await access(localPath, constants.R_OK);
    found.get(owner.name)?.push({ path, localPath, sizeBytes: info.size, modifiedMs: Math.floor(info.mtimeMs) });
  };

  try {
    await visit('', 0);
  } catch (cause) {
    throw new LakeError(
      'load.no_landing',
      'notFound',
      `cannot list the landing folder ${landingDir}: create it, or name another with --landing`,
      { at: { path: landingDir }, cause },
    );
  }
  const [first] = unreadable;
  if (first !== undefined) {
    throw new LakeError(
      'load.unreadable',
      'unavailable',
      `cannot read ${unreadable.map(({ path }) => path).join(', ')} in the landing folder: ` +
        'give this user the right to read it, or move it away; nothing has been loaded',
      { at: { path: first.path }, cause: first.cause },
    );
  }
  for (const files of found.values()) files.sort((a, b) => compareBytes(a.path, b.path));
  waiting.sort((a, b) => compareBytes(a.path, b.path));
  skipped.sort((a, b) => compareBytes(a.path, b.path));
  return { files: found, waiting, skipped };
}

/** The source with the longest name that begins the file's, among those whose folder it lies in. */
function ownerOf(path: string, sources: readonly Source[]): Source | undefined {
  const parts = path.split('/');
  const name = parts.at(-1) ?? '';
  if (!fileName.test(name)) return undefined;
  const candidates = sources.filter(
    (source) => name.startsWith(source.name) && (parts.length === 1 || isBelow(path, source.folder)),
  );
  return candidates.reduce<Source | undefined>(
    (best, source) => (best === undefined || source.name.length > best.name.length ? source : best),
    undefined,
  );
}

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`);
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
