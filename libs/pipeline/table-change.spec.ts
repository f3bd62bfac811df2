import type { Schema } from '#delta';
import type { WrittenFile } from '#engine';
import { addOf, type LiveFile, type LiveTable } from './live-table.js';
import { applyWrite } from './table-change.js';
import type { WriteResult } from './write-table.js';

const schema: Schema = [
  { name: 'id', type: { kind: 'string' }, nullable: false, comment: 'Id' },
  { name: 'month', type: { kind: 'integer' }, nullable: true, comment: 'Month' },
];
const wider: Schema = [...schema, { name: 'n', type: { kind: 'long' }, nullable: true, comment: 'Number' }];

function written(name: string, month: string | null): WrittenFile {
  return {
    localPath: `/tmp/${name}`,
    addPath: name,
    partitionValues: { month },
    rows: 1,
    sizeBytes: 10,
    stats: '{"numRecords":1}',
  };
}

function live(name: string, month: string | null): LiveFile {
  return { add: addOf(written(name, month), 1), localPath: `/lake/${name}` };
}

const january = live('january', '1');
const february = live('february', '2');
const unknown = live('unknown', null);
const before: LiveTable = { schema, partitionBy: ['month'], files: [january, february, unknown] };

function apply(
  result: Partial<WriteResult>,
  tables: { before?: LiveTable | undefined; replaced?: LiveTable | undefined; schema?: Schema } = {},
) {
  return applyWrite({
    table: 'silver/things',
    shape: { schema: tables.schema ?? schema, partitionBy: ['month'] },
    before: 'before' in tables ? tables.before : before,
    replaced: 'replaced' in tables ? tables.replaced : before,
    result: { written: [], removed: [], ...result },
  });
}

const paths = ({ files }: LiveTable) => files.map(({ add }) => add.path);

describe('the change of a table', () => {
  it('is none when nothing was written or replaced, and the table stays as it was', () => {
    const { change, live: after } = apply({});
    expect(change).toBeUndefined();
    expect(after).toEqual(before);
  });

  it('removes the files that hold a changed row and keeps the others', () => {
    const { change, live: after } = apply({ written: [written('new', '1')], removed: ['january'] });
    expect(change).toMatchObject({ redefines: 'keeps', removed: [january.add], added: [{ addPath: 'new' }] });
    expect(paths(after)).toEqual(['february', 'unknown', 'new']);
  });

  it('is a removal alone when a file lost its last row', () => {
    const { change } = apply({ removed: ['february'] });
    expect(change).toMatchObject({ removed: [february.add], added: [], redefines: 'keeps' });
  });

  it('appends without removing anything', () => {
    const { change, live: after } = apply({ written: [written('new', '1')] });
    expect(change?.removed).toEqual([]);
    expect(paths(after)).toEqual(['january', 'february', 'unknown', 'new']);
  });

  it('creates a table that was not there, even without rows', () => {
    const { change, live: after } = apply({ removed: 'all' }, { before: undefined, replaced: undefined });
    expect(change).toMatchObject({ redefines: 'creates', added: [], removed: [] });
    expect(paths(after)).toEqual([]);
  });

  it('replaces every file when the schema changed, and says so', () => {
    const result = { written: [written('new', '1')], removed: 'all' as const };
    const { change, live: after } = apply(result, { before: undefined, schema: wider });
    expect(change).toMatchObject({ redefines: 'alters', schema: wider });
    expect(change?.removed).toEqual([january.add, february.add, unknown.add]);
    expect(paths(after)).toEqual(['new']);
  });

  it('replaces every file when the partitions changed, and says so', () => {
    const { change } = apply({ removed: 'all' }, { before: undefined, replaced: { ...before, partitionBy: [] } });
    expect(change).toMatchObject({ redefines: 'alters', partitionBy: ['month'] });
    expect(change?.removed).toHaveLength(3);
  });

  it('is not one of schema when a comment alone changed', () => {
    const renamed = schema.map((field) => ({ ...field, comment: 'Said better' }));
    expect(apply({}, { schema: renamed }).change).toBeUndefined();
  });
});
