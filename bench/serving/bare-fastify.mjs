// The least that the framework does: sends BYTES bytes of JSON to whoever asks for anything.
import { fastify } from 'fastify';

const app = fastify();
const body = JSON.stringify({ data: 'x'.repeat(Number(process.env.BYTES) - 11) });
const send = (_request, reply) => reply.type('application/json').send(body);
app.get('/*', send);
app.post('/*', send);
process.once('disconnect', () => process.exit(0));
process.send({ kind: 'ready', url: await app.listen({ port: 0, host: '127.0.0.1' }) });
