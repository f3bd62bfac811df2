import type { Source } from '#contracts';
import { literal } from '../sql-name.js';
import type { CsvHeader } from './csv-record.js';
import type { LandingFile } from './landing.js';
import { formatOf, isGzip } from './scan.js';

/** What every row of one file carries. */
export interface LoadStamp {
  readonly path: string;
  /** ISO 8601, UTC. */
  readonly loadedAt: string;
  readonly batchId: number;
  readonly asOf: string;
}

/** Bronze rows of a file that the engine can read by itself. */
export function plainSelect(
  source: Source,
  file: LandingFile,
  header: CsvHeader | undefined,
  stamp: LoadStamp,
): string {
  const compression = literal(isGzip(file.path) ? 'gzip' : 'uncompressed');
  return formatOf(file.path) === 'csv' && header !== undefined
    ? plainCsv(source, file, header, compression, stamp)
    : plainJson(source, file, compression, stamp);
}

function plainCsv(source: Source, file: LandingFile, header: CsvHeader, compression: string, stamp: LoadStamp): string {
  const names = Array.from({ length: header.width }, (_, at) => `'c${at}'`);
  const fields = Object.keys(source.fields).map((name, at) => {
    const column = header.columns[at] ?? -1;
    return `${column < 0 ? 'CAST(NULL AS VARCHAR)' : `c${column}`} AS ${identifier(name)}`;
  });
  const extra = header.extra.map(({ column, name }) => `${literal(name)}, c${column}`);
  const rescued = extra.length === 0 ? 'NULL' : `json_object(${extra.join(', ')})`;
  return `SELECT ${fields.join(', ')},
    CAST(${rescued} AS VARCHAR) AS _rescued, CAST(NULL AS VARCHAR) AS _record, FALSE AS _malformed,
    ${place(stamp)}, _n AS _source_row, _n + 1 AS _source_line, ${stamped(stamp)}
  FROM (SELECT *, row_number() OVER () AS _n FROM read_csv(${literal(file.localPath)},
    auto_detect=false, header=true, delim=',', quote='', escape='', compression=${compression},
    columns={${names.map((name) => `${name}: 'VARCHAR'`).join(', ')}}, force_not_null=[${names.join(', ')}]))`;
}

function plainJson(source: Source, file: LandingFile, compression: string, stamp: LoadStamp): string {
  const names = Object.keys(source.fields);
  const shape = JSON.stringify(Object.fromEntries(names.map((name) => [name, 'VARCHAR'])));
  return `SELECT ${names.map((name) => `_f.${identifier(name)} AS ${identifier(name)}`).join(', ')},
    CAST(NULL AS VARCHAR) AS _rescued, CAST(_json AS VARCHAR) AS _record, FALSE AS _malformed,
    ${place(stamp)}, _n AS _source_row, _n AS _source_line, ${stamped(stamp)}
  FROM (SELECT json AS _json, json_transform(json, ${literal(shape)}) AS _f, row_number() OVER () AS _n
    FROM read_ndjson_objects(${literal(file.localPath)}, compression=${compression}))`;
}

/** Bronze rows of an interchange file (see `splitFile`). */
export function splitSelect(source: Source, interchange: string, longestLineBytes: number, stamp: LoadStamp): string {
  const names = Object.keys(source.fields);
  return `SELECT ${names.map((name, at) => `v[${at + 3}] AS ${identifier(name)}`).join(', ')},
    v[2] AS _rescued, v[1] AS _record, m AS _malformed,
    ${place(stamp)}, n AS _source_row, l AS _source_line, ${stamped(stamp)}
  FROM read_json(${literal(interchange)}, format='newline_delimited', compression='uncompressed',
    maximum_object_size=${Math.max(minObjectBytes, longestLineBytes + 1)}, columns={n: 'BIGINT', l: 'BIGINT', m: 'BOOLEAN', v: 'VARCHAR[]'})`;
}

const minObjectBytes = 1 << 20;

function place(stamp: LoadStamp): string {
  return `${literal(stamp.path)} AS _source_file`;
}

function stamped(stamp: LoadStamp): string {
  return (
    `CAST(${literal(stamp.loadedAt)} AS TIMESTAMPTZ) AS _loaded_at, ` +
    `CAST(${stamp.batchId} AS BIGINT) AS _batch_id, CAST(${literal(stamp.asOf)} AS DATE) AS _as_of`
  );
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
