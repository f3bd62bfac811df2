import {
  execute,
  GraphQLScalarType,
  GraphQLSchema,
  getVariableValues,
  Kind,
  visit,
  type ArgumentNode,
  type DocumentNode,
  type ExecutionResult,
  type ObjectFieldNode,
  type OperationDefinitionNode,
  type ValueNode,
} from 'graphql';

import { compileQuery, isCompiledQuery, type CompiledQuery } from 'graphql-jit';
import { LRUCache } from 'lru-cache';

/** Each holds the functions that one document was compiled to. */
const MAX_COMPILED = 500;

const Coerced = new GraphQLScalarType({ name: 'Coerced', parseValue: (value) => value });

/** An operation of a document that was parsed and validated. */
export interface Asked {
  /** Says which document it is. */
  readonly hash: string;
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly variables: Readonly<Record<string, unknown>>;
}

/**
 * Operations compiled to functions, in place of graphql-js, which costs several times as much. graphql-jit unrolls the
 * types of variables and never ends with one that contains itself, as filters do: so it gets values that graphql-js has
 * coerced, under a type that takes them as they are.
 */
export class CompiledOperations {
  readonly #compiled = new LRUCache<string, CompiledQuery>({ max: MAX_COMPILED });
  readonly #schema: GraphQLSchema;

  constructor(private readonly schema: GraphQLSchema) {
    const config = schema.toConfig();
    this.#schema = new GraphQLSchema({ ...config, types: [...config.types, Coerced], assumeValid: true });
  }

  /** Without `data`: nothing ran, as the variables are wrong. */
  async run(asked: Asked, context: unknown): Promise<ExecutionResult> {
    const { variableDefinitions = [] } = asked.operation;
    const { errors, coerced } = getVariableValues(this.schema, variableDefinitions, asked.variables);
    if (errors !== undefined) return { errors };
    const missing = variableDefinitions.map(({ variable }) => variable.name.value).filter((name) => !(name in coerced));
    const compiled = this.#at(asked, missing);
    if (compiled !== undefined) return compiled.query({}, context, coerced);
    const { document, operation, variables: variableValues } = asked;
    const { schema } = this;
    const args = { schema, document, contextValue: context, variableValues };
    return execute({ ...args, operationName: operation.name?.value ?? null });
  }

  /** Undefined for what graphql-jit does not know; graphql-js runs it. */
  #at({ hash, document, operation }: Asked, missing: readonly string[]): CompiledQuery | undefined {
    const name = operation.name?.value;
    const key = [hash, name ?? '', ...missing].join(' ');
    const known = this.#compiled.get(key);
    if (known !== undefined) return known;
    const compiled = compileQuery(this.#schema, withCoercedVariables(withoutMissing(document, missing)), name);
    if (!isCompiledQuery(compiled)) return undefined;
    this.#compiled.set(key, compiled);
    return compiled;
  }
}

function withCoercedVariables(document: DocumentNode): DocumentNode {
  return visit(document, {
    VariableDefinition: ({ kind, variable }) => ({
      kind,
      variable,
      type: { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: Coerced.name } },
    }),
  });
}

/** GraphQL leaves out an argument, or an entry of an object, whose variable was not given; graphql-jit would make it null. */
function withoutMissing(document: DocumentNode, missing: readonly string[]): DocumentNode {
  if (missing.length === 0) return document;
  const isMissing = (value: ValueNode) => value.kind === Kind.VARIABLE && missing.includes(value.name.value);
  const dropped = (node: ArgumentNode | ObjectFieldNode) => (isMissing(node.value) ? null : undefined);
  return visit(document, {
    Argument: dropped,
    ObjectField: dropped,
    ListValue: (node) => ({ ...node, values: node.values.map((v) => (isMissing(v) ? { kind: Kind.NULL } : v)) }),
  });
}
