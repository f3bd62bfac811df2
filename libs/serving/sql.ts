import type { Parameter } from '#engine';

/** The values of a statement. What the asker sent is bound here and never becomes part of the text. */
export class Bindings {
  readonly #values: Parameter[] = [];

  /** The placeholder that stands for the value. */
  bind(value: Parameter): string {
    this.#values.push(value);
    return `$${this.#values.length}`;
  }

  get values(): readonly Parameter[] {
    return this.#values;
  }
}

/** An identifier as SQL text; any character may be in it. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
