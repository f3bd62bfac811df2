import { createServer } from 'node:http';
import { behave } from './behave.mjs';

behave('api');
const run = {
  run_id: 'r1',
  origin: 'queue',
  state: 'check_failed',
  stages: [],
  release: null,
  report: null,
  error: null,
};
const answers = {
  'GET /health/live': () => ({ pid: process.pid, database: process.env.DATABASE_URL ?? null }),
  'GET /v1/admin/runs': () => ({ data: [] }),
  'POST /v1/admin/runs': () => ({ data: run }),
  'GET /v1/admin/runs/r1': () => ({ data: run }),
};
createServer((request, response) => {
  const answer = answers[`${request.method} ${request.url.split('?')[0]}`];
  response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(answer?.() ?? {}));
}).listen(Number(process.env.PORT), '127.0.0.1', () =>
  process.send({ kind: 'ready', url: `http://127.0.0.1:${process.env.PORT}` }),
);
