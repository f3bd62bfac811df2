import { metadataAction, createActions, type TableDefinitionText } from './create-table.js';
import { encodeSchema, parseSchema } from './schema-string.js';
import type { ColumnType, Schema } from './schema.js';

const every: Schema = [
  { name: 'a', type: { kind: 'string' }, nullable: true, comment: 'a "text"' },
  { name: 'b', type: { kind: 'integer' }, nullable: false },
  { name: 'c', type: { kind: 'long' }, nullable: true },
  { name: 'd', type: { kind: 'boolean' }, nullable: true },
  { name: 'e', type: { kind: 'date' }, nullable: true },
  { name: 'f', type: { kind: 'timestamp' }, nullable: true },
  { name: 'g', type: { kind: 'decimal', precision: 38, scale: 6 }, nullable: true },
  { name: 'h', type: { kind: 'strings' }, nullable: true },
];

describe('schema strings', () => {
  it('are written as the protocol says', () => {
    expect(
      JSON.parse(encodeSchema([every[0], every[1], every[6], every[7]].filter((field) => field !== undefined))),
    ).toEqual({
      type: 'struct',
      fields: [
        { name: 'a', type: 'string', nullable: true, metadata: { comment: 'a "text"' } },
        { name: 'b', type: 'integer', nullable: false, metadata: {} },
        { name: 'g', type: 'decimal(38,6)', nullable: true, metadata: {} },
        { name: 'h', type: { type: 'array', elementType: 'string', containsNull: true }, nullable: true, metadata: {} },
      ],
    });
  });

  it('are read back with every type, nullability and comment', () => {
    expect(parseSchema(encodeSchema(every))).toEqual(every);
  });

  it.each([
    '"double"',
    '"float"',
    '"short"',
    '"byte"',
    '"binary"',
    '"timestamp_ntz"',
    '"hugeint"',
    '"uuid"',
    '{"type":"struct","fields":[]}',
    '{"type":"map","keyType":"string","valueType":"string","valueContainsNull":true}',
    '{"type":"array","elementType":"integer","containsNull":true}',
    'null',
  ])('with the type %s are refused, by column', (type) => {
    const text = `{"type":"struct","fields":[{"name":"x","type":${type},"nullable":true,"metadata":{}}]}`;
    expect(() => parseSchema(text)).toThrow(/^Column x has the type .* Cast it to/);
  });

  it.each(['', 'null', '{}', '{"fields":3}'])('that are none (%s) are refused', (text) => {
    expect(() => parseSchema(text)).toThrow('schema cannot be read');
  });

  it.each(['', 'a b', 'a,b', 'a=b', 'a{', 'a\tb'])("are not written with a column '%s'", (name) => {
    expect(() => encodeSchema([{ name, type: { kind: 'string' }, nullable: true }])).toThrow('character');
  });

  it('are not written with names that differ by case only', () => {
    const type: ColumnType = { kind: 'string' };
    expect(() => encodeSchema(['id', 'ID'].map((name) => ({ name, type, nullable: true })))).toThrow('twice');
  });

  it.each([
    [0, 0],
    [39, 2],
    [5, 6],
    [5, -1],
  ])('are not written with decimal(%d,%d)', (precision, scale) => {
    expect(() => encodeSchema([{ name: 'x', type: { kind: 'decimal', precision, scale }, nullable: true }])).toThrow(
      'digits',
    );
  });
});

describe('a table definition', () => {
  const definition: TableDefinitionText = { partitionBy: ['b'], description: 'T', configuration: { k: 'v' } };

  it('is for every Delta client, and tells them to delete nothing of a kept release', () => {
    expect(createActions(every, { ...definition, id: 'i', nowMs: 5 })).toEqual([
      { protocol: { minReaderVersion: 1, minWriterVersion: 2 } },
      {
        metaData: {
          id: 'i',
          description: 'T',
          format: { provider: 'parquet', options: {} },
          schemaString: encodeSchema(every),
          partitionColumns: ['b'],
          configuration: {
            'delta.deletedFileRetentionDuration': 'interval 36500 days',
            'delta.logRetentionDuration': 'interval 36500 days',
            k: 'v',
          },
          createdTime: 5,
        },
      },
    ]);
  });

  it('that changes keeps the table’s identity and the settings of others', () => {
    const before = { id: 'i', format: { provider: 'parquet', options: {} }, schemaString: '', createdTime: 5 } as const;
    const foreign = { ...before, partitionColumns: [], configuration: { theirs: 'x', k: 'old' } };
    expect(metadataAction(foreign, every, definition)).toEqual({
      metaData: {
        ...before,
        description: 'T',
        schemaString: encodeSchema(every),
        partitionColumns: ['b'],
        configuration: { theirs: 'x', k: 'v' },
      },
    });
  });

  it.each([
    ['that is not there', ['z'], 'does not have it'],
    ['that is a list', ['h'], 'is a list'],
    ['twice', ['a', 'a'], 'twice'],
    ['that are all', every.slice(0, 7).map(({ name }) => name), 'leaves nothing'],
  ])('is refused with partition columns %s', (_what, partitionBy, message) => {
    const schema = partitionBy.length === 7 ? every.slice(0, 7) : every;
    expect(() => createActions(schema, { ...definition, partitionBy, id: 'i', nowMs: 5 })).toThrow(message);
  });
});
