import type { Proof } from '#pipeline';
import { countText, tableText, type TextColumn } from './table-text.js';

const columns: readonly TextColumn[] = [
  { title: 'table', align: 'left' },
  ...['rows', 'rebuilt', 'missing', 'unexpected', 'changed'].map((title) => ({ title, align: 'right' as const })),
  { title: 'verdict', align: 'left' },
];

type Table = Proof['tables'][number];
type Difference = Table['first'][number];

/** A proof for people: a line for each table, the first differences, the checks, and last the verdict. */
export function proofText(proof: Proof): string {
  return [
    tableText(columns, proof.tables.map(cells)),
    ...proof.tables.flatMap(({ table, first }) => first.map((one) => `  ${table} ${differenceText(one)}`)),
    ...checkLines(proof),
    verdictLine(proof),
  ].join('\n');
}

function cells({ table, rows, rebuilt_rows, missing, unexpected, changed, verdict, rules }: Table): readonly string[] {
  const counts = [rows, rebuilt_rows, missing, unexpected, changed].map(countText);
  const said = {
    same: rules === 'same' ? 'same' : 'same, by other rules',
    differs: 'DIFFERS',
    other_rules: 'not provable: made by other rules',
    not_compared: 'not compared',
  };
  return [table, ...counts, said[verdict]];
}

function differenceText({ kind, key, columns: differing }: Difference): string {
  const at = Object.entries(key)
    .map(([name, value]) => `${name} ${JSON.stringify(value)}`)
    .join(', ');
  const where = `at ${at}`;
  switch (kind) {
    case 'missing':
      return `${where}: the release lacks the row`;
    case 'unexpected':
      return `${where}: the release should not have the row`;
    case 'changed':
      return `${where}: ${differing
        .map(
          ({ column, release, rebuilt }) =>
            `${column} is ${JSON.stringify(release)}, rebuilt ${JSON.stringify(rebuilt)}`,
        )
        .join('; ')}`;
  }
}

function checkLines({ checks }: Proof): readonly string[] {
  const failed = checks.filter(({ passed }) => !passed);
  const errors = failed.filter(({ severity }) => severity === 'error').length;
  return [
    `checks: ${checks.length - failed.length} passed, ${errors} failed, ${failed.length - errors} with a warning`,
    ...failed.map(({ table, name, severity, failing, detail }) => {
      const what = `${table ?? 'the lake'} ${name}: ${countText(failing)}`;
      return `  ${severity === 'error' ? 'FAILED' : 'warning'} ${what}${detail === null ? '' : ` (${detail})`}`;
    }),
  ];
}

function verdictLine({ verdict, release, as_of, seconds }: Proof): string {
  const proved = `(as of ${as_of}, ${seconds.toFixed(1)} s)`;
  switch (verdict) {
    case 'ok':
      return `Release ${release} is proved: bronze gives exactly its rows. ${proved}`;
    case 'differs':
      return `Release ${release} DIFFERS from what bronze gives, or its files do. ${proved} \`shopsmart run --full\` publishes the rows that bronze gives; docs/operate.md says what else to do.`;
    case 'unproven':
      return `Release ${release} cannot be proved by the rules of today: they changed since it was made. ${proved} \`shopsmart run\` recomputes what they touch; prove that release.`;
  }
}
