import type { Source } from './contract.js';

/**
 * A record as it came, for readers who may not see whom it is about: fields that identify a person are null, and those
 * that the contract does not name are left out. All else keeps its characters. Null for what is no JSON object, as
 * nobody knows what is in it; records of sources without personal fields are returned as they are.
 */
export function maskedRecord(record: string, { fields, pii = [] }: Pick<Source, 'fields' | 'pii'>): string | null {
  if (!isObject(record)) return null;
  if (pii.length === 0) return record;
  const members = membersOf(record)
    .filter(({ name }) => Object.hasOwn(fields, name))
    .map(({ name, value }) => `${JSON.stringify(name)}:${pii.includes(name) ? 'null' : value}`);
  return `{${members.join(',')}}`;
}

interface Member {
  readonly name: string;
  /** As it is written. */
  readonly value: string;
}

/** Strings, or marks: what lies between them is part of a number or a word, or space. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]/gs;

/** The members of a JSON object in the order in which they are written. */
function membersOf(object: string): readonly Member[] {
  const members: Member[] = [];
  let depth = 0;
  let name: string | undefined;
  let start = 0;
  for (const { 0: token, index } of object.matchAll(TOKEN)) {
    if (depth === 1 && name === undefined && token.startsWith('"')) name = JSON.parse(token) as string;
    else if (depth === 1 && token === ':') start = index + 1;
    const isLast = depth === 1 && token === '}';
    if (name !== undefined && depth === 1 && (token === ',' || isLast)) {
      members.push({ name, value: object.slice(start, index).trim() });
      name = undefined;
    }
    if (token === '{' || token === '[') depth++;
    else if (token === '}' || token === ']') depth--;
  }
  return members;
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
