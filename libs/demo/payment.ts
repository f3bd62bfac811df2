import { assertNever } from '#errors';
import { timeText } from './calendar.js';
import type { Fates, PlacedOrder } from './order.js';
import { Dice, hash } from './random.js';
import type { Shop } from './shop.js';
import { stream } from './stream.js';
import { money, orderId, transactionId } from './text.js';

/** How many payments each story takes; together exactly the data set's number. */
export interface PaymentPlan {
  readonly underpaid: number;
  readonly doubleCaptured: number;
  readonly retried: number;
  readonly cancelledUnpaid: number;
  readonly cancelledPaid: number;
  readonly returnedUnrefunded: number;
  readonly orphans: number;
  readonly burst: number;
}

const OUTAGE_RETRIES = 0.85;
const BURST_ATTEMPTS_PER_CART = 24;
/** About where a payment of this shop becomes a statistical outlier. */
const LARGE_CENTS = 120_000;
const BURST_SECOND = 2 * 3600 + 600;

const GOLDEN = 0.6180339887498949;

/** `retried` is an upper bound of ordinary retries: those on the outage day have their own rule. */
export function planPayments(shop: Shop, fates: Fates): PaymentPlan {
  const { orders, payments } = shop.counts;
  const { calendar } = shop;
  const cancelledUnpaid = Math.round(fates.cancelled * 0.5);
  const doubleCaptured = Math.round(orders * 0.006);
  const orphans = Math.round(orders * 0.004);
  const retried = Math.round(orders * 0.0305);
  let outageChange = 0;
  const outage = calendar.planted.outage;
  for (
    let order = calendar.orderStart[outage] as number;
    order < (calendar.orderStart[outage + 1] as number);
    order++
  ) {
    if (fates.of(order) !== 'kept') continue;
    if (inRetryRange(fates.rank(order), { doubleCaptured, underpaid: doubleCaptured, retried })) outageChange--;
    if (retriesInOutage(shop, order)) outageChange++;
  }
  const attempts = orders - fates.unsettled - cancelledUnpaid + doubleCaptured + orphans + retried + outageChange;
  return {
    underpaid: doubleCaptured,
    doubleCaptured,
    retried,
    cancelledUnpaid,
    cancelledPaid: Math.round(fates.cancelled * 0.1),
    returnedUnrefunded: Math.round(fates.returned * 0.2),
    orphans,
    burst: payments - attempts,
  };
}

export const SUCCESS = ['captured', 'succeeded', 'SUCCESS', 'completed', 'approved'];
export const FAILED = ['failed', 'declined', 'denied', 'rejected', 'FAILURE'];
export const PENDING = ['pending', 'processing', 'initiated'];
export const REFUNDED = ['refunded', 'reversed', 'Refunded'];
export const CARDS = ['visa', 'mastercard', 'amex', 'Visa '];

/** Makes the payments of each order as it is placed, and those that belong to no order at their place in time. */
export class PaymentDesk {
  private readonly dice: Dice;
  private written = 0;
  private orphansLeft: number;
  /** Large payments so far: their fraud signals are dealt in turn, so that few of them still show the right share. */
  private large = 0;
  private burstDone = false;

  constructor(
    private readonly shop: Shop,
    private readonly fates: Fates,
    private readonly plan: PaymentPlan,
  ) {
    this.dice = new Dice(shop.seed, stream.payment);
    this.orphansLeft = plan.orphans;
  }

  /** Payments that this order and its moment bring, one text each. */
  *of(order: PlacedOrder): Iterable<string> {
    const { plan, shop, dice } = this;
    const { index, dueCents } = order;
    dice.throwFor(index);
    yield* this.testedCards(order);
    const spacing = Math.floor(shop.counts.orders / plan.orphans);
    if (this.orphansLeft > 0 && index % spacing === spacing - 1) {
      this.orphansLeft--;
      const lost = shop.counts.orders + (hash(shop.seed, stream.orphan, index) % 900_000);
      yield this.text(order, lost, 2000 + dice.below(20_000), SUCCESS, 60);
    }
    const rank = this.fates.rank(index);
    switch (order.fate) {
      case 'unsettled':
        return;
      case 'cancelled':
        if (rank < plan.cancelledPaid) yield this.text(order, index, dueCents, SUCCESS, 90);
        else if (rank >= plan.cancelledUnpaid + plan.cancelledPaid) yield this.text(order, index, dueCents, FAILED, 90);
        return;
      case 'returned':
        yield this.text(order, index, dueCents, rank < plan.returnedUnrefunded ? SUCCESS : REFUNDED, 90);
        return;
      case 'kept':
        yield* this.kept(order, rank);
        return;
      default:
        assertNever(order.fate);
    }
  }

  private *kept(order: PlacedOrder, rank: number): Iterable<string> {
    const { plan, shop } = this;
    const { index, dueCents } = order;
    const outage = order.day === shop.calendar.planted.outage;
    const retries = outage ? retriesInOutage(shop, index) : inRetryRange(rank, plan);
    if (retries) yield this.text(order, index, dueCents, FAILED, 30);
    if (rank < plan.underpaid) {
      yield this.text(order, index, Math.round(dueCents * (0.6 + this.dice.next() * 0.3)), SUCCESS, 90);
    } else if (rank < plan.underpaid + plan.doubleCaptured) {
      yield this.text(order, index, dueCents, SUCCESS, 90);
      yield this.text(order, index, dueCents, SUCCESS, 95);
    } else {
      yield this.text(order, index, dueCents, order.status === 'PENDING' ? PENDING : SUCCESS, 90);
    }
  }

  /** Somebody tries stolen cards on carts that stand there, for some cents each, in the night. */
  private *testedCards(order: PlacedOrder): Iterable<string> {
    const { shop, plan, dice } = this;
    const day = shop.calendar.planted.cardTesting;
    if (order.day < day || this.burstDone) return;
    this.burstDone = true;
    let cart = order.index;
    for (let attempt = 0; attempt < plan.burst; attempt++) {
      if (attempt % BURST_ATTEMPTS_PER_CART === 0)
        do cart--;
        while (this.fates.of(cart) !== 'kept');
      const second = BURST_SECOND + Math.floor((attempt / plan.burst) * 3000);
      yield paymentJson(this.written++, {
        order: orderId(cart),
        method: 'credit_card',
        card: dice.pick(CARDS),
        cents: 100 + dice.below(400),
        status: dice.pick(FAILED),
        code: '05',
        international: true,
        at: timeText(shop.calendar, day, second, 'T'),
        risk: 85 + dice.below(15),
        ip: `203.0.113.${dice.below(8)}`,
        device: `bot-${dice.below(3)}`,
      });
    }
  }

  private text(
    order: PlacedOrder,
    paidOrder: number,
    cents: number,
    statuses: readonly string[],
    delay: number,
  ): string {
    const { shop, dice } = this;
    const large = cents > LARGE_CENTS;
    const failed = statuses === FAILED;
    const suspicion = large ? (this.large++ * GOLDEN) % 1 : 1;
    const enormous = cents > 200_000;
    const risky = suspicion < (enormous ? 0.3 : 0.95) || dice.next() < 0.012;
    return paymentJson(this.written++, {
      order: orderId(paidOrder),
      method: dice.next() < 0.06 ? order.method.toUpperCase() : order.method,
      card: order.method.endsWith('card') ? dice.pick(CARDS) : null,
      cents,
      status: dice.pick(statuses),
      code: failed ? dice.pick(['05', '51', '54', '91']) : '00',
      international: (suspicion < 0.33 && !enormous) || dice.next() < 0.03,
      at: timeText(shop.calendar, order.day, order.second + delay, 'T'),
      risk: risky ? 70 + dice.below(28) : Math.floor(dice.next() * dice.next() * 69),
      ...whereabouts(shop, order.buyer),
    });
  }
}

/** Where a customer always pays from. */
export function whereabouts(shop: Shop, buyer: number): { readonly ip: string; readonly device: string } {
  return {
    ip: address(hash(shop.seed, stream.payment, buyer)),
    device: `fp-${hash(shop.seed, stream.customer, buyer).toString(16).padStart(8, '0')}`,
  };
}

export function paymentJson(number: number, payment: Payment): string {
  const card = payment.card === null ? 'null' : `"${payment.card}"`;
  const currency = number % 40 === 7 ? 'usd' : 'USD';
  return (
    `{"transaction_id":"${transactionId(number)}","order_id":"${payment.order}",` +
    `"payment_method":"${payment.method}","card_type":${card},"amount":${money(payment.cents)},` +
    `"currency":"${currency}","status":"${payment.status}","gateway_response_code":"${payment.code}",` +
    `"is_international":${payment.international},"transaction_timestamp":"${payment.at}",` +
    `"risk_score":${payment.risk},"ip_address":"${payment.ip}","device_fingerprint":"${payment.device}"}\n`
  );
}

interface Payment {
  readonly order: string;
  readonly method: string;
  readonly card: string | null;
  readonly cents: number;
  readonly status: string;
  readonly code: string;
  readonly international: boolean;
  readonly at: string;
  readonly risk: number;
  readonly ip: string;
  readonly device: string;
}

/** A private address, so that no real host is named. */
export function address(word: number): string {
  return `10.${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}`;
}

function retriesInOutage(shop: Shop, order: number): boolean {
  return hash(shop.seed, stream.outage, order) / 4294967296 < OUTAGE_RETRIES;
}

function inRetryRange(rank: number, plan: Pick<PaymentPlan, 'underpaid' | 'doubleCaptured' | 'retried'>): boolean {
  const from = plan.underpaid + plan.doubleCaptured;
  return rank >= from && rank < from + plan.retried;
}
