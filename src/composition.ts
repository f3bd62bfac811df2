import type { ProgressEvent, RunPlan, RunResult } from '#pipeline';
import {
  newRunId,
  openLake,
  planShop,
  runShop,
  today,
  type OpenLake,
  type Repairing,
  type RunChoices as ShopChoices,
  type Settings,
} from '#platform';
import type { Call } from './call.js';
import { startProgress, type Progress } from './terminal/progress.js';
import { countText } from './terminal/table-text.js';

/** Gives work a lake and a folder to work in, and takes both away when it has ended. */
export async function withLake<T>(settings: Settings, work: (session: OpenLake) => Promise<T>): Promise<T> {
  const session = await openLake(settings);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

export interface RunChoices {
  readonly asOf: string | undefined;
  readonly full: boolean;
  readonly rehash: boolean;
  readonly repairing?: Repairing;
}

/** Load, transform, check, publish; tells its progress on standard error. */
export function runOnce(call: Call, choices: RunChoices): Promise<RunResult> {
  return withProgress(call, choices, runShop);
}

/** What such a run would do; tells its progress on standard error. */
export function planOnce(call: Call, choices: RunChoices): Promise<RunPlan> {
  return withProgress(call, choices, planShop);
}

async function withProgress<T>(
  { settings, terminal, signal }: Call,
  { asOf, full, rehash, repairing }: RunChoices,
  work: (settings: Settings, open: OpenLake, choices: ShopChoices) => Promise<T>,
): Promise<T> {
  const progress = startProgress(terminal);
  try {
    return await withLake(settings, (open) =>
      work(settings, open, {
        runId: newRunId(),
        asOf: asOf ?? today(),
        full,
        rehash,
        ...(repairing === undefined ? {} : { repairing }),
        onProgress: (event) => show(event, progress),
        signal,
      }),
    );
  } finally {
    progress.end();
  }
}

function show(event: ProgressEvent, progress: Progress): void {
  switch (event.kind) {
    case 'stage':
      return event.state === 'begun' && event.total > 0 ? progress.say(`${event.stage} …`) : undefined;
    case 'step':
      return undefined;
    case 'file':
      return progress.step(event.done, event.total, event.path);
    case 'table':
      return progress.step(
        event.done,
        event.total,
        `${event.table}: ${countText(event.rows)} rows in ${event.seconds.toFixed(2)} s`,
      );
    case 'message':
      return progress.say(event.text);
  }
}
