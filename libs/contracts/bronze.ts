import { bronzeColumns, loadsColumns, quarantineColumns } from './lake-column.js';
import type { Source, TableContract } from './contract.js';
import { table } from './table.js';

/** Filled by loads, not computed. */
const recompute = { by: [], from: [], asOf: false };

/** `bronze/<source>`: every record as it came. */
export function bronzeTable(source: Source): TableContract {
  return table(`bronze/${source.name}`, {
    describes: source.describes ?? `Records of ${source.name} as they came.`,
    owner: source.owner ?? 'batch',
    key: ['_batch_id', '_source_file', '_source_row'],
    columns: bronzeColumns(source),
    recompute,
  });
}

/** The ledger: one row a loaded file. */
export function loadsTable(): TableContract {
  return table('bronze/loads', {
    describes: 'Files that were loaded: none is loaded twice, and every record finds its place by them.',
    key: ['source', 'load', 'path'],
    columns: loadsColumns(),
    recompute,
  });
}

/** `bronze/quarantine/<table>`: rejected records, or inputs that found no place, of a table. */
export function quarantineTable(of: TableContract): TableContract {
  const name = of.name.split('/')[1] ?? of.name;
  return table(`bronze/quarantine/${name}`, {
    describes: `Records that ${of.name} does not take, with all reasons.`,
    owner: of.owner,
    key: ['source', '_batch_id', '_source_file', '_source_row'],
    columns: quarantineColumns(),
    recompute: { by: [], from: [], asOf: of.recompute.asOf },
  });
}
