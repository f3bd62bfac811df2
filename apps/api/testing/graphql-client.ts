import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { OutgoingHttpHeaders } from 'node:http';

export interface GraphqlError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions: {
    readonly code: string;
    readonly status: number;
    readonly requestId: string;
    readonly errors: readonly { readonly pointer?: string; readonly code: string; readonly detail: string }[];
  };
}

export interface GraphqlReply<T> {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly text: string;
  readonly data: T;
  readonly errors: readonly GraphqlError[] | undefined;
  readonly extensions: {
    readonly release?: number;
    readonly asOf?: string;
    readonly cost?: number;
    readonly maskedColumns?: readonly string[];
  };
}

/** Asks the GraphQL door of an app without a port. */
export async function askGraphql<T>(
  app: NestFastifyApplication,
  query: string,
  variables: object = {},
  headers: Readonly<Record<string, string>> = {},
  operationName?: string,
): Promise<GraphqlReply<T>> {
  const reply = await app.inject({
    method: 'POST',
    url: '/graphql',
    payload: { query, variables, operationName },
    headers,
  });
  const { data, errors, extensions } = JSON.parse(reply.body) as GraphqlReply<T>;
  return { status: reply.statusCode, headers: reply.headers, text: reply.body, data, errors, extensions };
}
