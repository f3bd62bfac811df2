import { extendCalendar, secondOfOrder } from './calendar.js';
import { composeOrder, statusOf, type Fate, type PlacedOrder } from './order.js';
import type { ProductShelf } from './product.js';
import { Dice, hash } from './random.js';
import type { Shop } from './shop.js';
import { stream } from './stream.js';

/** One late, one broken and two ordinary ones. */
const LEAST_ORDERS = 4;
const LATE_SHARE = 0.06;
const BROKEN_SHARE = 0.02;
const SPOILED_SHARE = 0.01;
const CANCELLED_SHARE = 0.06;
const RETURNED_SHARE = 0.045;
/** By then an order that stays is delivered, and one that comes back has come. */
const RETURNED_AFTER_DAYS = 12;
/** Ages at which an order takes its next status. */
export const CHANGE_AGES = [1, 2, 4, 8, RETURNED_AFTER_DAYS] as const;
/** Payments of the first load name orders that nobody knows: no later order may turn out to be one of them. */
const UNKNOWN_ORDERS = 900_000;
const MOST_LINES = 4;

/** The shop with the days that follow its first load: what happened before does not change. */
export function withLaterDays(shop: Shop, days: number): Shop {
  return { ...shop, calendar: extendCalendar(shop.calendar, days, LEAST_ORDERS, shop.seed) };
}

export function newCustomersADay(shop: Shop): number {
  return Math.max(1, Math.round(shop.counts.customers / 1000));
}

/** The first customer who came on a later day; the next ones follow. */
export function firstNewCustomer(shop: Shop, day: number): number {
  return shop.counts.customers + (day - shop.calendar.firstLoadDays) * newCustomersADay(shop);
}

export function dayOfLaterCustomer(shop: Shop, customer: number): number {
  return shop.calendar.firstLoadDays + Math.floor((customer - shop.counts.customers) / newCustomersADay(shop));
}

/** Who orders is mostly somebody who did before, as often as he did. */
export function laterBuyer(shop: Shop, day: number, order: number): number {
  const drawn = hash(shop.seed, stream.buyer, order);
  if (drawn % 8 === 0) return firstNewCustomer(shop, day) + ((drawn >>> 3) % newCustomersADay(shop));
  return shop.buyer[(drawn >>> 3) % shop.counts.orders] as number;
}

export interface LaterOrder {
  /** Counted on from the first load's orders. */
  readonly index: number;
  /** The day on which it is first told of. */
  readonly landsOn: number;
  readonly day: number;
  readonly second: number;
  readonly fate: Fate;
  /** Placed long before it lands, and settled by then. */
  readonly late: boolean;
  /** Lands without a status, and has it a day later. */
  readonly broken: boolean;
  /** Its payment and its first line land with values that are refused, and come right a day later. */
  readonly spoiled: boolean;
}

/** The orders that land on a later day, one after another. */
export function* ordersLandingOn(shop: Shop, landsOn: number): Iterable<LaterOrder> {
  const { calendar, seed } = shop;
  const start = calendar.orderStart[landsOn] as number;
  const count = (calendar.orderStart[landsOn + 1] as number) - start;
  const some = (share: number) => Math.max(1, Math.round(count * share));
  for (let n = 0; n < count; n++) {
    const index = start + n;
    const drawn = hash(seed, stream.laterOrder, index);
    const late = n < some(LATE_SHARE);
    const day = late ? landsOn - RETURNED_AFTER_DAYS - 1 - (drawn % 40) : landsOn;
    const second = late ? 8 * 3600 + (drawn % 50_000) : secondOfOrder(calendar, day, index, seed);
    const share = hash(seed, stream.orderState, index) / 4294967296;
    const fate = share < CANCELLED_SHARE ? 'cancelled' : share < CANCELLED_SHARE + RETURNED_SHARE ? 'returned' : 'kept';
    const broken = !late && n < some(LATE_SHARE) + some(BROKEN_SHARE);
    yield { index, landsOn, day, second, fate, late, broken, spoiled: n >= count - some(SPOILED_SHARE) };
  }
}

/** Whether an order that landed before has something new to say on a day. */
export function changesOn(order: LaterOrder, day: number): boolean {
  if (order.late) return false;
  const age = day - order.landsOn;
  if (age === 1) return order.broken || order.fate === 'cancelled';
  if (age === RETURNED_AFTER_DAYS) return order.fate === 'returned';
  return order.fate !== 'cancelled' && (CHANGE_AGES as readonly number[]).includes(age);
}

export const orderNumber = (index: number): number => index + UNKNOWN_ORDERS;

/** Makes later orders as they are told of on a day. */
export class LaterOrderBook {
  private readonly dice: Dice;

  constructor(
    private readonly shop: Shop,
    private readonly shelf: ProductShelf,
  ) {
    this.dice = new Dice(shop.seed, stream.order);
  }

  place(order: LaterOrder, seenOn: number, into: PlacedOrder): void {
    const { counts, seed } = this.shop;
    const { index, day, second, fate } = order;
    const lands = seenOn === order.landsOn;
    const plan = {
      index,
      number: orderNumber(index),
      firstItem: counts.items + (index - counts.orders) * MOST_LINES,
      size: 1 + (hash(seed, stream.orderSize, index) % MOST_LINES),
      day,
      second,
      fate,
      status: lands && order.broken ? '' : laterStatus(fate, seenOn - day),
      buyer: laterBuyer(this.shop, order.landsOn, index),
      seenOn,
    };
    composeOrder(this.shop, this.shelf, this.dice, lands ? plan : { ...plan, changedOn: seenOn }, into);
  }
}

function laterStatus(fate: Fate, age: number): string {
  const waits = fate === 'cancelled' ? age < 1 : age < RETURNED_AFTER_DAYS;
  return statusOf(waits ? 'kept' : fate, age);
}
