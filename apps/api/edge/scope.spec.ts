import { fastify } from 'fastify';
import { guardScopes } from './scope.js';

describe('scopes', () => {
  it('keep an app from starting that has a route without one, whoever registered it', async () => {
    const app = fastify();
    guardScopes(app);
    app.get('/open', { config: { scope: 'public' } }, () => 'open');
    await app.register(async (plugin) => {
      plugin.get('/forgotten/:thing', () => 'anybody');
      await Promise.resolve();
    });
    await expect(app.ready()).rejects.toThrow('/forgotten/:thing');
  });
});
