import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Job } from 'bullmq';
import { z } from 'zod';
import { LakeError } from '#errors';
import { exportFormats, exportToFile, openReleaseOf, resolveRelation, type OpenLake, type Settings } from '#platform';
import type { JobHandler } from '../jobs/dispatch.js';

const dataSchema = z.strictObject({
  /** As on the command line: `fact_sales`, `silver.orders`. */
  table: z.string().max(200),
  release: z.int().positive().optional(),
  format: z.enum(exportFormats).default('csv'),
});

/** Writes a table of a release to `<data>/exports`. The same table of the same release has one name, so doing it twice is doing it once. */
export class ExportWork implements JobHandler {
  readonly name = 'export';

  constructor(
    private readonly settings: Settings,
    private readonly open: OpenLake,
  ) {}

  async handle(job: Job, signal: AbortSignal): Promise<{ readonly file: string; readonly release: number }> {
    const { table, release: number, format } = parseData(job.data);
    const opened = await openReleaseOf(this.settings, this.open, number);
    try {
      const relation = resolveRelation(table, opened.relations);
      const release = opened.release.number;
      const folder = join(this.settings.data, 'exports');
      await mkdir(folder, { recursive: true });
      const file = join(folder, `${relation}-release-${release}.${format}`);
      await exportToFile(opened.engine, { relation, format, path: file }, signal);
      return { file, release };
    } finally {
      await opened.close();
    }
  }
}

function parseData(data: unknown): z.output<typeof dataSchema> {
  const parsed = dataSchema.safeParse(data);
  if (parsed.success) return parsed.data;
  const mistakes = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the job'}: ${message}`);
  throw new LakeError('export.invalid', 'invalid', `The export cannot be made: ${mistakes.join('; ')}.`);
}
