import { QueryError } from '#serving';
import type { Parameter } from '../edge/parameters.js';
import { publicCode } from '../edge/problem-type.js';
import { messageOf, RequestError, type RequestMistake } from '../edge/request-error.js';

/** A query as the body of POST …/query, and where in the URL each part of it came from. */
export interface RestQuery {
  readonly json: Readonly<Record<string, unknown>>;
  /** Names the parameters that a query error is about; other errors stay as they are. */
  readonly toRequestError: (error: unknown) => unknown;
}

/**
 * Translates the parameters of a URL that make up a query: nothing is judged here but the spelling. A list is written
 * `filter[a][in]=x,y`; values that hold commas one by one, `filter[a][in][]=x&filter[a][in][]=y`. `whereFrom` names what
 * `where` comes from when it is not filters.
 */
export function toQuery(parameters: readonly Parameter[], whereFrom = 'filter'): RestQuery {
  const query = new QueryJson(whereFrom);
  for (const parameter of parameters) query.add(parameter);
  return { json: query.json, toRequestError: (error) => query.toRequestError(error) };
}

/** Whether it is spelled as a condition: `filter[product.category][eq]`, `having[count][gt]`, `filter[channel][in][]`. */
export function isCondition(name: string): boolean {
  return CONDITION.test(name);
}

const CONDITION = /^(filter|having)\[([^[\]]+)\]\[([^[\]]+)\](\[\])?$/;

/** Parameters that hold a list of names, and what the query calls it. A repeated one goes on with the list. */
const lists: ReadonlyMap<string, string> = new Map([
  ['select', 'select'],
  ['sort', 'sort'],
  ['group', 'group'],
  ['measure', 'measures'],
]);
const listOperators = ['in', 'nin'];

class QueryJson {
  readonly json: Record<string, unknown> = {};
  /** The parameter that each place of the query came from. */
  readonly #sources: Map<string, string>;
  /** By parameter: its values so far, for those that give a list one by one. */
  readonly #open = new Map<string, string[]>();

  constructor(whereFrom: string) {
    this.#sources = new Map([
      ['/where', whereFrom],
      ['/measures', 'measure'],
    ]);
  }

  add({ name, value }: Parameter): void {
    const list = lists.get(name);
    const [, door, path = '', operator = '', each] = CONDITION.exec(name) ?? [];
    if (list !== undefined) this.#addNames(list, name, split(value));
    else if (door === undefined) this.json[name] = value;
    else if (each !== undefined) this.#addEach(door, path, operator, name, value);
    else this.#addCondition(door, path, name, { [operator]: listOperators.includes(operator) ? split(value) : value });
  }

  toRequestError(error: unknown): unknown {
    if (!(error instanceof QueryError)) return error;
    const mistakes = error.problems.map(({ pointer, code, detail }): RequestMistake => {
      return { parameter: this.#parameterAt(pointer), code: publicCode(code), detail };
    });
    const message = error.code === 'query.invalid' ? messageOf(mistakes) : error.message;
    return new RequestError(error.code, error.kind, message, mistakes);
  }

  #addNames(list: string, parameter: string, names: readonly string[]): void {
    this.json[list] = [...((this.json[list] as readonly string[] | undefined) ?? []), ...names];
    this.#sources.set(`/${list}`, parameter);
  }

  #addEach(door: string, path: string, operator: string, parameter: string, value: string): void {
    const open = this.#open.get(parameter);
    if (open !== undefined) {
      open.push(value);
      return;
    }
    const values = [value];
    this.#open.set(parameter, values);
    this.#addCondition(door, path, parameter, { [operator]: values });
  }

  /** All conditions have to hold, so those on one column may repeat. */
  #addCondition(door: string, path: string, parameter: string, condition: object): void {
    const list = door === 'filter' ? 'where' : 'having';
    const { and: parts } = (this.json[list] ?? { and: [] }) as { readonly and: object[] };
    this.#sources.set(`/${list}/and/${parts.length}`, parameter);
    parts.push({ [path]: condition });
    this.json[list] = { and: parts };
  }

  /** The parameter of the place, or of the nearest one that it lies in. */
  #parameterAt(pointer: string): string {
    for (let place = pointer; place !== ''; place = place.slice(0, place.lastIndexOf('/'))) {
      const source = this.#sources.get(place);
      if (source !== undefined) return source;
    }
    return pointer.split('/')[1] ?? '';
  }
}

function split(value: string): string[] {
  return value === '' ? [] : value.split(',');
}
