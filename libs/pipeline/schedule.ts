import { assert } from '#errors';

export interface Task {
  readonly name: string;
  /** Names of tasks that must have ended first; names of no task count as done. */
  readonly after: readonly string[];
  readonly run: () => Promise<void>;
}

/** Runs tasks in dependency order, at most `limit` side by side. The first failure stops new starts and is thrown once the running ones have ended. */
export async function runInOrder(tasks: readonly Task[], limit: number): Promise<void> {
  const waiting = new Map(tasks.map((task) => [task.name, task]));
  const unfinished = new Set(waiting.keys());
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  while (unfinished.size > 0) {
    for (const task of waiting.values()) {
      if (running.size >= limit || failures.length > 0) break;
      if (task.after.some((name) => unfinished.has(name))) continue;
      waiting.delete(task.name);
      const run: Promise<void> = task
        .run()
        .catch((error: unknown) => void failures.push(error))
        .finally(() => {
          unfinished.delete(task.name);
          running.delete(run);
        });
      running.add(run);
    }
    if (running.size === 0) break;
    await Promise.race(running);
  }
  if (failures.length > 0) throw failures[0];
  assert(unfinished.size === 0, `tables wait for each other: ${[...unfinished].join(', ')}`);
}
