import { QueryError } from '#serving';
import { messageOf, RequestError, type RequestMistake } from '../edge/request-error.js';
import type { Parameter } from '../edge/parameters.js';

/** Parameters that hold a list of names, and what the query calls it. A repeated one goes on with the list. */
const lists: Readonly<Record<string, string>> = {
  select: 'select',
  sort: 'sort',
  group: 'group',
  measure: 'measures',
};
const conditions: Readonly<Record<string, string>> = { filter: 'where', having: 'having' };
const listOperators = ['in', 'nin'];

/** A query as the body of POST …/query, and where in the URL each part of it came from. */
export interface RestQuery {
  readonly json: Readonly<Record<string, unknown>>;
  /** The mistakes of the query, by parameter. */
  readonly toRequestError: (error: unknown) => unknown;
}

/**
 * Translates the parameters of a URL that make up a query: nothing is judged here but the spelling. A list is written
 * `filter[a][in]=x,y`; values that hold commas one by one, `filter[a][in][]=x&filter[a][in][]=y`. `whereName`: what `where` comes from, but for
 * filters.
 */
export function toQuery(parameters: readonly Parameter[], whereName = 'filter'): RestQuery {
  const json: Record<string, unknown> = {};
  const sources = new Map<string, string>();
  const listed = new Map<string, { readonly kind: string; readonly values: string[] }>();
  const parts = { where: [] as object[], having: [] as object[] };
  for (const { name, value } of parameters) {
    const list = Object.hasOwn(lists, name) ? lists[name] : undefined;
    if (list !== undefined) {
      const known = (json[list] as readonly string[] | undefined) ?? [];
      const names = value === '' ? [] : value.split(',');
      names.forEach((_, n) => sources.set(`/${list}/${known.length + n}`, name));
      sources.set(`/${list}`, name);
      json[list] = [...known, ...names];
      continue;
    }
    const [, door = '', path = '', operator = '', each] = CONDITION.exec(name) ?? [];
    const kind = conditions[door];
    if (kind !== 'where' && kind !== 'having') {
      json[name] = value;
      continue;
    }
    const open = listed.get(name);
    if (open !== undefined) {
      open.values.push(value);
      continue;
    }
    const isList = listOperators.includes(operator);
    const values = each === undefined ? (value === '' ? [] : value.split(',')) : [value];
    if (each !== undefined) listed.set(name, { kind, values });
    sources.set(`/${kind}/and/${parts[kind].length}`, name);
    parts[kind].push({ [path]: { [operator]: isList ? values : each === undefined ? value : values } });
  }
  sources.set('/where', whereName);
  sources.set('/measures', 'measure');
  for (const kind of ['where', 'having'] as const) if (parts[kind].length > 0) json[kind] = { and: parts[kind] };
  return { json, toRequestError: (error) => byParameter(error, sources) };
}

/** `filter[product.category][eq]`, `having[count][gt]`, `filter[channel][in][]`. */
const CONDITION = /^(filter|having)\[([^[\]]+)\]\[([^[\]]+)\](\[\])?$/;

export function isCondition(name: string): boolean {
  return CONDITION.test(name);
}

function byParameter(error: unknown, sources: ReadonlyMap<string, string>): unknown {
  if (!(error instanceof QueryError)) return error;
  const mistakes = error.problems.map(({ pointer, code, detail }): RequestMistake => {
    return { parameter: parameterOf(pointer, sources), code: code.replaceAll('_', '-').toLowerCase(), detail };
  });
  const message = error.code === 'query.invalid' ? messageOf(mistakes) : error.message;
  return new RequestError(error.code, error.kind, message, mistakes);
}

function parameterOf(pointer: string, sources: ReadonlyMap<string, string>): string {
  for (let place = pointer; place !== ''; place = place.slice(0, place.lastIndexOf('/'))) {
    const source = sources.get(place);
    if (source !== undefined) return source;
  }
  return pointer.split('/')[1] ?? '';
}
