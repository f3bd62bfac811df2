import { randomBytes } from 'node:crypto';
import { access, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { RunJournal } from '#pipeline';
import { syncPath } from '#storage';

/**
 * The work folder of a queued run, which outlives the process: `<data>/work/runs/<run id>.<attempt>`. An attempt takes
 * it from the one before by giving it another name, so an attempt that lives on unnoticed finds nothing there any more.
 */
export class RunFolder implements RunJournal {
  private constructor(private readonly folder: string) {}

  static async take(dataDir: string, runId: string): Promise<RunFolder> {
    const parent = runsIn(dataDir);
    await mkdir(parent, { recursive: true });
    const folder = join(parent, `${runId}.${randomBytes(4).toString('hex')}`);
    let taken = false;
    for (const name of (await readdir(parent)).filter((name) => runIdOf(name) === runId)) {
      // What cannot be removed now is swept once the run has ended.
      if (taken) await rm(join(parent, name), { recursive: true, force: true }).catch(() => undefined);
      // Of two that take it at the same moment one gets it.
      else taken = await rename(join(parent, name), folder).then(() => true, ifMissing(false));
    }
    await mkdir(join(folder, 'steps'), { recursive: true });
    return new RunFolder(folder);
  }

  get filesDir(): string {
    return join(this.folder, 'files');
  }

  async recall(step: string): Promise<unknown> {
    const text = await readFile(this.stepFile(step), 'utf8').catch(ifMissing(undefined));
    if (text === undefined) return undefined;
    return JSON.parse(text, (key, value: unknown) =>
      key === 'localPath' ? join(this.filesDir, String(value)) : value,
    ) as unknown;
  }

  async record(step: string, value: unknown): Promise<void> {
    const files: string[] = [];
    const text = JSON.stringify(value, (key, inner: unknown) => {
      if (key !== 'localPath') return inner;
      files.push(String(inner));
      return relative(this.filesDir, String(inner));
    });
    for (const file of files) await syncPath(file);
    for (const folder of foldersOf(files, this.filesDir)) await syncPath(folder);
    const path = this.stepFile(step);
    // Never makes its folder: an attempt that lost it fails here.
    const draft = await open(`${path}.draft`, 'w');
    try {
      await draft.writeFile(text);
      await draft.sync();
    } finally {
      await draft.close();
    }
    await rename(`${path}.draft`, path);
    await syncPath(dirname(path));
  }

  isOurs(): Promise<boolean> {
    return access(join(this.folder, 'steps')).then(
      () => true,
      () => false,
    );
  }

  async clear(): Promise<void> {
    const steps = join(this.folder, 'steps');
    for (const name of await readdir(steps).catch(ifMissing([]))) await rm(join(steps, name), { force: true });
    await rm(this.filesDir, { recursive: true, force: true });
  }

  /** When the run has ended. */
  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  private stepFile(step: string): string {
    return join(this.folder, 'steps', encodeURIComponent(step));
  }
}

/** Removes what runs left behind whose end nobody could follow up. */
export async function sweepRunFolders(dataDir: string, hasEnded: (runId: string) => Promise<boolean>): Promise<void> {
  const parent = runsIn(dataDir);
  for (const name of await readdir(parent).catch(ifMissing([]))) {
    if (await hasEnded(runIdOf(name))) await rm(join(parent, name), { recursive: true, force: true });
  }
}

function runsIn(dataDir: string): string {
  return join(dataDir, 'work', 'runs');
}

function runIdOf(folderName: string): string {
  return folderName.split('.')[0] ?? '';
}

/** Each once: a new file's name is safe when every folder on its way is. */
function foldersOf(files: readonly string[], top: string): ReadonlySet<string> {
  const folders = new Set<string>();
  for (const file of files) {
    for (let folder = dirname(file); folder.startsWith(top); folder = dirname(folder)) folders.add(folder);
  }
  return folders;
}

function ifMissing<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT') return value;
    throw error;
  };
}
