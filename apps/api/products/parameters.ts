import { invalidRequest, type RequestMistake } from '../edge/request-error.js';

export interface Parameter {
  readonly name: string;
  readonly value: string;
}

const MAX_PARAMETERS = 1_000;

/** The parameters of a URL in order, percent-decoded once; `+` is a space, as forms write it. Throws `request.invalid`. */
export function parseParameters(url: string): readonly Parameter[] {
  const start = url.indexOf('?');
  const parts = start < 0 ? [] : url.slice(start + 1).split('&', MAX_PARAMETERS + 1);
  if (parts.length > MAX_PARAMETERS) {
    const detail = `expected at most ${MAX_PARAMETERS} parameters`;
    throw invalidRequest([{ parameter: '', code: 'too-many', detail }]);
  }
  const mistakes: RequestMistake[] = [];
  const parameters = parts.flatMap((part): Parameter[] => {
    if (part === '') return [];
    const equals = part.indexOf('=');
    const name = decoded(equals < 0 ? part : part.slice(0, equals));
    const value = decoded(equals < 0 ? '' : part.slice(equals + 1));
    if (name !== undefined && value !== undefined) return [{ name, value }];
    const detail = 'it is not percent-encoded UTF-8';
    mistakes.push({ parameter: name ?? part.slice(0, 60), code: 'bad-encoding', detail });
    return [];
  });
  if (mistakes.length > 0) throw invalidRequest(mistakes);
  return parameters;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
