import { startPostgres } from '#platform';
import type { ShopLog } from './shop-log.js';
import type { RunningPostgres } from './shop.js';

export async function embeddedPostgres(dataDir: string, log: ShopLog): Promise<RunningPostgres> {
  const server = await startPostgres({ dataDir, log: log.logOf('postgres') });
  return {
    url: server.url,
    exited: server.exited.then(() => 'its process is gone'),
    stop: () => server.stop(),
  };
}
