import { LakeError } from '#errors';
import type { RunDesk, RunPage, RunRequest, RunView } from '#platform';

/** A desk in memory, for tests of the doors: what was asked is queued for ever. */
export class FakeRunDesk implements RunDesk {
  readonly #runs: RunView[] = [];
  readonly #keys = new Map<string, { readonly request: string; readonly run: RunView }>();

  request(request: RunRequest, by: string, idempotencyKey?: string): Promise<RunView> {
    const text = JSON.stringify(request);
    const known = idempotencyKey === undefined ? undefined : this.#keys.get(idempotencyKey);
    if (known !== undefined && known.request !== text) {
      return Promise.reject(new LakeError('run.idempotency_mismatch', 'invalid', 'The key has another request.'));
    }
    if (known !== undefined) return Promise.resolve(known.run);
    const run: RunView = {
      run_id: `run-${this.#runs.length + 1}`,
      state: 'queued',
      origin: 'queue',
      requested_by: by,
      request,
      as_of: request.as_of ?? null,
      created_at: '2026-02-17T00:00:00Z',
      started_at: null,
      finished_at: null,
      attempts: 0,
      release: null,
      stages: [],
      error: null,
    };
    this.#runs.unshift(run);
    if (idempotencyKey !== undefined) this.#keys.set(idempotencyKey, { request: text, run });
    return Promise.resolve(run);
  }

  get(runId: string): Promise<RunView | undefined> {
    return Promise.resolve(this.#runs.find(({ run_id }) => run_id === runId));
  }

  list({ limit, before }: { readonly limit: number; readonly before?: string }): Promise<RunPage> {
    const start = before === undefined ? 0 : this.#runs.findIndex(({ run_id }) => run_id === before) + 1;
    const runs = this.#runs.slice(start, start + limit);
    const isLast = start + limit >= this.#runs.length;
    return Promise.resolve({ runs, next: isLast ? null : (runs.at(-1)?.run_id ?? null) });
  }

  report(): Promise<unknown> {
    return Promise.resolve(undefined);
  }

  async cancel(runId: string): Promise<RunView> {
    const run = await this.get(runId);
    if (run === undefined) throw new LakeError('run.not_found', 'notFound', 'There is no such run.');
    if (run.state !== 'queued') throw new LakeError('run.ended', 'conflict', 'The run has ended.');
    const cancelled: RunView = { ...run, state: 'cancelled' };
    this.#runs.splice(this.#runs.indexOf(run), 1, cancelled);
    return cancelled;
  }

  health(): Promise<{ readonly records: boolean; readonly queue: boolean }> {
    return Promise.resolve({ records: true, queue: true });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
