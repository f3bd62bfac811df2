import { mkdirSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { answer, LaunchFolder, until } from './launched.js';

const START = 'test/launcher/fake/start.mjs';

/** Programs that behave as a test wants, under the launcher as it is. */
describe('the launcher', () => {
  let folder: LaunchFolder;
  beforeEach(() => {
    folder = new LaunchFolder();
    // Something has landed: no demo shop is written.
    mkdirSync(join(folder.path, 'data/landing/any'), { recursive: true });
  });
  afterEach(() => folder.remove());

  it('starts each program again that is killed, and gives the new address of PostgreSQL to those that need it', async () => {
    const launched = folder.launch(START);
    const health = `${await launched.url()}/health/live`;
    const first = await answer(health);

    process.kill(folder.childPid('api'), 'SIGKILL');
    await until(
      async () => ![undefined, first?.['pid']].includes((await answer(health))?.['pid']),
      5_000,
      () => 'api',
    );
    const worker = folder.childPid('worker');
    process.kill(worker, 'SIGKILL');
    await until(
      () => folder.childPid('worker') !== worker,
      5_000,
      () => 'worker',
    );
    expect(launched.stderr).toMatch(/worker +warn: ended \(SIGKILL\); it is started again in 0.05 s/);

    process.kill(Number(/postgres=(\d+)/.exec(launched.stderr)?.[1]), 'SIGKILL');
    await until(
      async () => ![undefined, first?.['database']].includes((await answer(health))?.['database']),
      5_000,
      () => 'database',
    );

    launched.interrupt();
    expect(await launched.ended).toBe(0);
    expect(folder.processes()).toEqual([]);
  });

  it('leaves no process when it is killed itself, and the next start takes over', async () => {
    const launched = folder.launch(START);
    await launched.url();
    launched.interrupt('SIGKILL');
    await folder.empty(5_000);
    const next = folder.launch(START);
    await next.url();
    next.interrupt('SIGTERM');
    expect(await next.ended).toBe(0);
  });

  it('stops what a killed start left, even a program that hears nothing, and takes its port', async () => {
    const launched = folder.launch(START, { FAKE_API: 'deaf' });
    const { port } = new URL(await launched.url());
    launched.interrupt('SIGKILL');
    await launched.ended;
    const next = folder.launch(START, { PORT: port });
    await next.url();
    expect(next.stderr).toMatch(/An earlier start was killed and left .*api \(process \d+\)/);
    next.interrupt();
    expect(await next.ended).toBe(0);
    expect(folder.processes()).toEqual([]);
  });

  it('kills what does not end at a second Ctrl-C, but takes the two that npm makes of one for one', async () => {
    const launched = folder.launch(START, { FAKE_WORKER: 'deaf' });
    await launched.url();
    launched.interrupt();
    launched.interrupt();
    await launched.saidOnError('worker   not now');
    expect(launched.process.exitCode).toBeNull();
    await until(
      () => launched.process.exitCode !== null || (launched.interrupt(), false),
      5_000,
      () => 'still there',
    );
    await folder.empty();
  });

  it.each([
    ['wrong-settings', 2, /PORT = "x": must be a port[^]*the api refused its settings/],
    ['broken', 1, /(cannot find the moon[^]*){3}the api did not start \(exit code 1\)/],
  ])('ends when a program cannot start (%s), with its words', async (FAKE_API, code, words) => {
    const launched = folder.launch(START, { FAKE_API });
    expect(await launched.ended).toBe(code);
    expect(launched.stderr).toMatch(words);
    expect(launched.stdout).toBe('');
    expect(folder.processes()).toEqual([]);
  });

  it('names a port in use and one that is free', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const launched = folder.launch(START, { PORT: String(port) });
    expect(await launched.ended).toBe(1);
    expect(launched.stderr).toMatch(new RegExp(`port ${port} of 127.0.0.1 is in use.*PORT=\\d+ npm start`));
    other.close();
  });

  it('refuses a second one on the same data folder, naming the first and where it serves', async () => {
    const launched = folder.launch(START);
    const url = await launched.url();
    const second = folder.launch(START);
    expect(await second.ended).toBe(1);
    expect(second.stderr).toContain(`it is process ${launched.process.pid} and serves at ${url}`);
    expect(await answer(`${url}/health/live`)).toBeDefined();
    launched.interrupt();
    expect(await launched.ended).toBe(0);
  });

  it('stops when the npm that started it is gone', async () => {
    const launched = folder.launch('test/launcher/fake/npm.mjs');
    await launched.url();
    launched.interrupt('SIGKILL');
    await folder.empty(10_000);
  });

  it('keeps one log of all programs, with times, in a file too', async () => {
    const launched = folder.launch(START);
    await launched.url();
    launched.interrupt();
    await launched.ended;
    const log = readFileSync(join(folder.path, 'data/log/shopsmart.log'), 'utf8');
    for (const name of ['postgres', 'api', 'worker']) {
      expect(launched.stderr).toMatch(new RegExp(`^\\d\\d:\\d\\d:\\d\\d ${name} +warn: ${name} begins .*rows=3$`, 'm'));
      expect(log).toMatch(new RegExp(`^\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z ${name} +plain words of the ${name}$`, 'm'));
    }
  });
});
