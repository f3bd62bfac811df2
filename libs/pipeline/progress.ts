import type { TableContract } from '#contracts';

/** What a run does, in order; silver, gold and ml overlap. */
export const STAGES = ['load', 'silver', 'gold', 'ml', 'checks', 'publish'] as const;

export type Stage = (typeof STAGES)[number];

/** How many of a stage's steps have ended: files, tables, checks; files placed and, last, the release. */
export interface StageStanding {
  readonly stage: Stage;
  readonly done: number;
  readonly total: number;
}

/** What a run tells while it works; the caller decides how to show it. A lost race begins again with `load`. */
export type ProgressEvent =
  | (StageStanding & { readonly kind: 'stage'; readonly state: 'begun' | 'ended' })
  | (StageStanding & StepDone)
  | { readonly kind: 'message'; readonly text: string };

type StepDone =
  /** A step without news: a known file, a table that nothing touched, a check. */
  | { readonly kind: 'step' }
  | { readonly kind: 'file'; readonly source: string; readonly path: string }
  | { readonly kind: 'table'; readonly table: string; readonly rows: number; readonly seconds: number };

export type OnProgress = (event: ProgressEvent) => void;

/** The stage that computes a table: gold tables named `ml_…` hold what models say. */
export function stageOf({ layer, name }: TableContract): 'silver' | 'gold' | 'ml' {
  if (layer === 'silver') return 'silver';
  return name.startsWith('gold/ml_') ? 'ml' : 'gold';
}

/** Counts the steps of stages. */
export class StageProgress {
  readonly #standings = new Map<Stage, StageStanding>();

  constructor(private readonly tell: OnProgress) {}

  /** A stage begins once, whoever says so first; one without steps has ended at once. */
  begin(stage: Stage, total: number): void {
    if (this.#standings.has(stage)) return;
    const standing = { stage, done: 0, total };
    this.#standings.set(stage, standing);
    this.tell({ kind: 'stage', state: 'begun', ...standing });
    if (total === 0) this.tell({ kind: 'stage', state: 'ended', ...standing });
  }

  step(stage: Stage, what: StepDone = { kind: 'step' }): void {
    const { done, total } = this.#standings.get(stage) ?? { done: 0, total: 0 };
    const standing = { stage, done: done + 1, total };
    this.#standings.set(stage, standing);
    this.tell({ ...what, ...standing });
    if (standing.done === total) this.tell({ kind: 'stage', state: 'ended', ...standing });
  }
}
