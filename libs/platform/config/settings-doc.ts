import { settingsSchema } from './settings.js';

/** The text of docs/settings.md. */
export function settingsDoc(): string {
  const rows = Object.entries(settingsSchema.shape).map(([name, schema]) => {
    const meta = schema.meta();
    return `| \`${name}\` | ${String(meta?.['default'])} | ${String(meta?.description)} |`;
  });
  return `<!-- Made by \`npm run docs\` from libs/platform/config/settings.ts: edit that. -->

# Settings

Read from the environment, and from a file \`.env\` in the working folder. A command's option (\`--lake\`, \`--landing\`,
\`--engine\`) beats the environment, and the environment beats \`.env\`. All are checked at start; mistakes are reported
together, each with its name and value, and end the command with exit code 2. An empty value counts as not set.
Relative paths start at the working folder.

| variable | default | what it is |
| --- | --- | --- |
${rows.join('\n')}
`;
}
