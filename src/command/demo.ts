import type { Call } from '../call.js';
import { writeDemoFiles } from '../demo-files.js';
import { countText } from '../terminal/table-text.js';

export interface DemoOptions {
  readonly out?: string;
  readonly scale?: number;
  readonly seed?: number;
  readonly asOf?: string;
}

export async function demoCommand(call: Call, options: DemoOptions): Promise<void> {
  const outDir = options.out ?? call.settings.landing;
  const files = await writeDemoFiles(call, { ...options, outDir });
  for (const { path, records } of files) call.terminal.result(`${path}  ${countText(records)} records`);
  const option = options.out === undefined ? '' : ` --landing ${options.out}`;
  call.terminal.log('info', `\nNext: npx shopsmart run${option}`);
}
