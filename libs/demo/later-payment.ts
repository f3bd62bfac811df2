import { timeText } from './calendar.js';
import { orderNumber, type LaterOrder } from './later.js';
import type { PlacedOrder } from './order.js';
import { CARDS, FAILED, paymentJson, PENDING, REFUNDED, SUCCESS, whereabouts } from './payment.js';
import { Dice } from './random.js';
import type { Shop } from './shop.js';
import { stream } from './stream.js';
import { orderId } from './text.js';

/** The one payment of a later order, as the gateway tells of it on a day. */
export function laterPayment(shop: Shop, order: LaterOrder, placed: PlacedOrder, seenOn: number): string {
  const dice = new Dice(shop.seed, stream.payment).throwFor(order.index);
  const failed = placed.status === 'CANCELLED';
  const waits = seenOn === order.landsOn && !order.late;
  const statuses = failed ? FAILED : placed.status === 'RETURNED' ? REFUNDED : waits ? PENDING : SUCCESS;
  return paymentJson(shop.counts.payments + order.index - shop.counts.orders, {
    order: orderId(orderNumber(order.index)),
    method: placed.method,
    card: placed.method.endsWith('card') ? dice.pick(CARDS) : null,
    cents: placed.dueCents,
    international: dice.next() < 0.03,
    risk: dice.next() < 0.03 ? 70 + dice.below(28) : Math.floor(dice.next() * dice.next() * 69),
    at: timeText(shop.calendar, placed.day, placed.second + 90, 'T'),
    ...whereabouts(shop, placed.buyer),
    status: dice.pick(statuses),
    code: failed ? '51' : '00',
  });
}
