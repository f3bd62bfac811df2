import { extname } from 'node:path';
import { exportFormats, exportToFile, openRelease, rowsAsText, writeAll, type ExportFormat } from '#platform';
import type { Call } from '../call.js';
import { usageError } from '../exit-code.js';
import { relationNamed } from '../output/relation.js';

export interface ExportOptions {
  readonly table: string;
  readonly release?: number;
  readonly format?: string;
  readonly out?: string;
}

export async function exportCommand(
  { settings, terminal, signal }: Call,
  { table, release: number, format: asked, out }: ExportOptions,
): Promise<void> {
  const format = formatOf(asked, out);
  if (format === 'parquet' && out === undefined) throw usageError('parquet needs a file: add --out FILE');
  const opened = await openRelease(settings, number);
  try {
    const { engine, release, relations } = opened;
    const relation = relationNamed(table, relations);
    if (out !== undefined) await exportToFile(engine, { relation, format, path: out }, signal);
    else if (format !== 'parquet') await writeAll(terminal.out, rowsAsText(engine, relation, format, signal));
    const to = out === undefined ? '' : ` to ${out}`;
    terminal.log('info', `${relation} of release ${release.number} (as of ${release.as_of}) written${to}`);
  } finally {
    await opened.close();
  }
}

function formatOf(asked: string | undefined, out: string | undefined): ExportFormat {
  const ending = extname(out ?? '')
    .slice(1)
    .toLowerCase();
  return (
    exportFormats.find((format) => format === asked) ??
    exportFormats.find((format) => asked === undefined && format === ending) ??
    'csv'
  );
}
