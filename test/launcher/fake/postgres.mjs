import { createServer } from 'node:http';
import { behave } from './behave.mjs';

behave('postgres');
const server = createServer().listen(0, '127.0.0.1', () =>
  process.send({ kind: 'ready', url: `postgres://127.0.0.1:${server.address().port}/fake` }),
);
