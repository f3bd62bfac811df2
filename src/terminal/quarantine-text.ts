import type {
  DraftedRepair,
  QuarantinedRecord,
  RecordView,
  Repair,
  RepairAction,
  RuleCount,
  StaleRepair,
} from '#pipeline';
import { printable } from './printable.js';
import { countText, tableText, type TextColumn } from './table-text.js';

const left = (title: string): TextColumn => ({ title, align: 'left' });
const right = (title: string): TextColumn => ({ title, align: 'right' });

interface Listed {
  readonly records: readonly (QuarantinedRecord & { readonly pending: string | null })[];
  readonly next: string | null;
  readonly total: number;
  readonly rules: readonly RuleCount[];
}

export function listText({ records, next, total, rules }: Listed): string {
  if (total === 0) return 'No such record is in quarantine.';
  const counts = tableText(
    [left('table'), left('rule'), right('records'), left('means')],
    rules.map(({ table, rule, records: n, description }) => [table, rule, countText(n), description]),
  );
  const lines = tableText(
    [left('id'), left('state'), left('rules'), left('file'), right('line'), left('loaded at')],
    records.map(({ id, state, repair, pending, rules: broken, file, line, loaded_at }) => [
      id,
      [state, repair ?? (pending === null ? '' : `(${pending} pending)`)].join(' ').trim(),
      broken.join(', '),
      printable(file),
      line === null ? '-' : String(line),
      loaded_at,
    ]),
  );
  const rest = next === null ? '' : `\n… ${countText(total)} in all: --limit, or --cursor ${next}`;
  return `${counts}\n\n${lines}${rest}`;
}

export function recordText(view: RecordView): string {
  const { id, table, state, file, line, row, load, loaded_at, run_id, superseded_by, reasons, fields, repaired } = view;
  const lines = [
    `${id} ${state}: ${table} ${state === 'repaired' ? 'did' : 'does'} not take it`,
    `  ${printable(file)}${line === null ? '' : `:${line}`} (record ${row}, load ${load}, loaded ${loaded_at} by run ${run_id ?? '-'})`,
    ...(superseded_by === null ? [] : [`  superseded by ${printable(superseded_by)}`]),
    '',
    'because',
    ...reasons.map(({ rule, description }) => `  ${rule}: ${description}`),
    '',
  ];
  if (fields.length === 0) lines.push('as it came', `  ${printable(view.record)}`);
  else {
    const cell = (text: string | null) => (text === null ? 'NULL' : `'${printable(text)}'`);
    const rows = fields.map(({ field, text, parsed, broken }) => [field, cell(text), cell(parsed), broken.join(', ')]);
    lines.push(tableText([left('field'), left('as it came'), left('as it is read'), left('breaks')], rows));
  }
  if (repaired !== null) {
    const { repair, state: standing, by, at, reason, after } = repaired;
    lines.push(
      '',
      `repair ${repair}, ${standing}, by ${by} at ${at}${reason === null ? '' : `: ${printable(reason)}`}`,
    );
    lines.push(`  ${printable(after)}`);
  }
  if (view.same_key.length > 0) {
    lines.push('', 'other records of its key');
    for (const { load, file, row, line, standing } of view.same_key) {
      lines.push(`  ${printable(file)}${line === null ? '' : `:${line}`} (record ${row}, load ${load}): ${standing}`);
    }
  }
  return lines.join('\n');
}

export function draftText(drafted: DraftedRepair): string {
  const { repair, replaces, still_broken, still_broken_records, pending_already, unchanged, more } = drafted;
  const count = repair.records.length;
  const lines = [
    `Repair ${repair.id} of ${records(count)} of ${repair.source} is drafted${replaces === null ? '' : ` in the place of ${replaces}`}.`,
  ];
  if (still_broken_records > 0) {
    const some = still_broken.map(({ id, rules }) => `  ${id}: ${rules.join(', ')}`);
    const left = still_broken_records - still_broken.length;
    lines.push(
      `${records(still_broken_records)} would still be rejected:`,
      ...some,
      ...(left > 0 ? [`  … and ${left} more`] : []),
    );
  } else lines.push(`${count === 1 ? 'It' : 'Each'} would be accepted by ${repair.table}.`);
  if (pending_already > 0) lines.push(`${records(pending_already)} left out: another pending repair has them.`);
  if (unchanged > 0) lines.push(`${records(unchanged)} left out: they are so already.`);
  if (more) lines.push('There are more open records than one repair holds: draft it again for the rest.');
  lines.push('Next: npx shopsmart quarantine preview, then npx shopsmart quarantine replay');
  return lines.join('\n');
}

export function pendingText(repairs: readonly Repair[]): string {
  if (repairs.length === 0) return 'No repair is pending.';
  return tableText(
    [left('repair'), left('table'), right('records'), left('first'), left('by'), left('drafted at'), left('reason')],
    repairs.map(({ id, table, records, by, at, reason }) => [
      id,
      table,
      countText(records.length),
      records[0]?.id ?? '-',
      by,
      at,
      printable(reason ?? ''),
    ]),
  );
}

export function staleText(left_out: readonly StaleRepair[]): string {
  return left_out
    .flatMap(({ repair, stale }) => [
      `${repair} is left out: its records are no longer as they were when it was drafted (undo ${repair}, and draft it again)`,
      ...stale.map(({ id, detail }) => `  ${id}: ${detail}`),
    ])
    .join('\n');
}

export function logText(actions: readonly RepairAction[]): string {
  if (actions.length === 0) return 'Nothing was repaired yet.';
  return tableText(
    [left('at'), left('by'), left('action'), left('repairs'), right('records'), right('release'), left('reason')],
    actions.map(({ at, by, action, repairs, records: n, release, run_id, reason }) => [
      at,
      by,
      action,
      repairs.join(', '),
      countText(n),
      release !== null ? String(release) : run_id === null ? '-' : 'none',
      printable(reason ?? ''),
    ]),
  );
}

function records(count: number): string {
  return `${countText(count)} ${count === 1 ? 'record' : 'records'}`;
}
