import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled';
import { Module } from '@nestjs/common';
import { GraphQLModule } from '@nestjs/graphql';
import type { Log } from '#platform';
import { AnswerCache } from '#serving';
import { API_LOG, API_SERVICES, type ApiServices } from '../services.js';
import { CompiledOperations } from './compiled-operations.js';
import { depthRule } from './depth-rule.js';
import { ErrorForm } from './error-form.js';
import { Execution } from './execution.js';
import { GraphqlDoor } from './graphql-door.js';
import { GraphqlDriver, type GraphqlDriverConfig } from './graphql.driver.js';
import { SchemaController } from './schema.controller.js';
import { kindRule } from './kind-rule.js';
import { graphqlSchema } from './schema.js';

/** Words and signs of a document; tools ask for the schema with a few hundred. */
const MAX_TOKENS = 10_000;

@Module({
  controllers: [SchemaController],
  imports: [
    GraphQLModule.forRootAsync<GraphqlDriverConfig>({
      driver: GraphqlDriver,
      inject: [API_SERVICES, AnswerCache, API_LOG],
      useFactory: (services: ApiServices, cache: AnswerCache, log: Log): GraphqlDriverConfig => {
        const schema = graphqlSchema(services.catalogue);
        const errors = new ErrorForm(log);
        return {
          path: '/graphql',
          schema,
          graphiql: false,
          door: new GraphqlDoor(services, cache, errors),
          server: {
            schema,
            plugins: [
              // it would wrap every field, at more than half of the time
              ApolloServerPluginCacheControlDisabled(),
              ApolloServerPluginLandingPageDisabled(),
              new Execution(new CompiledOperations(schema), errors).plugin,
            ],
            validationRules: [depthRule, kindRule],
            parseOptions: { maxTokens: MAX_TOKENS },
            introspection: true,
            includeStacktraceInErrorResponses: false,
            // the door takes JSON only, so no page of another site can send a mutation without asking first
            csrfPrevention: false,
            persistedQueries: false,
            // the process ends in its own order; Apollo would end it by the signal before all is answered
            stopOnTerminationSignals: false,
          },
        };
      },
    }),
  ],
})
export class GraphqlModule {}
