import { getNamedType, isObjectType, type FieldNode, type GraphQLObjectType, type GraphQLResolveInfo } from 'graphql';
import { collectSubfields } from 'graphql/execution/collectFields.js';
import { getArgumentValues } from 'graphql/execution/values.js';

/**
 * What was selected below a field, by field name: aliases are merged, fragments followed, `@skip` and `@include` obeyed.
 * So that nothing is read or computed that nobody asked for.
 */
export class Selection {
  readonly #type: GraphQLObjectType | undefined;
  readonly #fields = new Map<string, FieldNode[]>();
  readonly #counts = new Map<string, number>();

  private constructor(
    type: unknown,
    nodes: readonly FieldNode[],
    private readonly info: GraphQLResolveInfo,
  ) {
    if (!isObjectType(type)) return;
    this.#type = type;
    const { schema, fragments, variableValues } = info;
    for (const found of collectSubfields(schema, fragments, variableValues, type, nodes).values()) {
      const name = found[0]?.name.value ?? '';
      this.#fields.set(name, [...(this.#fields.get(name) ?? []), ...found]);
      this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    }
  }

  static of(info: GraphQLResolveInfo): Selection {
    return new Selection(getNamedType(info.returnType), info.fieldNodes, info);
  }

  /** Without `__typename`, which costs nothing. */
  get names(): readonly string[] {
    return [...this.#fields.keys()].filter((name) => !name.startsWith('__'));
  }

  has(name: string): boolean {
    return this.#fields.has(name);
  }

  /** Empty unless the field was selected. */
  at(name: string): Selection {
    const field = this.#type?.getFields()[name];
    return new Selection(field && getNamedType(field.type), this.#fields.get(name) ?? [], this.info);
  }

  /** The arguments of a field, for each time that it was selected. */
  argumentsOf(name: string): readonly Readonly<Record<string, unknown>>[] {
    const field = this.#type?.getFields()[name];
    if (field === undefined) return [];
    return (this.#fields.get(name) ?? []).map((node) => getArgumentValues(field, node, this.info.variableValues));
  }

  /** Values in the answer for one such object: each alias is one more. */
  get size(): number {
    let size = 0;
    for (const [name, times] of this.#counts) size += times * Math.max(1, this.at(name).size);
    return size;
  }
}
