import type { DemoFile } from '#demo';
import type { Call } from '../call.js';
import { writeDemoFiles, writeNextDayFiles } from '../demo-files.js';
import { countText } from '../terminal/table-text.js';

export interface DemoOptions {
  readonly out?: string;
  readonly scale?: number;
  readonly seed?: number;
  readonly asOf?: string;
  readonly nextDay?: true;
  readonly days?: number;
}

export async function demoCommand(call: Call, options: DemoOptions): Promise<void> {
  const outDir = options.out ?? call.settings.landing;
  if (options.nextDay) {
    const { asOf, files } = await writeNextDayFiles(call, outDir, options.days ?? 1);
    tell(call, options, files, ` --as-of ${asOf}`);
  } else {
    tell(call, options, await writeDemoFiles(call, { ...options, outDir }), '');
  }
}

function tell({ terminal }: Call, { out }: DemoOptions, files: readonly DemoFile[], asOf: string): void {
  for (const { path, records } of files) terminal.result(`${path}  ${countText(records)} records`);
  const landing = out === undefined ? '' : ` --landing ${out}`;
  terminal.log('info', `\nNext: npx shopsmart run${landing}${asOf}`);
}
