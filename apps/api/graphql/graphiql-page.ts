const EXAMPLE = `{
  factSalesAggregate(groupBy: [product_category], orderBy: [{ column: sum_netLineTotal, direction: DESC }]) {
    keys { product_category }
    count
    sum { netLineTotal }
  }
}`;

/**
 * Where a browser asks questions. GraphiQL as packages ship it loads its script from a CDN, which this page must not:
 * it works without a network, and nobody else learns who asks.
 */
export function graphiqlPage(): string {
  return PAGE;
}

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>ShopSmart GraphQL</title>
<style>
  body { margin: 0; height: 100vh; display: grid; grid-template: auto 3fr 1fr / 1fr 1fr; gap: 8px; padding: 8px; box-sizing: border-box; font: 14px system-ui, sans-serif; }
  header { grid-column: 1 / 3; display: flex; gap: 16px; align-items: baseline; }
  h1 { font-size: 16px; margin: 0; }
  textarea, pre { font: 13px ui-monospace, monospace; margin: 0; padding: 8px; border: 1px solid #bbb; border-radius: 4px; resize: none; }
  pre { grid-column: 2; grid-row: 2 / 4; overflow: auto; background: #f7f7f7; }
</style>
<header>
  <h1>GraphQL</h1>
  <button id="run" title="Ctrl-Enter">Run</button>
  <a href="graphql/schema.graphql">schema.graphql</a>
  <span id="status" role="status"></span>
</header>
<textarea id="query" aria-label="Query" spellcheck="false">${EXAMPLE}</textarea>
<pre id="answer" aria-label="Answer" tabindex="0"></pre>
<textarea id="variables" aria-label="Variables" spellcheck="false">{}</textarea>
<script>
  const at = (id) => document.getElementById(id);
  async function run() {
    at('status').textContent = 'asking …';
    try {
      const body = JSON.stringify({ query: at('query').value, variables: JSON.parse(at('variables').value || '{}') });
      const reply = await fetch(location.pathname, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      at('answer').textContent = JSON.stringify(await reply.json(), null, 2);
      at('status').textContent = reply.status + ', release ' + (reply.headers.get('x-release') ?? '–');
    } catch (error) {
      at('status').textContent = String(error);
    }
  }
  at('run').onclick = run;
  document.onkeydown = (event) => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) run(); };
  const asked = new URLSearchParams(location.hash.slice(1)).get('query');
  if (asked) at('query').value = asked;
</script>
</html>
`;
