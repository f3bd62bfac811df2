import fc from 'fast-check';
import { LakeError } from '#errors';
import { MemoryStore } from '#storage';
import type { Action } from './action.js';
import type { Clash } from './clash.js';
import { cleanLog, planCleaning, writeCheckpoint } from './checkpoint.js';
import { commitAt } from './commit.js';
import { addition, aLog, commitTo, creation, NOW_MS, read, READING, removal, TABLE, timed } from './log-fixture.js';
import { readCommit } from './log-entry.js';
import { commitPath } from './log-path.js';

let store: MemoryStore;

beforeEach(() => {
  store = new MemoryStore();
});

const txn = (appId: string, version: number): Action => ({ txn: { appId, version } });
const redefinition = creation.filter((action) => 'metaData' in action);

describe('commit', () => {
  it('makes version 0 of a table that is created, and the next version of one that is read', async () => {
    expect(await commitTo(store, { read: undefined, actions: creation, txnId: '0' })).toEqual({
      kind: 'committed',
      version: 0,
    });
    expect(await commitTo(store, { read: await read(store), actions: [addition('a')], txnId: '1' })).toEqual({
      kind: 'committed',
      version: 1,
    });
    expect(await readCommit(store, TABLE, 1)).toEqual([
      { commitInfo: { timestamp: NOW_MS, operation: 'WRITE', engineInfo: 'shopsmart', txnId: '1' } },
      addition('a'),
    ]);
  });

  it.each<[string, { theirs: readonly Action[]; ours?: readonly Action[]; blind?: boolean; clash?: Partial<Clash> }]>([
    ['an append onto an append', { theirs: [addition('x')] }],
    ['an append onto a removal', { theirs: [removal('old')] }],
    ['an append onto a schema', { theirs: redefinition, clash: { kind: 'redefined' } }],
    [
      'an append onto a protocol',
      { theirs: [{ protocol: { minReaderVersion: 1, minWriterVersion: 2 } }], clash: { kind: 'redefined' } },
    ],
    ['a schema onto an append', { theirs: [addition('x')], ours: redefinition, clash: { kind: 'redefined' } }],
    ['a derived file onto an append', { theirs: [addition('x')], blind: false, clash: { kind: 'append', path: 'x' } }],
    ['a derived file onto a removal', { theirs: [removal('old')], blind: false, clash: { kind: 'file', path: 'old' } }],
    ['a derived file onto a compaction', { theirs: [removal('old', false), addition('x', false)], blind: false }],
    [
      'a removal onto a compaction of the file',
      { theirs: [removal('p%3Da', false)], ours: [removal('p=a')], blind: false, clash: { kind: 'file' } },
    ],
    [
      'a transaction onto the same application',
      { theirs: [txn('a', 1)], ours: [txn('a', 2)], clash: { kind: 'txn', appId: 'a' } },
    ],
    ['a transaction onto another application', { theirs: [txn('b', 1)], ours: [txn('a', 2)] }],
  ])('decides about %s', async (_what, { theirs, ours = [addition('a')], blind = true, clash }) => {
    await aLog(store, [addition('old')]);
    const stale = await read(store);
    await commitAt(store, TABLE, 2, theirs, 'theirs');
    const outcome = await commitTo(store, { read: stale, actions: ours, txnId: 'ours', blind });
    expect(outcome).toEqual(
      clash === undefined
        ? { kind: 'committed', version: 3 }
        : { kind: 'conflict', clash: expect.objectContaining({ ...clash, version: 2 }) },
    );
  });

  it('does not create a table that is there', async () => {
    await aLog(store);
    expect(await commitTo(store, { read: undefined, actions: creation, txnId: '0' })).toEqual({
      kind: 'conflict',
      clash: { kind: 'created', version: 0 },
    });
  });

  it('does not repeat a transaction that is in the table already', async () => {
    await aLog(store, [addition('a'), txn('app', 5)]);
    const again = await commitTo(store, {
      read: await read(store),
      actions: [addition('b'), txn('app', 5)],
      txnId: '2',
    });
    expect(again).toMatchObject({ kind: 'conflict', clash: { kind: 'txn', appId: 'app' } });
    const next = await commitTo(store, {
      read: await read(store),
      actions: [addition('b'), txn('app', 6)],
      txnId: '3',
    });
    expect(next).toMatchObject({ kind: 'committed' });
  });

  it('never puts a version whose number a clean-up freed', async () => {
    await aLog(store, [addition('a')]);
    const stale = await read(store);
    for (let version = 2; version <= 5; version++) await commitAt(store, TABLE, version, [addition(`${version}`)], '');
    await writeCheckpoint(store, await read(store), READING.parquet, READING.cacheDir);
    await cleanLog(store, await planCleaning(store, TABLE, 5));
    expect(await commitTo(store, { read: stale, actions: [addition('b')], txnId: 'late' })).toEqual({
      kind: 'conflict',
      clash: { kind: 'cleaned', version: 2 },
    });
  });

  it('loses no race to commits that were there before it began', async () => {
    await aLog(store, [addition('a')]);
    const stale = await read(store);
    for (let version = 2; version <= 5; version++) await commitAt(store, TABLE, version, [addition(`${version}`)], '');
    expect(await commitTo(store, { read: stale, actions: [addition('b')], txnId: 'late', attempts: 1 })).toEqual({
      kind: 'committed',
      version: 6,
    });
  });

  it('gives up after the races that it was allowed to lose', async () => {
    await aLog(store);
    const busy = new (class extends MemoryStore {
      override async putIfAbsent(path: string): Promise<boolean> {
        await store.putIfAbsent(path, Buffer.from(`${JSON.stringify(timed(1))}\n`));
        return false;
      }
      override get(path: string) {
        return store.get(path);
      }
      override list(prefix: string, startAfter?: string) {
        return store.list(prefix, startAfter);
      }
    })();
    const request = { read: await read(store), actions: [addition('a')], txnId: 'ours', attempts: 3 };
    expect(await commitTo(busy, request)).toEqual({ kind: 'contended', attempts: 3 });
    expect((await read(store)).version).toBe(3);
  });

  it('stands although its checkpoint fails', async () => {
    await aLog(store, ...Array.from({ length: 9 }, (_, at) => [addition(`${at}`)]));
    const parquet = { ...READING.parquet, writeCheckpoint: () => Promise.reject(new Error('no room')) };
    expect(await commitTo(store, { read: await read(store), actions: [addition('a')], txnId: '10', parquet })).toEqual({
      kind: 'committed',
      version: 10,
    });
  });

  it('refuses a table whose writers must do more than it does', async () => {
    await aLog(store, [{ protocol: { minReaderVersion: 1, minWriterVersion: 4 } }]);
    await expect(
      commitTo(store, { read: await read(store), actions: [addition('a')], txnId: '2' }),
    ).rejects.toMatchObject({ code: 'delta.unwritable_feature' });
  });
});

describe('commitAt', () => {
  it.each([
    ['lose', 'committed'],
    ['fail', undefined],
  ] as const)('reads back what stands there when the store %ss the call', async (kind, expected) => {
    const shaky = store.reopen({ atCall: 1, kind });
    const outcome = await commitAt(shaky, TABLE, 0, creation, 'ours').catch((error: unknown) => error);
    if (expected === undefined) expect(outcome).toMatchObject({ code: 'storage.failed' });
    else expect(outcome).toBe(expected);
    expect(await commitAt(store, TABLE, 0, creation, 'ours')).toBe('committed');
    expect(await commitAt(store, TABLE, 0, creation, 'theirs')).toBe('taken');
  });

  it('does not take a broken file at its version for its own', async () => {
    await store.put(commitPath(TABLE, 0), Buffer.from('{'));
    await expect(commitAt(store, TABLE, 0, creation, 'ours')).rejects.toMatchObject({ code: 'delta.corrupt_log' });
  });
});

describe('many writers', () => {
  it('win every version once and lose nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 6 }), fc.integer({ min: 1, max: 5 }), async (writers, appends) => {
        const shared = new MemoryStore();
        await aLog(shared);
        const write = async (writer: number): Promise<readonly number[]> => {
          const versions: number[] = [];
          for (let at = 0; at < appends; at++) {
            const actions = [addition(`w${writer}-${at}`)];
            const outcome = await commitTo(shared, { read: await read(shared), actions, txnId: `${writer}-${at}` });
            if (outcome.kind === 'committed') versions.push(outcome.version);
          }
          return versions;
        };
        const won = (await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)))).flat();
        const count = writers * appends;
        expect(won.sort((left, right) => left - right)).toEqual(Array.from({ length: count }, (_, at) => at + 1));
        expect((await read(shared)).files.size).toBe(count);
      }),
      { numRuns: 20 },
    );
  });

  it('are serial where each follows from what it read: a counter misses no step', async () => {
    await aLog(store, [addition('count-0')]);
    const step = async (writer: number): Promise<void> => {
      for (let attempt = 0; ; attempt++) {
        const before = await read(store);
        const [name = ''] = before.files.keys();
        const actions = [removal(name), addition(`count-${Number(name.split('-')[1]) + 1}`)];
        const outcome = await commitTo(store, { read: before, actions, txnId: `${writer}-${attempt}`, blind: false });
        if (outcome.kind === 'committed') return;
      }
    };
    await Promise.all(Array.from({ length: 12 }, (_, writer) => step(writer)));
    const { files, version } = await read(store);
    expect([...files.keys()]).toEqual(['count-12']);
    expect(version).toBe(13);
  });
});

describe('a writer for whom something goes wrong at a call', () => {
  const STEPS = 12;

  /** Creates a table, appends, and cleans the log; carries on where an earlier process stopped. */
  async function work(at: MemoryStore, attempt: string): Promise<void> {
    for (let step = 0; step <= STEPS; step++) {
      const before = await read(at).catch(() => undefined);
      const actions = [...(step === 0 ? creation : [addition(`f${step}`)]), txn('work', step)];
      await commitTo(at, { read: before, actions, txnId: `${attempt}-${step}` });
    }
    await cleanLog(at, await planCleaning(at, TABLE, STEPS));
  }

  it.each(['fail', 'lose', 'stop'] as const)('(%s) ends with every change once when it starts again', async (kind) => {
    const whole = new MemoryStore();
    await work(whole, 'only');
    expect(whole.calls).toBeGreaterThan(STEPS + 10);
    for (let atCall = 1; atCall <= whole.calls; atCall++) {
      const fresh = new MemoryStore();
      await work(fresh.reopen({ atCall, kind }), 'first').catch((error: unknown) => {
        if (!(error instanceof LakeError) || error.code !== 'storage.failed') throw error;
      });
      await work(fresh, 'second');
      const { files, version, txns } = await read(fresh);
      const outcome = { atCall, files: [...files.keys()], version, txn: txns.get('work') };
      const expected = Array.from({ length: STEPS }, (_, at) => `f${at + 1}`);
      expect(outcome).toEqual({ atCall, files: expected, version: STEPS, txn: STEPS });
    }
  });
});
