import { secondOfOrder } from './calendar.js';
import type { ProductShelf } from './product.js';
import { Dice } from './random.js';
import { SHORTEST, visitAt, visitEvents } from './session.js';
import type { Shop } from './shop.js';
import { stream } from './stream.js';

const ANONYMOUS = 0.19;
/** A visit of a later day is at most this much longer than the shortest of its kind. */
const SPARE_EVENTS = 5;
const MOST_EVENTS = SPARE_EVENTS + Math.max(...Object.values(SHORTEST));

/** The events of a later day, visit after visit; each visit is that of the buyer of one of its orders. */
export function* laterVisits(
  shop: Shop,
  shelf: ProductShelf,
  day: number,
  buyerOf: (order: number) => number,
): Iterable<string> {
  const { calendar, counts, seed } = shop;
  const visits = Math.max(4, Math.round((counts.sessions / calendar.firstLoadDays) * 1.4));
  const start = calendar.orderStart[day] as number;
  const orders = (calendar.orderStart[day + 1] as number) - start;
  const before = (day - calendar.firstLoadDays) * visits;
  const dice = new Dice(seed, stream.laterSession);
  for (let n = 0; n < visits; n++) {
    const session = counts.sessions + before + n;
    dice.throwFor(session);
    const visit = visitAt(dice.next(), dice.next() < ANONYMOUS);
    const order = start + Math.floor((n / visits) * orders);
    yield* visitEvents(shop, shelf, dice, {
      session,
      firstEvent: counts.events + (before + n) * MOST_EVENTS,
      length: SHORTEST[visit.stage] + (visit.stage === 'bounce' ? 0 : dice.below(SPARE_EVENTS + 1)),
      visit,
      day,
      second: secondOfOrder(calendar, day, order, seed),
      buyer: buyerOf(order),
    });
  }
}
