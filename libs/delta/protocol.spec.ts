import type { Action, Metadata, Protocol } from './action.js';
import { addition, creation, removal } from './log-fixture.js';
import { checkReadable, checkWritable } from './protocol.js';

function rules(protocol: Partial<Protocol>, changed: Partial<Metadata> = {}) {
  const metaData = creation.find((action) => 'metaData' in action)?.metaData;
  if (metaData === undefined) throw new Error('no schema');
  return {
    table: 't',
    version: 3,
    protocol: { minReaderVersion: 1, minWriterVersion: 2, ...protocol },
    metadata: { ...metaData, ...changed },
  };
}

describe('checkReadable', () => {
  it.each<[string, Partial<Protocol>, Record<string, string>]>([
    ['deletionVectors', { minReaderVersion: 3, readerFeatures: ['deletionVectors'] }, {}],
    ['v2Checkpoint', { minReaderVersion: 3, readerFeatures: ['vacuumProtocolCheck', 'v2Checkpoint'] }, {}],
    ['columnMapping', { minReaderVersion: 2 }, { 'delta.columnMapping.mode': 'name' }],
    ['reader version 4', { minReaderVersion: 4 }, {}],
  ])('refuses a table with %s, by name', (feature, protocol, configuration) => {
    expect(() => checkReadable(rules(protocol, { configuration }))).toThrow(`t at version 3 uses ${feature}, which`);
  });

  it.each<Partial<Protocol>>([
    {},
    { minReaderVersion: 2, minWriterVersion: 5 },
    { minReaderVersion: 3, minWriterVersion: 7, readerFeatures: ['vacuumProtocolCheck'] },
  ])('reads a table of %j', (protocol) => {
    expect(() => checkReadable(rules(protocol))).not.toThrow();
  });
});

describe('checkWritable', () => {
  const rule = JSON.stringify({ fields: [{ name: 'x', metadata: { 'delta.invariants': '{}' } }] });

  it.each<[string, Partial<Protocol>, Partial<Metadata>, readonly Action[]]>([
    ['changeDataFeed', { minWriterVersion: 7, writerFeatures: ['appendOnly', 'changeDataFeed'] }, {}, []],
    ['writer version 3', { minWriterVersion: 3 }, {}, []],
    ['writer version 8', { minWriterVersion: 8 }, {}, []],
    ['invariants on columns', {}, { schemaString: rule }, []],
    ['delta.appendOnly', {}, { configuration: { 'delta.appendOnly': 'true' } }, [removal('a')]],
  ])('refuses a table with %s', (feature, protocol, metadata, actions) => {
    expect(() => checkWritable(rules(protocol, metadata), actions)).toThrow(`uses ${feature}, which`);
  });

  it('writes to a table that only grows, if rows are added or moved', () => {
    const growing = rules({}, { configuration: { 'delta.appendOnly': 'true' } });
    expect(() => checkWritable(growing, [addition('a'), removal('b', false)])).not.toThrow();
  });
});
