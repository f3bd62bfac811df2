import type { ColumnType, TableContract } from '#contracts';
import { fieldAt, related, type Tables } from './field.js';
import { bucketType, groupName, groupsOutputs, measureName, measureType } from './output.js';
import { FilterParser, isObject, isOneOf, type FilterNames } from './parse-filter.js';
import { at, Problems, shown } from './problem.js';
import {
  bucketUnits,
  DEFAULT_LIMIT,
  everything,
  MAX_LIMIT,
  measureFunctions,
  type Filter,
  type GroupColumn,
  type Measure,
  type Query,
  type Sort,
} from './query.js';

/** Names in one list of a query. */
const MAX_NAMES = 200;
const MAX_NAME = 64;
/** As long as the values it holds: rows may be sorted by long text. */
const MAX_CURSOR = 500_000;

const properties = ['select', 'where', 'sort', 'limit', 'cursor', 'group', 'measures', 'having'];

/**
 * Reads `{select, where, sort, limit, cursor, group, measures, having}`, the body of POST …/query, to which the other
 * doors translate. Lists hold text: `select: ['a', 'product.category']`, `sort: ['-a']`, `group: ['month(a)']`,
 * `measures: ['net:sum(a)', 'count()']`. With group or measures it asks for groups. `streamed`: no limit unless given,
 * and no greatest one. Throws `query.invalid` with every mistake.
 */
export function parseQuery(
  json: unknown,
  contract: TableContract,
  tables: Tables,
  options: { readonly streamed?: boolean } = {},
): Query {
  const problems = new Problems();
  const parser = new QueryParser(contract, tables, problems);
  const query = parser.parse(isObject(json) ? json : undefined, options.streamed ?? false);
  problems.refuseAny();
  return query;
}

class QueryParser {
  constructor(
    private readonly contract: TableContract,
    private readonly tables: Tables,
    private readonly problems: Problems,
  ) {}

  parse(json: Readonly<Record<string, unknown>> | undefined, streamed: boolean): Query {
    if (json === undefined) this.problems.add('', 'wrong-type', 'expected an object');
    const given = new Map(Object.entries(json ?? {}).filter(([, value]) => value !== undefined));
    for (const name of given.keys()) {
      if (!properties.includes(name)) {
        this.problems.add(at('', name), 'unknown-property', `a query has ${properties.join(', ')}`);
      }
    }
    const asked = {
      where: this.#where(given.get('where')),
      limit: this.#limit(given.get('limit'), streamed),
      ...this.#cursor(given.get('cursor')),
    };
    const sort = this.#names(given.get('sort'), '/sort');
    if (!given.has('group') && !given.has('measures')) {
      if (given.has('having')) this.problems.add('/having', 'not-allowed', 'having needs measures');
      const select = this.#select(given.get('select'));
      return { kind: 'rows', select, ...asked, sort: this.#sortOf(sort, (path) => this.#sortable(path)) };
    }
    if (given.has('select')) this.problems.add('/select', 'not-allowed', 'groups have group and measures, not select');
    const group = this.#group(given.get('group'));
    const measures = this.#measures(given.get('measures'));
    const outputs = this.#outputs(group, measures);
    const having = this.#having(given.get('having'), outputs);
    // `month(order_date)` may be sorted by as it was asked, or by its name
    const spelled = new Map(group.map(({ name, path, bucket }) => [bucket ? `${bucket}(${path})` : path, name]));
    const order = this.#sortOf(sort, (name) => (outputs.has(name) ? name : spelled.get(name)));
    return { kind: 'groups', group, measures, having, ...asked, sort: order };
  }

  #where(raw: unknown): Filter {
    if (raw === undefined) return everything;
    const names: FilterNames = {
      typeOf: (path) => fieldAt(path, this.contract, this.tables)?.type,
      isRelation: (path) => this.#leads(path),
    };
    return new FilterParser(names, this.problems).parse(raw, '/where');
  }

  #leads(path: string): boolean {
    let owner: TableContract | undefined = this.contract;
    for (const name of path.split('.')) {
      owner = owner === undefined ? undefined : related(name, owner, this.tables)?.contract;
    }
    return owner !== undefined;
  }

  #having(raw: unknown, outputs: ReadonlyMap<string, ColumnType>): Filter {
    if (raw === undefined) return everything;
    const names: FilterNames = { typeOf: (name) => outputs.get(name), isRelation: () => false };
    return new FilterParser(names, this.problems).parse(raw, '/having');
  }

  #limit(raw: unknown, streamed: boolean): number | 'all' {
    if (raw === undefined) return streamed ? 'all' : DEFAULT_LIMIT;
    const limit = typeof raw === 'string' && /^\d{1,15}$/.test(raw) ? Number(raw) : raw;
    const max = streamed ? Number.MAX_SAFE_INTEGER : MAX_LIMIT;
    if (typeof limit === 'number' && Number.isSafeInteger(limit) && limit >= 1 && limit <= max) return limit;
    this.problems.add('/limit', 'out-of-range', `expected a whole number from 1 to ${max}`);
    return DEFAULT_LIMIT;
  }

  #cursor(raw: unknown): { readonly cursor?: string } {
    if (raw === undefined || raw === null) return {};
    if (typeof raw === 'string' && raw.length <= MAX_CURSOR) return { cursor: raw };
    this.problems.add('/cursor', 'bad-cursor', 'expected the cursor of an earlier answer');
    return {};
  }

  #select(raw: unknown): readonly string[] {
    if (raw === undefined) return Object.keys(this.contract.columns).filter((name) => !name.startsWith('_'));
    const names = this.#names(raw, '/select');
    if (Array.isArray(raw) && names.length === 0)
      this.problems.add('/select', 'out-of-range', 'select names no column');
    names.forEach((path, n) => {
      if (this.#typeOf(path) === undefined) this.#unknown(at('/select', n), path);
    });
    this.#refuseRepeated(names, '/select');
    return names;
  }

  #sortable(path: string): string | undefined {
    const type = this.#typeOf(path);
    return type === undefined || type.kind === 'strings' ? undefined : path;
  }

  #sortOf(asked: readonly string[], nameOf: (path: string) => string | undefined): readonly Sort[] {
    const sort = asked.flatMap((text, n): Sort[] => {
      const descending = text.startsWith('-');
      const path = nameOf(text.slice(descending ? 1 : 0));
      if (path !== undefined) return [{ path, descending }];
      this.problems.add(at('/sort', n), 'unknown-column', `there is nothing to sort by ${shown(text)}`);
      return [];
    });
    this.#refuseRepeated(
      sort.map(({ path }) => path),
      '/sort',
    );
    return sort;
  }

  #group(raw: unknown): readonly GroupColumn[] {
    return this.#names(raw, '/group').flatMap((text, n): GroupColumn[] => {
      const pointer = at('/group', n);
      const [, unit, inner] = /^([a-z_]+)\((.*)\)$/.exec(text) ?? [];
      const path = inner ?? text;
      const type = this.#typeOf(path);
      if (type === undefined || type.kind === 'strings') return this.#unknown(pointer, path);
      if (unit === undefined) return [{ name: groupName({ path }), path }];
      if (!isOneOf(unit, bucketUnits)) {
        this.problems.add(
          pointer,
          'unknown-operator',
          `there is no time unit ${shown(unit)}: ${bucketUnits.join(', ')}`,
        );
        return [];
      }
      if (bucketType(unit, type) === undefined) {
        this.problems.add(pointer, 'not-allowed', `${path} cannot be cut by ${unit}`);
        return [];
      }
      return [{ name: groupName({ path, bucket: unit }), path, bucket: unit }];
    });
  }

  #measures(raw: unknown): readonly Measure[] {
    return this.#names(raw, '/measures').flatMap((text, n): Measure[] => {
      const pointer = at('/measures', n);
      const [, renamed, measure = '', inner = ''] = /^(?:([^:(]*):)?([a-z_]+)(?:\((.*)\))?$/.exec(text) ?? [];
      if (!isOneOf(measure, measureFunctions)) {
        this.problems.add(pointer, 'unknown-measure', `there is no measure ${shown(text)}`);
        return [];
      }
      const type = this.#typeOf(inner);
      if (inner !== '' && type === undefined) return this.#unknown(pointer, inner);
      const made = inner === '' ? { measure } : { measure, path: inner };
      if (measureType(made, type) === undefined) {
        this.problems.add(pointer, 'not-allowed', `${measure} of ${inner || 'rows'} has no meaning`);
        return [];
      }
      if (renamed !== undefined && (!/^[A-Za-z][A-Za-z0-9_]*$/.test(renamed) || renamed.length > MAX_NAME)) {
        this.problems.add(pointer, 'wrong-type', `a name is letters, digits and _, at most ${MAX_NAME}`);
        return [];
      }
      return [{ name: renamed ?? measureName(made), ...made }];
    });
  }

  #outputs(group: readonly GroupColumn[], measures: readonly Measure[]): ReadonlyMap<string, ColumnType> {
    this.#refuseRepeated(
      group.map(({ name }) => name),
      '/group',
    );
    // engines take names that differ in case only for one
    this.#refuseRepeated(
      [...group, ...measures].map(({ name }) => name.toLowerCase()),
      '/measures',
      group.length,
    );
    if (group.length + measures.length === 0) this.problems.add('/measures', 'out-of-range', 'nothing is asked for');
    const outputs = groupsOutputs(group, measures, (path) => this.#typeOf(path));
    return new Map(outputs.map(({ name, type }) => [name, type]));
  }

  #typeOf(path: string): ColumnType | undefined {
    return fieldAt(path, this.contract, this.tables)?.type;
  }

  #names(raw: unknown, pointer: string): readonly string[] {
    if (raw === undefined) return [];
    if (!Array.isArray(raw) || raw.some((name) => typeof name !== 'string')) {
      this.problems.add(pointer, 'wrong-type', 'expected a list of names');
      return [];
    }
    if (raw.length > MAX_NAMES) {
      this.problems.add(pointer, 'too-many', `expected at most ${MAX_NAMES} names`);
      return [];
    }
    return raw as string[];
  }

  #refuseRepeated(names: readonly string[], pointer: string, from = 0): void {
    names.forEach((name, n) => {
      if (n < from || names.indexOf(name) === n) return;
      this.problems.add(at(pointer, n - from), 'duplicate', `${shown(name)} is there twice`);
    });
  }

  #unknown(pointer: string, path: string): [] {
    this.problems.add(pointer, 'unknown-column', `there is no column ${shown(path)} that this could use`);
    return [];
  }
}
