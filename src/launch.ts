import { callCommand } from './call.js';
import { parentGone } from './launcher/parent.js';
import type { Parts } from './launcher/shop.js';
import { withProcess } from './process-end.js';
import { startShop } from './start-shop.js';

/** The whole of `npm start`, with the given parts. */
export function launch(parts: Parts): Promise<void> {
  return withProcess((interrupted) =>
    callCommand(AbortSignal.any([interrupted, parentGone()]), {}, (call) => startShop(call, parts)),
  );
}
