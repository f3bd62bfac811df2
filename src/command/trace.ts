import type { TableContract } from '#contracts';
import { assert, LakeError } from '#errors';
import { openRelease } from '#platform';
import { shopCatalogue } from '#products';
import { boundTables, jsonRowWriter, textColumns, traceRow, type Trace } from '#serving';
import type { Call } from '../call.js';
import { usageError } from '../exit-code.js';
import { relationNamed } from '../output/relation.js';
import { traceText } from '../terminal/trace-text.js';

export interface TraceOptions {
  readonly table: string;
  readonly key: string;
  readonly release?: number;
  readonly limit?: number;
  readonly json?: true;
}

export async function traceCommand(
  { settings, terminal, signal }: Call,
  { table: named, key, release: number, limit, json }: TraceOptions,
): Promise<void> {
  const opened = await openRelease(settings, number);
  try {
    const { engine, release, relations } = opened;
    const catalogue = shopCatalogue();
    const table = relationNamed(named, relations).replace('.', '/');
    const asked = { catalogue, table, key, signal, ...(limit === undefined ? {} : { listed: { each: limit } }) };
    const trace = await traceRow(boundTables(engine, release), asked).catch((error: unknown) => {
      throw error instanceof LakeError && error.kind === 'invalid' ? usageError(error.message) : error;
    });
    const contract = catalogue.byName.get(table)?.contract;
    assert(contract !== undefined, `${table} was traced`);
    terminal.result(json ? jsonDocument(trace, contract, release.number) : traceText(trace));
    if (!json) terminal.log('info', `(release ${release.number}, as of ${release.as_of})`);
  } finally {
    await opened.close();
  }
}

/** Numbers of the row keep their digits. */
function jsonDocument({ table, key, row, ...behind }: Trace, { columns }: TableContract, release: number): string {
  const writeRow = jsonRowWriter(textColumns(Object.entries(columns).map(([name, { type }]) => ({ name, type }))));
  const head = JSON.stringify({ table, key }).slice(0, -1);
  return `{"data":${head},"row":${writeRow(row)},${JSON.stringify(behind).slice(1)},"release":${release}}`;
}
