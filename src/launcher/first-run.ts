import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { RunView, StageView } from '#platform';
import type { ReportedRun, RunsClient } from './runs-client.js';

/**
 * Has the worker fill an empty lake, and tells how far it is. A run that an earlier start asked for and did not see the
 * end of is followed instead of asking for a second one. Rejects when `signal` is aborted.
 */
export async function firstRun(
  runs: RunsClient,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<ReportedRun> {
  const key = randomUUID();
  const { run_id } = await patiently(
    async () => (await runs.newest()).find(isOurs) ?? runs.request({ reason: 'first start' }, key),
    signal,
  );
  say(`Run ${run_id} fills the lake …`);
  const told = new Map<string, string>();
  for (;;) {
    const run = await patiently(() => runs.get(run_id), signal);
    for (const stage of run.stages) tell(stage, told, say);
    if (!isPending(run.state)) {
      const { release } = run;
      // a moment after it was published: whoever reads on may ask at once
      if (release !== null) await patiently(() => runs.release(release), signal);
      return run;
    }
    await setTimeout(pollMs, undefined, { signal });
  }
}

const pollMs = 300;
const attempts = 60;

/** The api may be on its way back. */
async function patiently<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      if (signal.aborted || attempt === attempts) throw error;
      await setTimeout(1_000, undefined, { signal });
    }
  }
}

function isOurs({ origin, state }: RunView): boolean {
  return origin === 'queue' && isPending(state);
}

function isPending(state: RunView['state']): boolean {
  return state === 'queued' || state === 'running';
}

/** Each stage once when it begins and once when it has ended. */
function tell({ stage, state, done, total }: StageView, told: Map<string, string>, say: (text: string) => void): void {
  if (state === 'waiting' || told.get(stage) === state) return;
  told.set(stage, state);
  say(state === 'running' ? `  ${stage} …` : `  ${stage} ${state}${total > 0 ? ` (${done} of ${total})` : ''}`);
}
