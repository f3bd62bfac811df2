import type { ColumnType } from '#contracts';
import { at, shown, type Problems } from './problem.js';
import {
  compareOperators,
  everything,
  listOperators,
  matchOperators,
  type CompareOperator,
  type Filter,
  type ListOperator,
  type MatchOperator,
} from './query.js';
import { parseValue, type Scalar } from './value.js';

const MAX_DEPTH = 16;
/** Conditions, and objects that hold them. */
const MAX_PARTS = 1_000;
const TOO_MANY = `a filter has at most ${MAX_PARTS} conditions and groups`;
/** Look-ups of a page's relations ask for as many keys as a page has rows. */
const MAX_LISTED = 10_000;

/** What a filter may name. */
export interface FilterNames {
  /** The type of a column or output; undefined if there is none of that name. */
  typeOf(path: string): ColumnType | undefined;
  /** Whether the path is a relation, whose own columns may be named in an object below it. */
  isRelation(path: string): boolean;
}

/** Reads `{and, or, not, column: {operator: value}, relation: {…}}`; the entries of one object all have to hold. */
export class FilterParser {
  #parts = 0;

  constructor(
    private readonly names: FilterNames,
    private readonly problems: Problems,
  ) {}

  parse(raw: unknown, pointer: string, prefix = '', depth = 0): Filter {
    if (depth > MAX_DEPTH) return this.#refuse(pointer, 'too-deep', `filters nest at most ${MAX_DEPTH} deep`);
    if (!isObject(raw)) return this.#refuse(pointer, 'wrong-type', 'expected an object of conditions');
    if (!this.#hasRoom()) return this.#refuse(pointer, 'too-many', TOO_MANY);
    const parts = Object.entries(raw).map(([key, value]) => this.#entry(key, value, at(pointer, key), prefix, depth));
    return allOf(parts);
  }

  #entry(key: string, value: unknown, pointer: string, prefix: string, depth: number): Filter {
    if (key === 'and' || key === 'or') {
      if (!Array.isArray(value)) return this.#refuse(pointer, 'wrong-type', 'expected a list of filters');
      return { kind: key, of: value.map((part, n) => this.parse(part, at(pointer, n), prefix, depth + 1)) };
    }
    if (key === 'not') return { kind: 'not', filter: this.parse(value, pointer, prefix, depth + 1) };
    const path = `${prefix}${key}`;
    const type = this.names.typeOf(path);
    if (type !== undefined) return this.#conditionsOn(path, type, value, pointer);
    if (this.names.isRelation(path)) return this.parse(value, pointer, `${path}.`, depth + 1);
    return this.#refuse(pointer, 'unknown-column', `there is no column ${shown(path)}`);
  }

  #conditionsOn(path: string, type: ColumnType, raw: unknown, pointer: string): Filter {
    if (!isObject(raw)) return this.#refuse(pointer, 'wrong-type', 'expected an object of operators, as {"eq": …}');
    return allOf(
      Object.entries(raw).map(([operator, value]) =>
        this.#condition(path, type, operator, value, at(pointer, operator)),
      ),
    );
  }

  #condition(path: string, type: ColumnType, operator: string, value: unknown, pointer: string): Filter {
    if (!this.#hasRoom()) return this.#refuse(pointer, 'too-many', TOO_MANY);
    if (operator === 'null') return this.#nullness(path, value, pointer);
    if (isOneOf(operator, compareOperators)) return this.#compare(path, type, operator, value, pointer);
    if (isOneOf(operator, listOperators)) return this.#list(path, type, operator, value, pointer);
    if (isOneOf(operator, matchOperators)) return this.#match(path, type, operator, value, pointer);
    const known = ['null', ...compareOperators, ...listOperators, ...matchOperators].join(', ');
    return this.#refuse(pointer, 'unknown-operator', `there is no operator ${shown(operator)}, but ${known}`);
  }

  #nullness(path: string, value: unknown, pointer: string): Filter {
    const parsed = parseValue(value, { kind: 'boolean' });
    if (parsed.kind === 'mistake') return this.#refuse(pointer, parsed.code, parsed.detail);
    return { kind: 'null', path, isNull: parsed.value === true };
  }

  #compare(path: string, type: ColumnType, operator: CompareOperator, value: unknown, pointer: string): Filter {
    const isOrder = operator !== 'eq' && operator !== 'ne';
    if (type.kind === 'strings' || (type.kind === 'boolean' && isOrder)) {
      return this.#refuse(pointer, 'not-allowed', `${path} cannot be compared by ${operator}`);
    }
    return { kind: 'compare', path, operator, value: this.#value(value, type, pointer) };
  }

  #list(path: string, type: ColumnType, operator: ListOperator, values: unknown, pointer: string): Filter {
    if (type.kind === 'strings') return this.#refuse(pointer, 'not-allowed', `${path} cannot be compared`);
    if (!Array.isArray(values)) return this.#refuse(pointer, 'wrong-type', 'expected a list of values');
    if (values.length > MAX_LISTED) {
      return this.#refuse(pointer, 'too-many', `a list has at most ${MAX_LISTED} values`);
    }
    const parsed = values.map((value, n) => this.#value(value, type, at(pointer, n)));
    // a comparison with NULL is false, so NULL adds nothing to a list
    return { kind: 'list', path, operator, values: [...new Set(parsed.filter((value) => value !== null))] };
  }

  #match(path: string, type: ColumnType, operator: MatchOperator, value: unknown, pointer: string): Filter {
    if (type.kind !== 'string') return this.#refuse(pointer, 'not-allowed', `${path} is not text`);
    const text = this.#value(value, type, pointer);
    const isPattern = operator === 'like' || operator === 'ilike';
    if (isPattern && typeof text === 'string' && /(?:^|[^\\])(?:\\\\)*\\$/.test(text)) {
      return this.#refuse(
        pointer,
        'wrong-type',
        'the pattern ends in a \\ that escapes nothing: write \\\\ for itself',
      );
    }
    return { kind: 'match', path, operator, text: text === null ? null : String(text) };
  }

  #value(raw: unknown, type: ColumnType, pointer: string): Scalar | null {
    if (raw === null) return null;
    const parsed = parseValue(raw, type);
    if (parsed.kind === 'value') return parsed.value;
    this.problems.add(pointer, parsed.code, parsed.detail);
    return null;
  }

  #hasRoom(): boolean {
    this.#parts += 1;
    return this.#parts <= MAX_PARTS;
  }

  /** Goes on with a filter that passes everything: the query is refused in the end. */
  #refuse(pointer: string, code: Parameters<Problems['add']>[1], detail: string): Filter {
    this.problems.add(pointer, code, detail);
    return everything;
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isOneOf<T extends string>(value: string, known: readonly T[]): value is T {
  return (known as readonly string[]).includes(value);
}

function allOf(parts: readonly Filter[]): Filter {
  const [first] = parts;
  return parts.length === 1 && first !== undefined ? first : { kind: 'and', of: parts };
}
