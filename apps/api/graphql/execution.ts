import { HeaderMap, type ApolloServerPlugin, type GraphQLRequestContext } from '@apollo/server';
import { getOperationAST, OperationTypeNode, type GraphQLError } from 'graphql';
import type { CompiledOperations } from './compiled-operations.js';
import type { ErrorForm } from './error-form.js';
import type { Operation, Outcome } from './operation.js';

/** What Apollo hands from the request to the resolvers. */
export interface DoorContext {
  readonly operation: Operation;
  /** A query was answered without errors. */
  readonly answered: (outcome: Outcome) => void;
}

/** Runs what Apollo has parsed and validated, and gives answers and errors their form. */
export class Execution {
  constructor(
    private readonly operations: CompiledOperations,
    private readonly errors: ErrorForm,
  ) {}

  get plugin(): ApolloServerPlugin<DoorContext> {
    return {
      requestDidStart: () => Promise.resolve({ responseForOperation: (asked) => this.#run(asked) }),
    };
  }

  async #run({ document, request, queryHash = '', contextValue }: GraphQLRequestContext<DoorContext>) {
    const found = document && getOperationAST(document, request.operationName);
    // Apollo has the errors for it
    if (document === undefined || found == null) return null;
    const { operation, answered } = contextValue;
    const asked = { hash: queryHash, document, operation: found, variables: request.variables ?? {} };
    const result = await this.operations.run(asked, operation);
    const outcome = await operation.finish();
    const hasRun = result.data !== undefined;
    const errors = result.errors?.map((error) => this.#toError(error, operation, hasRun));
    if (errors === undefined && found.operation === OperationTypeNode.QUERY) answered(outcome);
    return {
      http: { status: hasRun ? 200 : 400, headers: new HeaderMap() },
      body: {
        kind: 'single' as const,
        singleResult: {
          ...(errors === undefined ? {} : { errors }),
          ...(hasRun ? { data: result.data } : {}),
          extensions: { ...outcome.extensions },
        },
      },
    };
  }

  /** Without an answer GraphQL has refused the variables; else errors are of resolvers, or of values they gave. */
  #toError(error: GraphQLError, { requestId }: Operation, hasRun: boolean) {
    return this.errors.of(hasRun ? (error.originalError ?? error) : undefined, requestId, error);
  }
}
