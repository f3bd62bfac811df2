import { askedRelease } from './asked-release.js';
import { invalidRequest, type RequestMistake } from './request-error.js';

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

/** Reads parameters that are given once each, and collects what is wrong with them. */
export class ParameterReader {
  readonly #given = new Map<string, string>();
  readonly #mistakes: RequestMistake[] = [];

  constructor(url: string, known: readonly string[]) {
    for (const { name, value } of parseParameters(url)) {
      if (!known.includes(name)) {
        const detail = known.length === 0 ? 'there are no parameters here' : `there are ${known.join(', ')}`;
        this.#refuse(name, 'unknown-parameter', detail);
      } else if (this.#given.has(name)) this.#refuse(name, 'duplicate', 'expected once');
      else this.#given.set(name, value);
    }
  }

  text(name: string, pattern: RegExp): string | undefined {
    const value = this.#given.get(name);
    if (value === undefined || pattern.test(value)) return value;
    return this.#refuse(name, 'wrong-type', 'expected what an earlier answer gave');
  }

  whole(name: string, { least = 1, most }: { readonly least?: number; readonly most: number }): number | undefined {
    const value = this.#given.get(name);
    if (value === undefined) return undefined;
    const number = /^\d{1,15}$/.test(value) ? Number(value) : undefined;
    if (number !== undefined && number >= least && number <= most) return number;
    return this.#refuse(name, 'out-of-range', `expected a whole number from ${least} to ${most}`);
  }

  /** By the URL or the header `X-Release`. */
  release(header: string | string[] | undefined): number | undefined {
    return askedRelease({ parameter: this.#given.get('release'), header }, this.#mistakes);
  }

  has(name: string): boolean {
    return this.#given.has(name);
  }

  /** Throws `request.invalid` if anything was wrong. To be called after the last parameter was read. */
  refuseAny(): void {
    if (this.#mistakes.length > 0) throw invalidRequest(this.#mistakes);
  }

  #refuse(parameter: string, code: string, detail: string): undefined {
    this.#mistakes.push({ parameter, code, detail });
  }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
