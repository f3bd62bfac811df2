import { HeaderMap, type ApolloServer } from '@apollo/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { LakeError } from '#errors';
import type { Release } from '#releases';
import { scopeClass, strongEtag, type AnswerCache, type CachedAnswer } from '#serving';
import { askedRelease } from '../edge/asked-release.js';
import { invalidRequest, type RequestMistake } from '../edge/request-error.js';
import { sendBytes, sendWhole } from '../edge/send-bytes.js';
import { contractHeaders } from '../products/products.js';
import type { ApiServices } from '../services.js';
import type { ErrorForm } from './error-form.js';
import type { DoorContext } from './execution.js';
import { graphiqlPage } from './graphiql-page.js';
import { Operation, type Outcome } from './operation.js';

/** Raised when the same operation over the same tables gets other bytes than before. */
const FORM_VERSION = 1;
/** JSON within JSON, as variables have it. */
const MAX_NESTING = 64;

/** GraphQL over HTTP: a request to Apollo and back, and answers that were given before without it. */
export class GraphqlDoor {
  constructor(
    private readonly services: ApiServices,
    private readonly cache: AnswerCache,
    private readonly errors: ErrorForm,
  ) {}

  register(app: FastifyInstance, path: string, apollo: ApolloServer<DoorContext>): void {
    app.route({
      url: path,
      method: ['GET', 'POST'],
      // fields check scopes, and the schema is public
      config: { scope: 'public' },
      errorHandler: (error, request, reply) => this.#refuse(error, request, reply),
      preHandler: (request, reply, done) => {
        requireSound(request);
        const kept = this.#kept(request);
        if (kept === undefined) return done();
        sendWhole(kept.answer, kept.release, false, request, reply);
      },
      handler: (request, reply) => this.#handle(apollo, request, reply),
    });
  }

  /** After the checks of caller and host; only of the newest release, which needs no look-up. */
  #kept(request: FastifyRequest): { readonly answer: CachedAnswer; readonly release: Release } | undefined {
    const release = this.services.answers.current;
    if (release === undefined || releaseOf(request) !== undefined) return undefined;
    const answer = this.cache.find(requestText(request, release));
    return answer === undefined ? undefined : { answer, release };
  }

  async #handle(apollo: ApolloServer<DoorContext>, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    if (wantsPage(request)) {
      await reply.header('Content-Type', 'text/html; charset=utf-8').send(await graphiqlPage('/graphql'));
      return;
    }
    requireForm(request);
    const release = releaseOf(request);
    const operation = new Operation({
      services: this.services,
      caller: request.caller,
      requestId: request.id,
      ...(release === undefined ? {} : { release }),
    });
    reply.raw.once('close', () => operation.cancel());
    let outcome: Outcome | undefined;
    try {
      const { status, headers, body } = await apollo.executeHTTPGraphQLRequest({
        httpGraphQLRequest: toApollo(request),
        context: () => Promise.resolve({ operation, answered: (done) => (outcome = done) }),
      });
      const text = body.kind === 'complete' ? body.string : '';
      for (const [name, value] of headers) void reply.header(name, value);
      // an `Accept` that nothing fits is refused after the answer was made
      const isRefused = status !== undefined && status >= 400;
      if (outcome !== undefined && !isRefused) return this.#answer(text, outcome, request, reply);
      await reply
        .code(status ?? 200)
        .header('Cache-Control', 'no-store')
        .send(isRefused ? this.errors.refusal(text, status, request.id) : text);
    } finally {
      await operation.end();
    }
  }

  #answer(text: string, outcome: Outcome, request: FastifyRequest, reply: FastifyReply): void {
    const { release } = outcome;
    const contentType = String(reply.getHeader('content-type') ?? 'application/json; charset=utf-8');
    const body = Buffer.from(text);
    if (release === undefined || outcome.isCurrentState) {
      const etag = `W/${strongEtag(JSON.stringify([text]))}`;
      const answer = { etag, contentType, headers: {}, body };
      void reply.header('Cache-Control', 'private, no-cache');
      return sendBytes(answer, request, reply);
    }
    const { query, operationName, variables } = questionOf(request);
    const scopes = scopeClass(request.caller.scopes);
    const identity = [FORM_VERSION, outcome.versions, query, operationName, variables, scopes, contentType];
    const etag = strongEtag(JSON.stringify(identity));
    const answer = { etag, contentType, headers: this.#headersOf(outcome), body };
    this.cache.set(answer);
    if (outcome.isNewest && release.number === this.services.answers.current?.number) {
      this.cache.remember(requestText(request, release), etag);
    }
    sendWhole(answer, release, namesRelease(request), request, reply);
  }

  #headersOf({ tables, extensions }: Outcome): Readonly<Record<string, string>> {
    const contracts = tables.flatMap((table) => this.services.catalogue.byName.get(table)?.contract ?? []);
    // silver is read to trace rows, and no door serves it
    return contractHeaders(
      contracts.filter(({ layer }) => layer === 'gold'),
      extensions.maskedColumns,
    );
  }

  /** What Fastify or a check of ours has thrown before a document was read. */
  #refuse(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const shown = this.errors.of(error, request.id);
    const status = Number(shown.extensions?.['status'] ?? 500);
    void reply
      .code(status)
      .header('Content-Type', 'application/json; charset=utf-8')
      .header('Cache-Control', 'no-store')
      .send(JSON.stringify({ errors: [shown] }));
  }
}

/** All that the answer of the newest release depends on. */
function requestText(request: FastifyRequest, { number }: Release): string {
  const { caller, headers, method, url, body } = request;
  const asked = method === 'GET' ? url : `${url} ${JSON.stringify(body)}`;
  return [
    'graphql',
    number,
    scopeClass(caller.scopes),
    caller.scopes.has('products:read'),
    headers.accept ?? '',
    asked,
  ].join('\n');
}

/** `?release=N`, or else the header: for all fields that name none. */
function releaseOf({ query, headers }: FastifyRequest): number | undefined {
  const mistakes: RequestMistake[] = [];
  const parameter = [(query as Readonly<Record<string, string | string[] | undefined>>)['release'] ?? []].flat();
  const asked = { parameter: parameter.length === 0 ? undefined : parameter.join(), header: headers['x-release'] };
  const release = askedRelease(asked, mistakes);
  if (mistakes.length > 0) throw invalidRequest(mistakes);
  return release;
}

function namesRelease({ query }: FastifyRequest): boolean {
  return typeof query === 'object' && query !== null && 'release' in query;
}

function wantsPage({ method, query, headers }: FastifyRequest): boolean {
  const isQuestion = typeof query === 'object' && query !== null && 'query' in query;
  return method === 'GET' && !isQuestion && /\btext\/html\b/.test(headers.accept ?? '');
}

const FORMS = ['application/json', 'application/graphql-response+json', 'application/*', '*/*'];

/** Apollo looks at `Accept` when the operation has run, which is too late for a mutation. */
function requireForm({ headers: { accept } }: FastifyRequest): void {
  if (accept === undefined || accept.trim() === '') return;
  const isServed = accept.split(',', 100).some((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    return FORMS.includes(type) && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
  if (isServed) return;
  const message = 'Answers come as application/json and application/graphql-response+json.';
  throw new LakeError('request.not_acceptable', 'invalid', message);
}

function questionOf({ method, query, body }: FastifyRequest): Readonly<Record<string, unknown>> {
  return (method === 'GET' ? query : body) as Readonly<Record<string, unknown>>;
}

/** Before anything is made of the body. */
function requireSound({ method, body, headers }: FastifyRequest): void {
  const isJson = /^application\/(?:[\w.+-]+\+)?json\b/i.test(headers['content-type'] ?? '');
  // a form of another site could send everything else
  if (method === 'POST' && !isJson) {
    throw new LakeError('request.media_type', 'invalid', 'Send the operation as application/json.');
  }
  if (nestsDeeper(body, MAX_NESTING)) {
    throw new LakeError('query.too_deep', 'invalid', `Variables nest at most ${MAX_NESTING} deep.`);
  }
}

function toApollo(request: FastifyRequest) {
  const { method, body, headers, url } = request;
  const map = new HeaderMap();
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) map.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  const search = url.includes('?') ? url.slice(url.indexOf('?')) : '';
  return { method, headers: map, body, search };
}

function nestsDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((part) => nestsDeeper(part, levels - 1));
}
