import { callCommand } from './call.js';
import { withProcess } from './process-end.js';
import { startShop } from './start-shop.js';

await withProcess((signal) => callCommand(signal, {}, startShop));
