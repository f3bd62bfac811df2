const EXAMPLE = `# Ctrl-Space completes, Ctrl-Enter asks; the book on the left has every table and column.
{
  factSalesAggregate(groupBy: [product_category], orderBy: [{ column: sum_netLineTotal, direction: DESC }]) {
    keys { product_category }
    count
    sum { netLineTotal }
  }
}
`;

let page: Promise<Buffer> | undefined;

/**
 * GraphiQL, where a browser asks questions. This build has all of its script in the page: it works without a network, and
 * no CDN learns who asks. Nine megabytes, so they are loaded when somebody first looks.
 */
export function graphiqlPage(endpoint: string): Promise<Buffer> {
  page ??= import('@graphql-yoga/render-graphiql').then(({ renderGraphiQL }) =>
    Buffer.from(renderGraphiQL({ endpoint, title: 'ShopSmart GraphQL', defaultQuery: EXAMPLE })),
  );
  return page;
}
