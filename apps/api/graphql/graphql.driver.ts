import { ApolloServer, type ApolloServerOptions } from '@apollo/server';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import type { FastifyInstance } from 'fastify';
import type { DoorContext } from './execution.js';
import type { GraphqlDoor } from './graphql-door.js';

export interface GraphqlDriverConfig extends ApolloDriverConfig {
  readonly path: string;
  readonly door: GraphqlDoor;
  readonly server: ApolloServerOptions<DoorContext>;
}

/** Nest's driver with a route of our own: the usual one has no place for answers that are kept, nor for our errors. */
export class GraphqlDriver extends ApolloDriver {
  override async registerServer(options: ApolloDriverConfig): Promise<void> {
    const { path, door, server: serverOptions } = options as GraphqlDriverConfig;
    const server = new ApolloServer<DoorContext>(serverOptions);
    await server.start();
    door.register(this.httpAdapterHost.httpAdapter.getInstance<FastifyInstance>(), path, server);
    this.apolloServer = server as unknown as ApolloServer;
  }
}
