import { date, long, pii, required, strings, text, timestamp, type Column } from './column.js';
import type { SilverContract, Source, TableContract } from './contract.js';

type Columns = Readonly<Record<string, Column>>;

const position: Columns = {
  _source_file: required(text('Path of the file below the landing folder')),
  _source_row: required(long('Place of the record in its file, from 1')),
};
const line: Columns = { _source_line: long('Line of the file on which the record starts; none in a JSON array') };
const batch: Columns = { _batch_id: required(long('Number of the load, by source')) };
const loading: Columns = {
  _loaded_at: required(timestamp('When the record was loaded')),
  ...batch,
  _as_of: required(date('The as_of of the run that loaded the record')),
};
const run: Columns = { _run_id: required(text('Run that last changed the row')) };
const processing: Columns = { _processed_at: required(timestamp('When the row last changed')), ...run };

/** Columns that the platform adds to a table of a layer. */
function auditColumns(layer: TableContract['layer']): Columns {
  switch (layer) {
    case 'bronze':
      return { ...position, ...line, ...loading };
    case 'silver':
      return { ...position, ...batch, ...processing };
    case 'gold':
      return processing;
  }
}

/** Every column of the table as it lies in the lake, in order: the contract's, then the audit columns. */
export function lakeColumns(contract: TableContract | SilverContract): Columns {
  if (contract.layer === 'bronze') return contract.columns;
  const ofRecord = contract.layer === 'silver' && 'source' in contract && contract.source !== undefined;
  return { ...contract.columns, ...auditColumns(ofRecord ? 'silver' : 'gold') };
}

/** Columns of `bronze/<source>`: each field as the text that came, then what every record carries. */
export function bronzeColumns(source: Source): Columns {
  const private_ = (source.pii ?? []).length > 0 ? pii : (column: Column) => column;
  const fields = Object.keys(source.fields).map((name): [string, Column] => {
    const column = text(`${name} as it came`);
    return [name, source.pii?.includes(name) ? pii(column) : column];
  });
  return {
    ...Object.fromEntries(fields),
    _rescued: private_(text('JSON of the fields that the contract does not name')),
    _record: private_(text('The record verbatim: of JSON sources always, of CSV where it could not be read')),
    _malformed: required({ type: { kind: 'boolean' }, description: 'It is no record at all', nullable: true }),
    ...auditColumns('bronze'),
    ...source.bronzeColumns,
  };
}

/** Columns of `bronze/quarantine/<table>`. */
export function quarantineColumns(): Columns {
  return {
    source: required(text('Source whose record it is')),
    record: pii(text('The record as it came')),
    rules: required(strings('Names of all rules that it breaks')),
    superseded_by: text('Position of a later valid record of its key: load, file and row'),
    ...position,
    ...line,
    ...batch,
    _loaded_at: required(timestamp('When the record was loaded')),
    _as_of: required(date('The as_of of the run that loaded the record')),
    _run_id: required(text('Run that loaded the record')),
  };
}

/** Columns of the ledger `bronze/loads`. */
export function loadsColumns(): Columns {
  return {
    source: required(text('Source of the file')),
    load: required(long('Number of the load, by source; `_batch_id` of its records')),
    path: required(text('Path of the file below the landing folder')),
    size_bytes: required(long('Size of the file as it lies', 'bytes')),
    modified_ms: required(long('When the file was modified', 'ms since 1970')),
    etag: text('Its ETag, in an object store'),
    digest: required(text('SHA-256 of the bytes as they lie')),
    records: required(long('Records in the file, malformed ones too', 'count')),
    row_offset: required(long('Records of the load in earlier files', 'count')),
    malformed: required(long('Records that could not be read', 'count')),
    drift: text('JSON of columns that are unexpected or missing'),
    loaded_at: required(timestamp('When the file was loaded')),
    as_of: required(date('The as_of of the run')),
    run_id: required(text('Run that loaded the file')),
  };
}

/** Columns of `bronze/repairs`. */
export function repairsColumns(): Columns {
  return {
    repair: required(text('Number of the repair')),
    source: required(text('Source whose record is repaired')),
    table_name: required(text('Table in whose quarantine the record was')),
    rules: required(strings('Rules that the record broke')),
    original_load: required(long('Load of the record that is repaired')),
    original_file: required(text('Its file')),
    original_row: required(long('Its place in the file, from 1')),
    original_line: long('Line of the file on which it starts; none in a JSON array'),
    original_loaded_at: required(timestamp('When it was loaded')),
    original_as_of: required(date('The as_of of the run that loaded it')),
    before: required(pii(text('The record as it came, or as an earlier repair left it'))),
    after: required(pii(text('The record as it was repaired'))),
    repaired_by: required(text('Who repaired it; `local` until there are keys')),
    repaired_at: required(timestamp('When the repair was drafted')),
    reason: text('Why, as the one who repaired it says'),
    _source_file: required(text('Path of the repair in the lake')),
    _source_row: required(long('Place of the record in the repair, from 1')),
    ...batch,
    _loaded_at: required(timestamp('When the repair was replayed')),
    _as_of: required(date('The as_of of the run that replayed it')),
    _run_id: required(text('Run that replayed it')),
  };
}
