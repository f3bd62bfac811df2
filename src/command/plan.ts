import { figuresJson } from '#platform';
import type { Call } from '../call.js';
import { planOnce } from '../composition.js';
import { planText } from '../terminal/plan-text.js';
import type { RunOptions } from './run.js';

/** What a run would do. A check that would fail is an answer, not a failure. */
export async function planCommand(call: Call, { asOf, full, rehash, json }: RunOptions): Promise<void> {
  const plan = await planOnce(call, { asOf, full: full === true, rehash: rehash === true });
  call.terminal.result(json ? figuresJson(plan) : planText(plan));
}
