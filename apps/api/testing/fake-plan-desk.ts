import type { PlanDesk, RunRequest, PlanView } from '#platform';

/** A desk in memory, for tests of the doors: plans are made at once, or never. */
export class FakePlanDesk implements PlanDesk {
  readonly #plans = new Map<string, PlanView>();

  constructor(private readonly plan: string | null = '{"outcome":"nothing_new"}') {}

  request(request: RunRequest): Promise<PlanView> {
    const plan_id = `plan-${this.#plans.size + 1}`;
    const state = this.plan === null ? 'waiting' : 'planned';
    const view: PlanView = { plan_id, state, request, error: null, plan: this.plan };
    this.#plans.set(plan_id, view);
    return Promise.resolve(view);
  }

  get(planId: string): Promise<PlanView | undefined> {
    return Promise.resolve(this.#plans.get(planId));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
