import { LakeError } from '#errors';
import type { RunReport } from '#pipeline';
import type { RunRequest, RunView } from '#platform';

/** With the report that it stored; null before it ended, or without one. */
export interface ReportedRun extends RunView {
  readonly report: RunReport | null;
}

/** Runs, asked for and looked at through the api as anyone else does. */
export class RunsClient {
  private readonly runs: string;

  constructor(
    private readonly api: string,
    private readonly signal: AbortSignal,
  ) {
    this.runs = `${api}/v1/admin/runs`;
  }

  /** The same key again gives the same run. */
  request(run: RunRequest, key: string): Promise<RunView> {
    const headers = { 'content-type': 'application/json', 'idempotency-key': key };
    return this.ask<RunView>(this.runs, { method: 'POST', headers, body: JSON.stringify(run) });
  }

  get(runId: string): Promise<ReportedRun> {
    return this.ask<ReportedRun>(`${this.runs}/${runId}`);
  }

  newest(): Promise<readonly RunView[]> {
    return this.ask<readonly RunView[]>(`${this.runs}?limit=20`);
  }

  /** Throws until the api serves it. */
  release(number: number): Promise<unknown> {
    return this.ask(`${this.api}/v1/releases/${number}`);
  }

  private async ask<T>(url: string, init: RequestInit = {}): Promise<T> {
    const response = await fetch(url, { ...init, signal: AbortSignal.any([this.signal, AbortSignal.timeout(10_000)]) });
    const text = await response.text();
    if (response.ok) return (JSON.parse(text) as { readonly data: T }).data;
    throw new LakeError(
      'launcher.api_refused',
      'unavailable',
      `${url} answered ${response.status}: ${text.slice(0, 500)}`,
    );
  }
}
