import { dayOfOrder, secondOfOrder, timeText, within } from './calendar.js';
import { Dice, permutation, unevenShare } from './random.js';
import { RETURNED_CATEGORY, type ProductShelf } from './product.js';
import type { Shop } from './shop.js';
import { stream } from './stream.js';
import { customerId, itemId, money, orderId, productId } from './text.js';

export const ORDER_COLUMNS =
  'order_id,customer_id,order_date,order_status,total_amount,discount_amount,shipping_amount,payment_method,channel,shipping_address_id,created_at,updated_at';
export const ITEM_COLUMNS = 'item_id,order_id,product_id,quantity,unit_price,discount_percent,item_status,created_at';

export type Fate = 'unsettled' | 'cancelled' | 'returned' | 'kept';

const CANCELLED_SHARE = 0.06;
const RETURNED_SHARE = 0.045;
const METHODS = ['credit_card', 'debit_card', 'paypal', 'apple_pay', 'bank_transfer'] as const;

/** What became of each order: exact counts of every fate, spread at random over time. */
export class Fates {
  private readonly place: (order: number) => number;
  readonly unsettled: number;
  readonly cancelled: number;
  readonly returned: number;

  constructor(shop: Shop) {
    const { orders, ordersWithoutStatus } = shop.counts;
    this.place = permutation(orders, shop.seed, stream.orderState);
    this.unsettled = ordersWithoutStatus;
    this.cancelled = Math.round((orders - ordersWithoutStatus) * CANCELLED_SHARE);
    this.returned = Math.round((orders - ordersWithoutStatus) * RETURNED_SHARE);
  }

  of(order: number): Fate {
    const place = this.place(order);
    if (place < this.unsettled) return 'unsettled';
    if (place < this.unsettled + this.cancelled) return 'cancelled';
    return place < this.unsettled + this.cancelled + this.returned ? 'returned' : 'kept';
  }

  /** The order's number among those of its fate: `rank < m` chooses exactly m of them. */
  rank(order: number): number {
    const place = this.place(order);
    if (place < this.unsettled) return place;
    if (place < this.unsettled + this.cancelled) return place - this.unsettled;
    const after = place - this.unsettled - this.cancelled;
    return after < this.returned ? after : after - this.returned;
  }
}

/** The order that `OrderBook.next` made last: its two texts and what a payment needs to know. */
export interface PlacedOrder {
  index: number;
  day: number;
  second: number;
  fate: Fate;
  status: string;
  buyer: number;
  dueCents: number;
  method: string;
  line: string;
  itemLines: string;
  items: number;
}

/** What is known of an order before its lines are drawn. Days are indexes into the calendar. */
interface OrderPlan {
  /** What the dice are thrown for. */
  readonly index: number;
  /** The number in its id. */
  readonly number: number;
  readonly firstItem: number;
  readonly size: number;
  readonly day: number;
  readonly second: number;
  readonly fate: Fate;
  readonly status: string;
  readonly buyer: number;
  /** The day on which the shop has this to say of the order. */
  readonly seenOn: number;
  /** The day of its last change; drawn from those since it was placed where nobody knows. */
  readonly changedOn?: number;
}

/** The first load's orders, one after another, by time. Sizes depend on how many orders came before, so there is no other way in. */
export class OrderBook {
  private readonly dice: Dice;
  private settled = 0;
  private unsettled = 0;
  private item = 0;
  /** The order that `place` makes next. */
  next = 0;

  constructor(
    private readonly shop: Shop,
    private readonly fates: Fates,
    private readonly shelf: ProductShelf,
  ) {
    this.dice = new Dice(shop.seed, stream.order);
  }

  /** The next order as the first load has it, or as it has become on a later day: by then, each has a status. */
  place(into: PlacedOrder, laterDay?: number): void {
    const { shop } = this;
    const { calendar } = shop;
    const index = this.next++;
    const day = dayOfOrder(calendar, index);
    const fate = this.fates.of(index);
    const size = this.sizeOf(fate);
    const seenOn = laterDay ?? calendar.firstLoadDays - 1;
    const plan = {
      index,
      number: index,
      firstItem: this.item,
      size,
      day,
      second: secondOfOrder(calendar, day, index, shop.seed),
      fate,
      status: statusOf(laterDay !== undefined && fate === 'unsettled' ? 'kept' : fate, seenOn - day),
      buyer: shop.buyer[index] as number,
      seenOn,
    };
    this.item += size;
    composeOrder(shop, this.shelf, this.dice, laterDay === undefined ? plan : { ...plan, changedOn: laterDay }, into);
  }

  /** Passes over the next order. */
  skip(): void {
    this.item += this.sizeOf(this.fates.of(this.next++));
  }

  private sizeOf(fate: Fate): number {
    const { seed, counts } = this.shop;
    const unsettled = counts.ordersWithoutStatus;
    if (fate === 'unsettled')
      return (
        1 +
        unevenShare(this.unsettled++, unsettled, counts.itemsWithoutStatus - unsettled, seed, stream.orderSizeUnsettled)
      );
    const orders = counts.orders - unsettled;
    const items = counts.items - counts.itemsWithoutStatus;
    return 1 + unevenShare(this.settled++, orders, items - orders, seed, stream.orderSize);
  }
}

export function composeOrder(shop: Shop, shelf: ProductShelf, dice: Dice, plan: OrderPlan, into: PlacedOrder): void {
  const { calendar } = shop;
  const { index, size, day, second, fate, status, buyer } = plan;
  dice.throwFor(index);
  const id = orderId(plan.number);
  const placedAt = timeText(calendar, day, second, ' ');
  const promoted = within(day, calendar.planted.promotion);

  let grossCents = 0;
  let netCents = 0;
  let itemLines = '';
  for (let n = 0; n < size; n++) {
    const product = shelf.draw(dice, day);
    const price = shelf.price(product, day);
    const drawn = dice.next();
    const quantity = drawn < 0.76 ? 1 : drawn < 0.93 ? 2 : 3;
    const percent = discountOf(promoted, dice.next());
    grossCents += price * quantity;
    netCents += Math.round((price * quantity * (100 - percent)) / 100);
    const returns = shelf.category(product) === RETURNED_CATEGORY && day >= calendar.planted.returnsFrom ? 0.34 : 0.02;
    const itemStatus = itemStatusOf(status, dice.next() < returns);
    itemLines += `${itemId(plan.firstItem + n)},${id},${productId(product)},${quantity},${money(price)},${percent},${itemStatus},${placedAt}\n`;
  }
  const drawn = dice.next();
  const shippingCents = netCents > 15_000 ? 0 : drawn < 0.6 ? 499 : drawn < 0.9 ? 799 : 1299;
  const method = methodOf(dice.next());
  const channel = channelOf(dice.next(), Math.min(day / calendar.firstLoadDays, 1));
  const settledDays = Math.min(plan.seenOn - day, 1 + dice.below(9));
  const changedOn = plan.changedOn ?? day + settledDays;
  const discount = grossCents === netCents && dice.next() < 0.5 ? '' : money(grossCents - netCents);

  into.index = index;
  into.day = day;
  into.second = second;
  into.fate = fate;
  into.status = status;
  into.buyer = buyer;
  into.dueCents = netCents + shippingCents;
  into.method = method;
  into.items = size;
  into.itemLines = itemLines;
  into.line = `${id},${customerId(buyer)},${placedAt},${casual(status, dice.next())},${money(grossCents)},${discount},${money(shippingCents)},${casual(method, dice.next())},${channel},ADDR-${customerId(buyer).slice(5)},${placedAt},${timeText(calendar, changedOn, second, ' ')}\n`;
}

export function noOrder(): PlacedOrder {
  return {
    index: 0,
    day: 0,
    second: 0,
    fate: 'kept',
    status: '',
    buyer: 0,
    dueCents: 0,
    method: '',
    line: '',
    itemLines: '',
    items: 0,
  };
}

export function statusOf(fate: Fate, age: number): string {
  if (fate === 'unsettled') return '';
  if (fate === 'cancelled') return 'CANCELLED';
  if (fate === 'returned') return 'RETURNED';
  if (age < 2) return 'PENDING';
  if (age < 4) return 'PROCESSING';
  return age < 8 ? 'SHIPPED' : 'DELIVERED';
}

function itemStatusOf(status: string, comesBack: boolean): string {
  if (status === 'CANCELLED') return 'cancelled';
  if (status === 'RETURNED') return 'returned';
  if (status === 'DELIVERED') return comesBack ? 'returned' : 'fulfilled';
  return 'open';
}

function discountOf(promoted: boolean, share: number): number {
  if (promoted) return share < 0.85 ? 30 : 15;
  if (share < 0.8) return 0;
  return share < 0.9 ? 5 : share < 0.97 ? 10 : 15;
}

function methodOf(share: number): string {
  const at = share < 0.46 ? 0 : share < 0.68 ? 1 : share < 0.86 ? 2 : share < 0.95 ? 3 : 4;
  return METHODS[at];
}

/** Web gives way to the app over the two years; the marketplace keeps its share. */
function channelOf(share: number, elapsed: number): string {
  if (share < 0.12) return 'marketplace';
  return share < 0.12 + 0.64 - 0.36 * elapsed ? 'web' : 'app';
}

/** Source systems agree on words, not on case. */
function casual(word: string, share: number): string {
  if (share < 0.05) return ` ${word} `;
  if (share >= 0.15) return word;
  return share < 0.1 ? word.toLowerCase() : word.slice(0, 1).toUpperCase() + word.slice(1).toLowerCase();
}
