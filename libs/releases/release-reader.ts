import { LakeError } from '#errors';
import type { ObjectStore } from '#storage';
import { LATEST_HINT, parseRelease, releaseNumber, releasePath, RELEASES, type Release } from './release.js';

export interface ReleasePage {
  /** Only releases with a smaller number. */
  readonly before?: number;
  readonly limit: number;
}

/** Reads release records. Needs no write permission and trusts the hint only as a place to start listing. */
export class ReleaseReader {
  constructor(private readonly store: ObjectStore) {}

  /** The newest release; undefined while the lake has none. */
  async latest(): Promise<Release | undefined> {
    const hint = await this.hint();
    const newest = (await this.numbersAfter(hint)).at(-1);
    if (newest !== undefined) return this.listed(newest);
    const hinted = hint > 0 ? await this.get(hint) : undefined;
    // A hint beyond the records (somebody copied it) must not hide them.
    if (hint > 0 && hinted === undefined) {
      const last = (await this.numbersAfter(0)).at(-1);
      return last === undefined ? undefined : this.listed(last);
    }
    return hinted;
  }

  async get(number: number): Promise<Release | undefined> {
    const path = releasePath(number);
    const bytes = await getIfPresent(this.store, path);
    return bytes === undefined ? undefined : parseRelease(bytes, path);
  }

  /** Throws `release-gone` for a release that was removed, `release.not_found` for a number that never was one. */
  async existing(number: number): Promise<Release> {
    const release = await this.get(number);
    if (release !== undefined) return release;
    throw noRelease(number, (await this.latest())?.number ?? 0);
  }

  /** Newest first. */
  async list({ before, limit }: ReleasePage): Promise<readonly Release[]> {
    const numbers = (await this.numbers()).filter((number) => before === undefined || number < before);
    const page: Release[] = [];
    for (const number of numbers) {
      if (page.length === limit) break;
      const release = await this.get(number);
      // Removed since it was listed.
      if (release !== undefined) page.push(release);
    }
    return page;
  }

  /** Of all kept releases, newest first; reads none of them. */
  async numbers(): Promise<readonly number[]> {
    return (await this.numbersAfter(0)).reverse();
  }

  /** Releases with a greater number, oldest first. */
  async after(number: number): Promise<readonly Release[]> {
    const releases: Release[] = [];
    for (const next of await this.numbersAfter(number)) releases.push(await this.listed(next));
    return releases;
  }

  /** What a retried job asks first: did an earlier attempt of this run publish after its parent? */
  async byRun(runId: string, afterNumber: number): Promise<Release | undefined> {
    return (await this.after(afterNumber)).find((release) => release.run_id === runId);
  }

  private async numbersAfter(number: number): Promise<number[]> {
    const numbers: number[] = [];
    const after = number > 0 ? [releasePath(number)] : [];
    for await (const { path } of this.store.list(RELEASES, ...after)) {
      const found = releaseNumber(path);
      // Records sort before everything else in the folder.
      if (found === undefined) break;
      numbers.push(found);
    }
    return numbers;
  }

  /** One that a listing has just shown: if it is gone, it was removed meanwhile. */
  private async listed(number: number): Promise<Release> {
    const release = await this.get(number);
    if (release !== undefined) return release;
    throw noRelease(number, number);
  }

  private async hint(): Promise<number> {
    const bytes = await getIfPresent(this.store, LATEST_HINT);
    const number = Number(
      Buffer.from(bytes ?? [])
        .toString('utf8')
        .trim(),
    );
    return Number.isSafeInteger(number) && number > 0 ? number : 0;
  }
}

/** Why a number has no release. Numbers are given in order and never again: one up to the newest was there and was removed. */
export function noRelease(number: number, newest: number): LakeError {
  const at = { release: number };
  return number >= 1 && number <= newest
    ? new LakeError('release-gone', 'notFound', `Release ${number} is no longer kept. Ask a newer one.`, { at })
    : new LakeError('release.not_found', 'notFound', `There is no release ${number}; the newest is ${newest}.`, { at });
}

export async function getIfPresent(store: ObjectStore, path: string): Promise<Uint8Array | undefined> {
  try {
    return await store.get(path);
  } catch (error) {
    if (error instanceof LakeError && error.kind === 'notFound') return undefined;
    throw error;
  }
}
