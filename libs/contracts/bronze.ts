import { bronzeColumns, loadsColumns, quarantineColumns, repairsColumns } from './lake-column.js';
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

/** One row a repaired record: which bronze record takes whose place. */
export function repairsTable(): TableContract {
  return table('bronze/repairs', {
    describes:
      'Repaired records. Each is a record of its source too, in a load of its own, and takes the place of the original: nothing reads that one any more, unless the load is withdrawn.',
    key: ['source', '_batch_id', '_source_row'],
    columns: repairsColumns(),
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
