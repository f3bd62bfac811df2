let page: Promise<Buffer> | undefined;

/**
 * GraphiQL, where a browser asks questions. This build has all of its script in the page: it works without a network, and
 * no CDN learns who asks. Nine megabytes, so they are loaded when somebody first looks.
 */
export function graphiqlPage(endpoint: string): Promise<Buffer> {
  page ??= import('@graphql-yoga/render-graphiql').then(({ renderGraphiQL }) =>
    Buffer.from(renderGraphiQL({ endpoint, title: 'ShopSmart GraphQL' })),
  );
  return page;
}
