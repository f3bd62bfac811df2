import { jest } from '@jest/globals';
import { answer, LaunchFolder, until, type Launched } from './launched.js';

// Whole starts, on a machine that may be busy.
jest.setTimeout(180_000);

const START = 'dist/src/start.js';
const RECOVERED_WITHIN_MS = 60_000;

/** One folder from its first start on: the tests are in order, and every start costs. */
describe('npm start', () => {
  const folder = new LaunchFolder();
  let launched: Launched;
  let url: string;
  const start = async () => {
    launched = folder.launch(START);
    url = await launched.url();
  };
  const health = () => answer(`${url}/health/ready`);
  const isWhole = async () => (await health())?.['status'] === 'ok';

  afterAll(() => folder.remove());

  it('fills an empty lake with the demo shop and ends in URLs that answer', async () => {
    await start();
    expect(launched.stdout).toMatch(/^silver\/orders .* 1,948 .*$/m);
    expect(launched.stdout).toContain('rows in = rows out + duplicates + quarantined holds');
    expect(launched.stdout).toMatch(/^Release 1 published, as of /m);
    const places = [...launched.stdout.matchAll(/^(?:api|API docs|health) +(http\S+)$/gm)].map(
      ([, place]) => place ?? '',
    );
    expect(places).toHaveLength(3);
    for (const place of places) expect([place, (await fetch(place)).status]).toEqual([place, 200]);
    const [, curl = ''] = /curl '(\S+)'/.exec(launched.stdout) ?? [];
    expect(await answer(curl)).toMatchObject({ release: { id: 1 } });
    expect(await health()).toMatchObject({ status: 'ok', release: { id: 1 } });
  });

  it('brings each process back that is killed, and runs are done as before', async () => {
    const postgres = folder.processes('-D').at(0) ?? 0;
    for (const pid of [folder.childPid('api'), folder.childPid('worker'), postgres]) {
      process.kill(pid, 'SIGKILL');
      await until(
        async () => !folder.processes().includes(pid) && (await isWhole()),
        RECOVERED_WITHIN_MS,
        () => launched.stderr,
      );
    }
    expect(await runsEnd()).toBe('nothing_new');
  });

  it('leaves no process when it is killed, and the next start runs nothing', async () => {
    launched.interrupt('SIGKILL');
    await folder.empty();
    await start();
    expect(launched.stdout).toMatch(/^gold\/fact_sales +4,780$/m);
    expect(launched.stdout).toContain('Nothing was run');
    expect(await health()).toMatchObject({ release: { id: 1 } });
  });

  it('starts again after everything was killed at once, and Ctrl-C leaves nothing', async () => {
    for (const pid of folder.processes()) process.kill(pid, 'SIGKILL');
    await folder.empty();
    await start();
    expect(await runsEnd()).toBe('nothing_new');
    launched.interrupt();
    expect(await launched.ended).toBe(0);
    expect(folder.processes()).toEqual([]);
  });

  /** Asks for a run and waits for its end. */
  async function runsEnd(): Promise<unknown> {
    const runs = `${url}/v1/admin/runs`;
    const asked = await fetch(runs, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
    const { data } = (await asked.json()) as { readonly data: { readonly run_id: string } };
    let state: unknown;
    const isOver = async () => {
      state = ((await answer(`${runs}/${data.run_id}`))?.['data'] as { readonly state?: unknown } | undefined)?.state;
      return state !== undefined && state !== 'queued' && state !== 'running';
    };
    await until(isOver, 60_000, () => `${String(state)}: ${launched.stderr}`);
    return state;
  }
});
