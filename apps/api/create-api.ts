import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { fastify } from 'fastify';
import { NestLog, type Log } from '#platform';
import { ApiModule } from './api.module.js';
import { serveDocs } from './docs/serve-docs.js';
import { localCaller, type Caller } from './edge/caller.js';
import { answerUnreadable } from './edge/client-error.js';
import { guardOrigin } from './edge/origin.js';
import { answerProblem, ProblemFilter } from './edge/problem-filter.js';
import { requestIdOf } from './edge/request-id.js';
import { Routes } from './edge/routes.js';
import { guardScopes } from './edge/scope.js';
import { KeptAnswers } from './products/kept-answers.js';
import type { ApiServices } from './services.js';

export interface ApiOptions {
  /** How a proxy in front is reached; its `Host` is answered too. */
  readonly publicUrl?: string | undefined;
  readonly log: Log;
  /** Who asks: everybody who reaches a loopback address, until there are keys. */
  readonly caller?: Caller;
}

const MAX_BODY_BYTES = 1_000_000;
/** A row's key is one segment of the path. */
const MAX_PATH_PART = 4_000;
/** For the whole request to come. */
const REQUEST_TIMEOUT_MS = 30_000;
/** A connection on which nothing moves: the reader of a stream that stopped reading holds a query open. */
const IDLE_TIMEOUT_MS = 120_000;

/** The api with all its doors, ready to `inject` into or to `listen`. Its closer closes the services. */
export async function createApi(services: ApiServices, options: ApiOptions): Promise<NestFastifyApplication> {
  const { log, publicUrl, caller = localCaller } = options;
  // our own instance: hooks added to it come before those of Nest's adapter
  const server = fastify({
    genReqId: requestIdOf,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: IDLE_TIMEOUT_MS,
    // else Fastify answers requests on open connections with an error of its own form
    return503OnClosing: false,
    routerOptions: { maxParamLength: MAX_PATH_PART },
    frameworkErrors: (error, request, reply) => answerProblem(error, request, reply, log),
    clientErrorHandler: answerUnreadable,
  });
  server.removeContentTypeParser('text/plain');
  server.decorateRequest('caller');
  server.addHook('onRequest', (request, reply, done) => {
    request.caller = caller;
    void reply.header('X-Request-Id', request.id);
    done();
  });
  guardOrigin(server, publicUrl);
  guardScopes(server);
  const routes = new Routes(server);
  const app = await NestFactory.create<NestFastifyApplication>(
    ApiModule.with(services, log),
    new FastifyAdapter(server),
    {
      bodyParser: false,
      abortOnError: false,
      logger: new NestLog(log),
    },
  );
  app.useGlobalFilters(new ProblemFilter(log, (url) => routes.methodsAt(url)));
  serveDocs(app, services.catalogue);
  app.get(KeptAnswers).register(server);
  await app.init();
  await server.ready();
  return app;
}
