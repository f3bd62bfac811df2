import fc from 'fast-check';
import type { Action } from './action.js';
import { addition, creation, removal } from './log-fixture.js';
import { LogReplay } from './log-replay.js';

function replayed(...log: readonly (readonly Action[])[]) {
  const replay = new LogReplay();
  for (const actions of [creation, ...log]) replay.apply(actions);
  return replay.snapshot('t', log.length, 0);
}

describe('LogReplay', () => {
  it('believes the last word about a file', () => {
    const { files, tombstones } = replayed(
      [addition('a'), addition('b')],
      [removal('a'), addition('c')],
      [removal('b'), addition('a')],
    );
    expect([...files.keys()]).toEqual(['c', 'a']);
    expect([...tombstones.keys()]).toEqual(['b']);
  });

  it('agrees with a set of names, whatever is added and removed', () => {
    const step = fc.record({ path: fc.constantFrom('a', 'b', 'c', 'p=%2520/d'), adds: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const live = new Set<string>();
        for (const { path, adds } of steps) {
          if (adds) live.add(path);
          else live.delete(path);
        }
        const actions = steps.map(({ path, adds }) => (adds ? addition(path) : removal(path)));
        expect(new Set(replayed(actions).files.keys())).toEqual(live);
      }),
    );
  });

  it('knows a file by its name, however a writer encodes its path', () => {
    const { files, tombstones } = replayed([addition('p=a%2520b/1'), addition('p=ü/2')], [removal('p%3Da%2520b%2F1')]);
    expect([...files.keys()]).toEqual(['p=ü/2']);
    expect(tombstones.size).toBe(1);
    expect([...replayed([addition('100%')], [removal('100%')]).files]).toEqual([]);
  });

  it('keeps the last transaction of each application, the last schema and protocol', () => {
    const metaData = { ...metadataOf(creation), description: 'later' };
    const txn = (appId: string, version: number): Action => ({ txn: { appId, version } });
    const { txns, metadata, protocol } = replayed(
      [txn('a', 1), txn('b', 7)],
      [txn('a', 2), { metaData }, { protocol: { minReaderVersion: 1, minWriterVersion: 7, writerFeatures: [] } }],
    );
    expect([...txns]).toEqual([
      ['a', 2],
      ['b', 7],
    ]);
    expect(metadata.description).toBe('later');
    expect(protocol.minWriterVersion).toBe(7);
  });

  it.each([
    ['protocol', creation.filter((action) => 'metaData' in action)],
    ['schema', creation.filter((action) => 'protocol' in action)],
  ])('refuses a log without a %s', (what, actions) => {
    const replay = new LogReplay();
    replay.apply(actions);
    expect(() => replay.snapshot('t', 0, 0)).toThrow(`names no ${what}`);
  });
});

function metadataOf(actions: readonly Action[]) {
  const found = actions.find((action) => 'metaData' in action);
  if (found === undefined) throw new Error('no schema');
  return found.metaData;
}
