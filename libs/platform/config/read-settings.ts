import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { LakeError } from '#errors';
import { parseSettings, settingsSchema, type Settings, type SettingSources } from './settings.js';

/** A value given on the command line, and the option that gave it. */
export type SettingOptions = Readonly<Record<string, { readonly value: string; readonly from: string }>>;

/** Settings of this process: an option beats the environment, the environment beats `.env` in the working folder. */
export function readSettings(options: SettingOptions = {}, workingDir: string = process.cwd()): Settings {
  const sources = { ...givenVariables(workingDir), ...options };
  return parseSettings(sources, { memoryBytes: usableMemoryBytes(), cores: availableParallelism(), workingDir });
}

/** Variables that look like settings of ours and are none: misspelt, most likely. */
export function unknownVariables(workingDir: string = process.cwd()): readonly string[] {
  const known = Object.keys(settingsSchema.shape);
  return Object.keys(givenVariables(workingDir)).filter(
    (name) => name.startsWith('SHOPSMART_') && !known.includes(name),
  );
}

function givenVariables(workingDir: string): SettingSources {
  return { ...named(readEnvFile(join(workingDir, '.env')), '.env'), ...named(process.env) };
}

function named(values: NodeJS.Dict<string>, from?: string): SettingSources {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) =>
      // An empty variable counts as not set, so it must not hide the one in .env.
      value === undefined || value.trim() === '' ? [] : [[name, from === undefined ? { value } : { value, from }]],
    ),
  );
}

function readEnvFile(path: string): NodeJS.Dict<string> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return {};
    throw new LakeError(
      'settings.unreadable',
      'invalid',
      `cannot read ${path} (${String(code)}): make it a readable text file`,
      {
        at: { path },
        cause: error,
      },
    );
  }
  return parseEnv(text);
}

/** A container's limit where there is one: `totalmem` tells of the whole machine. */
function usableMemoryBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 && limit < totalmem() ? limit : totalmem();
}
