/** Members that hold figures by name: their decimals, text elsewhere, are JSON numbers with all their digits. */
const FIGURES: ReadonlySet<string> = new Set(['before', 'after', 'change']);

const DIGITS = /^-?\d+(\.\d+)?$/;

/** A plan, or a comparison of releases, as JSON. */
export function figuresJson(value: unknown, inFigures = false): string {
  if (Array.isArray(value)) return `[${value.map((item) => figuresJson(item)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    return `{${members
      .map(([name, member]) =>
        inFigures && typeof member === 'string' && DIGITS.test(member)
          ? `${JSON.stringify(name)}:${member}`
          : `${JSON.stringify(name)}:${figuresJson(member, FIGURES.has(name))}`,
      )
      .join(',')}}`;
  }
  return JSON.stringify(value);
}
