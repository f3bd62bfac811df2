import { planCalendar, dayOfOrder, within, type Calendar } from './calendar.js';
import { planCounts, type Counts } from './counts.js';
import { hash, permutation } from './random.js';
import { stream } from './stream.js';

/** Everything the records of one data set are made from. Grows with scale only by typed arrays, 8 bytes an order. */
export interface Shop {
  readonly seed: number;
  readonly asOf: number;
  readonly counts: Counts;
  readonly calendar: Calendar;
  /** The customer of each order. */
  readonly buyer: Uint32Array;
  /** The day of each customer's first order, −1 without one. */
  readonly firstOrderDay: Int32Array;
  readonly orderCount: Uint32Array;
}

const NEVER_ORDERED = 0.06;
const ORDERED_ONCE = 0.43;
/** Customers who were there before the first day. */
const EXISTING = 0.3;
const SINGLE_ORDER_IN_BAD_MONTH = 0.9;
/** A sort key holds a moment above and the customer below this, exactly, in one double. */
const CUSTOMER_ROOM = 2 ** 24;

export function planShop(scale: number, seed: number, asOf: number): Shop {
  const counts = planCounts(scale);
  const calendar = planCalendar(asOf, counts.orders, seed);
  const kind = new Uint8Array(counts.customers);
  const buyer = Uint32Array.from(purchases(counts, seed, kind).sort(), (key) => key % CUSTOMER_ROOM);
  const firstOrderDay = new Int32Array(counts.customers).fill(-1);
  const orderCount = new Uint32Array(counts.customers);
  for (let day = 0; day < calendar.days; day++) {
    for (let order = calendar.orderStart[day] as number; order < (calendar.orderStart[day + 1] as number); order++) {
      const drawn = buyer[order] as number;
      const first = firstOrderDay[drawn] as number;
      const leaves =
        first >= 0 && within(first, calendar.planted.badAcquisition) && share(seed, order) < SINGLE_ORDER_IN_BAD_MONTH;
      const taken = leaves ? anotherBuyer(order, buyer, kind, firstOrderDay, calendar, seed) : drawn;
      buyer[order] = taken;
      if ((firstOrderDay[taken] as number) < 0) firstOrderDay[taken] = day;
      orderCount[taken] = (orderCount[taken] as number) + 1;
    }
  }
  return { seed, asOf, counts, calendar, buyer, firstOrderDay, orderCount };
}

/** Customers in the order of their arrival: the share that came before customer `index`. */
export function isExisting(shop: Shop, index: number): boolean {
  return (index + 0.5) / shop.counts.customers < EXISTING;
}

/** The day a customer who never ordered came. */
export function arrivalDay(shop: Shop, index: number): number {
  return dayOfOrder(shop.calendar, Math.floor(arrival((index + 0.5) / shop.counts.customers) * shop.counts.orders));
}

const ONCE = 1;
const REPEATS = 2;
const LAPSES = 3;

/** Each customer's orders as keys that sort by time. Time here is only an order: the calendar gives the dates. */
function purchases({ orders, customers }: Counts, seed: number, kind: Uint8Array): Float64Array {
  const rank = permutation(customers, seed, stream.buyerRank);
  const never = Math.round(customers * NEVER_ORDERED);
  const once = Math.round((customers - never) * ORDERED_ONCE);
  const repeaters = customers - never - once;
  const spare = orders - once - 2 * repeaters;
  const loyalty = (customer: number) => (rank(customer) - never - once + 0.5) / repeaters;
  const appetite = (customer: number) => 1 / (loyalty(customer) + 0.05) - 0.95;
  let sum = 0;
  for (let customer = 0; customer < customers; customer++)
    if (rank(customer) >= never + once) sum += appetite(customer);

  const keys = new Float64Array(orders);
  let written = 0;
  let reached = 0;
  for (let customer = 0; customer < customers; customer++) {
    const at = rank(customer);
    if (at < never) continue;
    const arrived = (customer + 0.5) / customers;
    const start = arrival(arrived);
    const dice = hash(seed, stream.buyer, customer);
    let purchased = 1;
    let end = start;
    kind[customer] = ONCE;
    if (at >= never + once) {
      const before = Math.round((reached / sum) * spare);
      reached += appetite(customer);
      purchased = 2 + Math.round((reached / sum) * spare) - before;
      const lapses = arrived < EXISTING && loyalty(customer) < 0.12 && dice % 2 === 0;
      kind[customer] = lapses ? LAPSES : REPEATS;
      if (lapses) end = 0.5;
      else end = dice % 4 < 2 ? 1 : start + (1 - start) * (0.25 + (dice / 4294967296) * 0.75);
    }
    for (let n = 0; n < purchased; n++) {
      const spread = n === 0 ? 0 : hash(dice, stream.buyer, n) / 4294967296;
      keys[written++] = Math.floor((start + (end - start) * spread) * 2 ** 29) * CUSTOMER_ROOM + customer;
    }
  }
  return keys;
}

function arrival(arrived: number): number {
  return arrived < EXISTING ? (arrived / EXISTING) * 0.04 : 0.04 + ((arrived - EXISTING) / (1 - EXISTING)) * 0.95;
}

/** A faithful customer, found among the buyers of earlier orders. */
function anotherBuyer(
  order: number,
  buyer: Uint32Array,
  kind: Uint8Array,
  firstOrderDay: Int32Array,
  { planted }: Calendar,
  seed: number,
): number {
  for (let attempt = 0; attempt < 12; attempt++) {
    const found = buyer[hash(seed + attempt, stream.reassigned, order) % order] as number;
    if (kind[found] === REPEATS && !within(firstOrderDay[found] as number, planted.badAcquisition)) return found;
  }
  return buyer[order] as number;
}

const share = (seed: number, order: number) => hash(seed, stream.reassigned, order) / 4294967296;
