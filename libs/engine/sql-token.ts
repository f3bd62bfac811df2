export interface SqlToken {
  readonly kind: 'word' | 'number' | 'text' | 'quoted' | 'symbol';
  /** Words in lower case; texts with their quotes. */
  readonly text: string;
  readonly line: number;
}

const TOKEN =
  /(?<skip>\s+|--[^\n]*|\/\*[\s\S]*?\*\/)|(?<text>'(?:[^']|'')*')|(?<quoted>"(?:[^"]|"")*"|`[^`]*`)|(?<cast>::)|(?<number>\d+(?:\.\d*)?|\.\d+)|(?<word>:?[\p{L}_][\p{L}\p{N}_$]*)|(?<symbol>\|\||\/\/|[\s\S])/gu;

/** Splits SQL into what a rule can look at; comments and white space are left out. */
export function sqlTokens(sql: string): readonly SqlToken[] {
  const tokens: SqlToken[] = [];
  let line = 1;
  for (const match of sql.matchAll(TOKEN)) {
    const found = match.groups ?? {};
    const kind = found['cast'] === undefined ? KINDS.find((name) => found[name] !== undefined) : 'symbol';
    if (kind !== undefined) tokens.push({ kind, text: kind === 'word' ? match[0].toLowerCase() : match[0], line });
    line += match[0].split('\n').length - 1;
  }
  return tokens;
}

const KINDS = ['text', 'quoted', 'number', 'word', 'symbol'] as const;

/** The index after the bracket that closes the one at `open`, or the end. */
export function afterClosing(tokens: readonly SqlToken[], open: number): number {
  let depth = 0;
  for (let at = open; at < tokens.length; at++) {
    if (isSymbol(tokens[at], '(')) depth++;
    if (isSymbol(tokens[at], ')') && --depth === 0) return at + 1;
  }
  return tokens.length;
}

/** The index of the bracket that the one at `close` closes, or -1. */
export function openingOf(tokens: readonly SqlToken[], close: number): number {
  let depth = 0;
  for (let at = close; at >= 0; at--) {
    if (isSymbol(tokens[at], ')')) depth++;
    if (isSymbol(tokens[at], '(') && --depth === 0) return at;
  }
  return -1;
}

export function isSymbol(token: SqlToken | undefined, text: string): boolean {
  return token?.kind === 'symbol' && token.text === text;
}

export function isWord(token: SqlToken | undefined, ...words: readonly string[]): boolean {
  return token?.kind === 'word' && words.includes(token.text);
}
