/** What a run tells while it works; the caller decides how to show it. */
export type ProgressEvent =
  | { readonly kind: 'stage'; readonly stage: 'load' | 'transform' | 'checks' | 'publish' }
  | {
      readonly kind: 'file';
      readonly source: string;
      readonly path: string;
      readonly done: number;
      readonly total: number;
    }
  | {
      readonly kind: 'table';
      readonly table: string;
      readonly rows: number;
      readonly seconds: number;
      readonly done: number;
      readonly total: number;
    }
  | { readonly kind: 'message'; readonly text: string };

export type OnProgress = (event: ProgressEvent) => void;
