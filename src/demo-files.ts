import { mkdir } from 'node:fs/promises';
import { writeDemo, writeNextDays, type DemoFile, type NextDays } from '#demo';
import type { Call } from './call.js';
import { startProgress } from './terminal/progress.js';
import { today } from '#platform';

export interface DemoChoices {
  readonly outDir: string;
  readonly scale?: number;
  readonly seed?: number;
  readonly asOf?: string;
}

export async function writeDemoFiles(
  { terminal, signal }: Call,
  { asOf, ...choices }: DemoChoices,
): Promise<readonly DemoFile[]> {
  await mkdir(choices.outDir, { recursive: true });
  const progress = startProgress(terminal);
  try {
    const { files } = await writeDemo({
      ...choices,
      asOf: asOf ?? today(),
      onProgress: ({ path, records, expected }) =>
        records < expected ? progress.tick(records, expected, path) : progress.step(records, expected, path),
      signal,
    });
    return files;
  } finally {
    progress.end();
  }
}

export async function writeNextDayFiles({ terminal, signal }: Call, outDir: string, days: number): Promise<NextDays> {
  const progress = startProgress(terminal);
  try {
    const onDay = (date: string, written: number) => progress.step(written, days, date);
    return await writeNextDays({ outDir, days, onDay, signal });
  } finally {
    progress.end();
  }
}
