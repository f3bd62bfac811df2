import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Mounts in a namespace of the child's own: nobody else sees it, and it is gone with the child. */
function inNamespace(command: readonly string[]) {
  const script = 'exec unshare --map-root-user --mount "$@"';
  return spawnSync('sh', ['-c', script, 'sh', ...command], { encoding: 'utf8' });
}

const permitted = inNamespace(['mount', '-t', 'tmpfs', 'tmpfs', tmpdir()]).status === 0;

/** Runs in the child, on a file system of 64 KiB that holds one object. */
const SCRIPT = `
  import { LocalStore } from '#storage';
  const store = new LocalStore(process.argv[1]);
  await store.put('t/small', Buffer.from('first'));
  const failures = [];
  for (const write of ['put', 'putIfAbsent']) {
    await store[write](write === 'put' ? 't/small' : 't/large', Buffer.alloc(1 << 20)).catch((error) => failures.push(error));
  }
  const paths = [];
  for await (const { path } of store.list('')) paths.push(path);
  console.log(JSON.stringify({
    failures: failures.map(({ code, kind, message }) => ({ code, kind, message })),
    paths,
    small: Buffer.from(await store.get('t/small')).toString(),
    left: await store.sweepTemporary(-60_000, Date.now()),
    fits: await store.putIfAbsent('t/other', Buffer.alloc(1024)),
  }));
`;

describe('a local store on a full disk', () => {
  (permitted ? it : it.skip)('says so, keeps every object as it was, and leaves its room to others', () => {
    const folder = mkdtempSync(join(tmpdir(), 'full-'));
    const mounted = 'mount -t tmpfs -o size=64k tmpfs "$1" && exec "$2" --input-type=module -e "$3" "$1"';
    const { stdout, stderr } = inNamespace(['sh', '-c', mounted, 'sh', folder, process.execPath, SCRIPT]);
    rmSync(folder, { recursive: true });
    expect(stderr).toBe('');
    const full = { code: 'storage.full', kind: 'unavailable', message: expect.stringContaining(folder) };
    expect(JSON.parse(stdout)).toEqual({
      failures: [full, full],
      paths: ['t/small'],
      small: 'first',
      left: 0,
      fits: true,
    });
  });
});
