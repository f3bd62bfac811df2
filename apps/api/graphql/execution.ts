import type { ApolloServerPlugin, GraphQLRequestContext } from '@apollo/server';
import { HeaderMap } from '@apollo/server';
import {
  getOperationAST,
  OperationTypeNode,
  type ExecutionResult,
  type GraphQLError,
  type GraphQLSchema,
} from 'graphql';
import { compileQuery, isCompiledQuery, type CompiledQuery } from 'graphql-jit';
import { LRUCache } from 'lru-cache';
import type { ErrorForm } from './error-form.js';
import type { Operation, Outcome } from './operation.js';

/** What Apollo hands from the request to the resolvers. */
export interface DoorContext {
  readonly operation: Operation;
  /** A query was answered without errors. */
  readonly answered: (outcome: Outcome) => void;
}

/** Each holds the functions that one document was compiled to. */
const MAX_COMPILED = 500;

/**
 * Runs operations compiled to functions, in place of graphql-js, which costs several times as much. Apollo has parsed
 * and checked the document before.
 */
export class Execution {
  readonly #compiled = new LRUCache<string, CompiledQuery>({ max: MAX_COMPILED });

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly errors: ErrorForm,
  ) {}

  get plugin(): ApolloServerPlugin<DoorContext> {
    return {
      requestDidStart: () => Promise.resolve({ responseForOperation: (asked) => this.#run(asked) }),
    };
  }

  async #run(asked: GraphQLRequestContext<DoorContext>) {
    const { document, request, queryHash, contextValue } = asked;
    const ast = document && getOperationAST(document, request.operationName);
    // Apollo has the errors for it
    if (document === undefined || ast == null) return null;
    const { operation } = contextValue;
    const name = request.operationName ?? ast.name?.value;
    const key = `${queryHash ?? ''} ${name ?? ''}`;
    const compiled = this.#compiled.get(key) ?? compileQuery(this.schema, document, name);
    if (isCompiledQuery(compiled)) this.#compiled.set(key, compiled);
    const result: ExecutionResult = isCompiledQuery(compiled)
      ? await compiled.query({}, operation, request.variables ?? {})
      : compiled;
    const outcome = await operation.finish();
    const errors = result.errors?.map((error) => this.#toError(error, operation, result.data === undefined));
    if (errors === undefined && ast.operation === OperationTypeNode.QUERY) contextValue.answered(outcome);
    return {
      http: { status: result.data === undefined ? 400 : 200, headers: new HeaderMap() },
      body: {
        kind: 'single' as const,
        singleResult: {
          ...(errors === undefined ? {} : { errors }),
          ...(result.data === undefined ? {} : { data: result.data }),
          extensions: { ...outcome.extensions },
        },
      },
    };
  }

  /** The errors of graphql-jit are like those of graphql-js, but not of its class. */
  #toError(error: GraphQLError, { requestId }: Operation, isRefused: boolean) {
    const cause = error.originalError ?? (isRefused ? undefined : error);
    return this.errors.of(cause, requestId, error);
  }
}
