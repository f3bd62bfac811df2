import { runInOrder, type Task } from './schedule.js';

/** Tasks that end when a test says so. */
class Tasks {
  readonly events: string[] = [];
  private readonly ends = new Map<string, { resolve: () => void; reject: (error: Error) => void }>();

  task(name: string, ...after: string[]): Task {
    return {
      name,
      after,
      run: () => {
        this.events.push(`start ${name}`);
        return new Promise((resolve, reject) => this.ends.set(name, { resolve, reject }));
      },
    };
  }

  async end(name: string, error?: Error): Promise<void> {
    const end = this.ends.get(name);
    this.events.push(`end ${name}`);
    if (error === undefined) end?.resolve();
    else end?.reject(error);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('tasks in order', () => {
  it('start only after those that they wait for', async () => {
    const tasks = new Tasks();
    const all = runInOrder([tasks.task('gold', 'silver'), tasks.task('silver', 'bronze')], 2);
    await tasks.end('silver');
    await tasks.end('gold');
    await all;
    expect(tasks.events).toEqual(['start silver', 'end silver', 'start gold', 'end gold']);
  });

  it('run side by side up to the limit, and the next one starts as soon as one ends', async () => {
    const tasks = new Tasks();
    const all = runInOrder([tasks.task('a'), tasks.task('b'), tasks.task('c')], 2);
    expect(tasks.events).toEqual(['start a', 'start b']);
    await tasks.end('b');
    expect(tasks.events.at(-1)).toBe('start c');
    await tasks.end('c');
    await tasks.end('a');
    await all;
  });

  it('start none after a failure, which is told once the running ones have ended', async () => {
    const tasks = new Tasks();
    const failure = new Error('no room');
    const told: unknown[] = [];
    const all = runInOrder([tasks.task('a'), tasks.task('b'), tasks.task('c')], 2).catch((error: unknown) =>
      told.push(error),
    );
    await tasks.end('a', failure);
    expect(told).toEqual([]);
    await tasks.end('b');
    await all;
    expect(told).toEqual([failure]);
    expect(tasks.events).toEqual(['start a', 'start b', 'end a', 'end b']);
  });

  it('that wait for each other are a broken invariant, not an endless wait', async () => {
    const tasks = new Tasks();
    await expect(runInOrder([tasks.task('a', 'b'), tasks.task('b', 'a')], 2)).rejects.toThrow('a, b');
  });

  it('may be none', async () => {
    await expect(runInOrder([], 2)).resolves.toBeUndefined();
  });
});
