import { mkdir } from 'node:fs/promises';
import { writeDemo, type DemoFile } from '#demo';
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
