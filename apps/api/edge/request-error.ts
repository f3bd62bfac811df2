import { LakeError, type ErrorKind } from '#errors';

/** One mistake of a request: in a parameter (or header) of its URL, or at a place of its body. */
export type RequestMistake = { readonly code: string; readonly detail: string } & (
  { readonly parameter: string } | { readonly pointer: string }
);

/** A request that cannot be answered, with all that is wrong with it. */
export class RequestError extends LakeError {
  constructor(
    code: string,
    kind: ErrorKind,
    message: string,
    readonly mistakes: readonly RequestMistake[],
  ) {
    super(code, kind, message);
    this.name = 'RequestError';
  }
}

/** What is wrong with a request beside its query. */
export function invalidRequest(mistakes: readonly RequestMistake[]): RequestError {
  return new RequestError('request.invalid', 'invalid', messageOf(mistakes), mistakes);
}

export function messageOf(mistakes: readonly RequestMistake[]): string {
  const list = mistakes.map((mistake) => {
    const place = 'parameter' in mistake ? mistake.parameter : mistake.pointer || '/';
    return `${place}: ${mistake.detail}`;
  });
  return `The request cannot be answered: ${list.join('; ')}.`;
}
