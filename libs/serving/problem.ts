import { LakeError, type ErrorKind } from '#errors';

/** One mistake of a question. `pointer` is a JSON pointer into the question: `/where/channel/eq`. */
export interface Problem {
  readonly pointer: string;
  readonly code:
    | 'unknown-property'
    | 'unknown-column'
    | 'unknown-operator'
    | 'unknown-measure'
    | 'not-allowed'
    | 'wrong-type'
    | 'out-of-range'
    | 'duplicate'
    | 'too-deep'
    | 'too-many'
    | 'bad-cursor'
    | 'bad-key'
    | 'PII_SCOPE_REQUIRED';
  readonly detail: string;
}

/** A question that cannot be answered, with all that is wrong with it. */
export class QueryError extends LakeError {
  constructor(
    code: string,
    kind: ErrorKind,
    message: string,
    readonly problems: readonly Problem[],
  ) {
    super(code, kind, message);
    this.name = 'QueryError';
  }
}

export function invalidQuery(problems: readonly Problem[]): QueryError {
  const list = problems.map(({ pointer, detail }) => `${pointer || '/'}: ${detail}`).join('; ');
  return new QueryError('query.invalid', 'invalid', `The query cannot be answered: ${list}.`, problems);
}

/** More would help nobody, and a hostile question could ask for millions. */
const MAX_PROBLEMS = 100;

/** Collects mistakes, so that one answer names them all. */
export class Problems {
  readonly #found: Problem[] = [];

  add(pointer: string, code: Problem['code'], detail: string): void {
    if (this.#found.length < MAX_PROBLEMS) this.#found.push({ pointer, code, detail });
  }

  /** Throws `query.invalid` if there is any. */
  refuseAny(): void {
    if (this.#found.length > 0) throw invalidQuery(this.#found);
  }
}

/** Text of the asker's as a message shows it: quoted, and cut. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** RFC 6901. */
export function at(pointer: string, part: string | number): string {
  return `${pointer}/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
