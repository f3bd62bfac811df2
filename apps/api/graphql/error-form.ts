import type { GraphQLError, GraphQLFormattedError } from 'graphql';
import { LakeError } from '#errors';
import type { Log } from '#platform';
import { TOO_DEEP } from './depth-rule.js';
import { toDoorError, type DoorCode, type DoorError } from './door-error.js';

/** Where in document and answer an error belongs, and what GraphQL says of it. */
type Found = Pick<GraphQLError, 'message' | 'locations' | 'path'>;

/** Errors in the form of this door: `extensions {code, status, requestId, errors}`, never a stack trace. */
export class ErrorForm {
  constructor(private readonly log: Pick<Log, 'error' | 'warn'>) {}

  /** `cause`: what was thrown; undefined for variables that GraphQL found wrong before anything ran. */
  of(cause: unknown, requestId: string, found?: Found): GraphQLFormattedError {
    const own = cause === undefined ? wrongVariables(found?.message ?? '') : this.#explain(cause, requestId);
    const { message, code, status, errors } = own;
    return {
      message,
      ...(found?.locations == null ? {} : { locations: found.locations }),
      ...(found?.path == null ? {} : { path: found.path }),
      extensions: { code, status, requestId, errors },
    };
  }

  /** The body of a refusal by Apollo (syntax, validation, protocol) in our form. */
  refusal(body: string, status: number, requestId: string): string {
    const { errors } = JSON.parse(body) as { readonly errors: readonly GraphQLFormattedError[] };
    const shown = errors.map((error): GraphQLFormattedError => {
      const { locations, extensions } = error;
      if (extensions?.['requestId'] !== undefined) return error;
      const message = error.message === STACK_OVERFLOW ? VALUES_TOO_DEEP : error.message;
      const code = codeOfRefusal(message, extensions?.['code']);
      return {
        message,
        ...(locations === undefined ? {} : { locations }),
        extensions: { code, status, requestId, errors: [{ code: 'document-invalid', detail: message }] },
      };
    });
    const worst = shown.filter(({ extensions }) => extensions?.['code'] !== 'BAD_USER_INPUT');
    return JSON.stringify({ errors: worst.length > 0 ? worst : shown });
  }

  #explain(cause: unknown, requestId: string): DoorError {
    const shown = toDoorError(cause, requestId);
    // an asker who left has stopped the work, which is no failure
    if (cause instanceof LakeError && cause.code === 'engine.cancelled') return shown;
    const entry = { request_id: requestId, code: shown.code, err: cause };
    if (shown.status === 500) this.log.error(entry, 'a field failed');
    else if (shown.status > 500) this.log.warn(entry, 'a field could not be answered');
    return shown;
  }
}

/** The message names the variable and the place in it. */
function wrongVariables(message: string): DoorError {
  return { code: 'BAD_USER_INPUT', status: 400, message, errors: [{ code: 'variables-invalid', detail: message }] };
}

/** What becomes of values in a document that nest too deep for the checks of GraphQL. */
const STACK_OVERFLOW = 'Maximum call stack size exceeded';
const VALUES_TOO_DEEP = 'Values in the document nest too deep.';

/** Limits are checked while documents are parsed and validated, which gives their errors the codes of those steps. */
function codeOfRefusal(message: string, code: unknown): DoorCode {
  if (code === 'INTERNAL_SERVER_ERROR') return code;
  if (message.startsWith(TOO_DEEP) || message === VALUES_TOO_DEEP || message.startsWith('Maximum introspection depth'))
    return 'QUERY_TOO_DEEP';
  return /^Syntax Error: Document contains more tha. \d+ tokens/.test(message) ? 'QUERY_TOO_COSTLY' : 'BAD_USER_INPUT';
}
