import type { Catalogue } from './catalogue.js';
import { inputTables } from './catalogue.js';
import { typeName, type Column } from './column.js';
import type { TableContract } from './contract.js';
import { lakeColumns } from './lake-column.js';

const intro = 'Generated from the contracts by `node bin/data-dictionary.mjs` after a build: edit those.';

/** Every table and column of the lake, as Markdown. */
export function dataDictionary(all: Catalogue): string {
  const chapters = all.contracts.map((contract) => chapter(contract, all));
  return `${['# Data dictionary', intro, ...chapters].join('\n\n')}\n`;
}

function chapter(contract: TableContract, all: Catalogue): string {
  const definition = all.byName.get(contract.name);
  const facts = [
    `Key: ${contract.key.join(', ')}.`,
    contract.partitionBy.length === 0 ? '' : `Partitioned by ${contract.partitionBy.join(', ')}.`,
    definition === undefined ? '' : `Made from ${inputTables(definition).join(', ')}.`,
  ].filter((fact) => fact !== '');
  const rules =
    'rules' in contract ? (contract as { rules: readonly { name: string; description: string }[] }).rules : [];
  const lists = [
    list('Rejected with', rules),
    list(
      'Checked',
      contract.checks.map(({ name, severity, description }) => ({ name, description: `${severity}: ${description}` })),
    ),
  ].filter((part) => part !== '');
  const rows = Object.entries(lakeColumns(contract)).map(([name, column]) => row(name, column));
  const head = '| column | type | description | unit | class | null |\n| --- | --- | --- | --- | --- | --- |';
  return [`## ${contract.name}`, contract.describes, facts.join(' '), `${head}\n${rows.join('\n')}`, ...lists].join(
    '\n\n',
  );
}

function row(name: string, { type, description, unit, pii, nullable }: Column): string {
  return `| ${[name, typeName(type), description, unit ?? '', pii ?? '', nullable ? 'yes' : 'no'].map(cell).join(' | ')} |`;
}

function cell(value: string): string {
  return value.replaceAll('|', '\\|');
}

function list(title: string, things: readonly { name: string; description: string }[]): string {
  if (things.length === 0) return '';
  return `${title}:\n\n${things.map(({ name, description }) => `- \`${name}\`: ${description}`).join('\n')}`;
}
