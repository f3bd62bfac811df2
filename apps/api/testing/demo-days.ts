import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { writeNextDays } from '#demo';
import { preludeDigestText, type Row } from '#engine';
import { bindRelease, diffReleases, prove, rollBack, type Proof } from '#pipeline';
import { ReleaseReader, type Release } from '#releases';
import { DATE_TO, DemoLake, newRunId, testClock } from './demo-lake.js';

const signal = new AbortController().signal;

/** The demo shop as it goes on from day to day, and what is done to its lake meanwhile. */
export class DemoDays {
  private constructor(readonly demo: DemoLake) {}

  static async make(): Promise<DemoDays> {
    return new DemoDays(await DemoLake.make());
  }

  /** Lands the days that follow, and loads them; gives the last of them. */
  async next(days: number): Promise<string> {
    const { asOf } = await writeNextDays({ outDir: join(this.demo.folder, 'landing'), days });
    await this.demo.publish({ asOf });
    return asOf;
  }

  async latest(): Promise<Release> {
    const release = await new ReleaseReader(this.demo.lake.store).latest();
    if (release === undefined) throw new Error('the lake has a release');
    return release;
  }

  async rollBack(to: number): Promise<void> {
    const { catalogue, lake, answers } = this.demo;
    const openEngine = () => this.demo.openEngine();
    const run = { runId: newRunId(), newNonce: randomUUID, clock: testClock, signal };
    await rollBack({ to, catalogue, lake, openEngine, ...run });
    await answers.refresh();
  }

  async prove(): Promise<Proof> {
    const { catalogue, lake, folder, dateFrom } = this.demo;
    return prove({
      catalogue,
      lake,
      openEngine: () => this.demo.openEngine(),
      prelude: preludeDigestText,
      release: await this.latest(),
      clock: testClock,
      workDir: join(folder, 'work'),
      dateFrom,
      dateTo: DATE_TO,
      onProgress: () => undefined,
      signal,
    });
  }

  /** Tables in which two releases differ. */
  async diff(before: Release, after: Release): Promise<readonly string[]> {
    const { catalogue, lake } = this.demo;
    const engine = await this.demo.openEngine();
    try {
      return (await diffReleases({ engine, lake, catalogue }, before, after)).map(({ table }) => table);
    } finally {
      await engine.close();
    }
  }

  async rows(sql: string): Promise<readonly Row[]> {
    const engine = await this.demo.openEngine();
    try {
      await bindRelease(engine, this.demo.lake, await this.latest());
      return await engine.query(sql);
    } finally {
      await engine.close();
    }
  }
}
