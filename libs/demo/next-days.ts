import { LakeError } from '#errors';
import { dayOfOrder } from './calendar.js';
import { CustomerBook } from './customer.js';
import { parseDay } from './day.js';
import { INVENTORY_COLUMNS, StockRoom } from './inventory.js';
import type { LandingFile } from './landing-file.js';
import {
  CHANGE_AGES,
  changesOn,
  firstNewCustomer,
  laterBuyer,
  LaterOrderBook,
  newCustomersADay,
  ordersLandingOn,
  withLaterDays,
  type LaterOrder,
} from './later.js';
import { laterPayment } from './later-payment.js';
import { laterVisits } from './later-visit.js';
import { Fates, ITEM_COLUMNS, noOrder, ORDER_COLUMNS, OrderBook } from './order.js';
import { ProductShelf } from './product.js';
import { planShop, type Shop } from './shop.js';
import { laterPath, MOST_LATER_DAYS, readShopState, writeShopState } from './shop-state.js';
import { toLakeError, Writing, type DemoFile } from './writing.js';

interface NextDaysOptions {
  /** The landing folder of a demo shop. */
  readonly outDir: string;
  readonly days?: number;
  /** Called after each day. */
  readonly onDay?: (date: string, written: number) => void;
  readonly signal?: AbortSignal;
}

export interface NextDays {
  /** The last day written. */
  readonly asOf: string;
  readonly files: readonly DemoFile[];
}

/**
 * Writes the days that follow what a demo shop already has. A day's bytes follow from the shop's options and the date
 * alone: a day that was cut short is written again, the same, and only a whole one counts.
 */
export async function writeNextDays({ outDir, days = 1, onDay, signal }: NextDaysOptions): Promise<NextDays> {
  const state = await readShopState(outDir);
  const first = planShop(state.scale, state.seed, parseDay(state.asOf));
  const laterDays = state.laterDays + days;
  if (!(days >= 1 && laterDays <= MOST_LATER_DAYS))
    throw new LakeError(
      'demo.bad_days',
      'invalid',
      `${days} more days are not between 1 and ${MOST_LATER_DAYS - state.laterDays}, what is left for this demo shop`,
    );
  // One more: what belongs to tomorrow's orders may land today.
  const shop = withLaterDays(first, laterDays + 1);
  const files: DemoFile[] = [];
  for (let later = state.laterDays + 1; later <= laterDays; later++) {
    const day = shop.calendar.firstLoadDays - 1 + later;
    files.push(...(await writeDay(shop, day, outDir, signal)));
    await writeShopState(outDir, { ...state, laterDays: later });
    onDay?.(dateOf(shop, day), later - state.laterDays);
  }
  return { asOf: dateOf(shop, shop.calendar.firstLoadDays - 1 + laterDays), files };
}

const dateOf = ({ calendar }: Shop, day: number) => calendar.dates[day] as string;

async function writeDay(
  shop: Shop,
  day: number,
  outDir: string,
  signal: AbortSignal | undefined,
): Promise<readonly DemoFile[]> {
  const writing = new Writing(outDir, signal, undefined);
  const shelf = new ProductShelf(shop);
  try {
    await writeProducts(shop, shelf, day, writing);
    await writeCustomers(shop, day, writing);
    await writeInventory(shop, day, writing);
    await new OrderDay(shop, shelf, day, writing).write();
    await writeEvents(shop, shelf, day, writing);
    await writing.publish();
    return writing.summary;
  } catch (error) {
    await writing.discard();
    throw toLakeError(error, outDir);
  }
}

/** Products with a new price; the one whose price moves tomorrow comes with none today, and is refused. */
async function writeProducts({ counts, calendar }: Shop, shelf: ProductShelf, day: number, writing: Writing) {
  const file = await writing.open(laterPath('products', calendar.dates[day] as string));
  const moves = (product: number, on: number) => shelf.priceChanges(product, on) > shelf.priceChanges(product, on - 1);
  let broken = false;
  for (let product = 0; product < counts.products; product++) {
    if (moves(product, day)) file.record(`${shelf.json(product, day)}\n`);
    if (!broken && moves(product, day + 1)) {
      broken = true;
      file.record(`${JSON.stringify({ ...shelf.record(product, day), price: 0 })}\n`);
    }
    if (file.full) await writing.drain(file);
  }
  await file.close();
}

/** Who moved, who rose, who is new; the first of the new ones is born in the future until tomorrow. */
async function writeCustomers(shop: Shop, day: number, writing: Writing): Promise<void> {
  const book = new CustomerBook(shop);
  const file = await writing.open(laterPath('customers', dateOf(shop, day)));
  for (let customer = 0; customer < shop.counts.customers; customer++) {
    const before = book.changes(customer, day - 1);
    const now = book.changes(customer, day);
    if (now.moves + now.rises > before.moves + before.rises) file.record(`${book.json(customer, day)}\n`);
    if (file.full) await writing.drain(file);
  }
  const first = firstNewCustomer(shop, day);
  file.record(`${JSON.stringify({ ...book.record(first, day), date_of_birth: '2199-01-01' })}\n`);
  for (let n = 1; n < newCustomersADay(shop); n++) file.record(`${book.json(first + n, day)}\n`);
  if (day > shop.calendar.firstLoadDays) file.record(`${book.json(firstNewCustomer(shop, day - 1), day)}\n`);
  await file.close();
}

/** The day's snapshot, and a row that does not say where. */
async function writeInventory(shop: Shop, day: number, writing: Writing): Promise<void> {
  const room = new StockRoom(shop);
  const file = await writing.open(laterPath('inventory', dateOf(shop, day)));
  file.frame(`${INVENTORY_COLUMNS}\n`);
  for (let index = 0; index < shop.counts.inventory; index++) {
    file.record(room.row(index, day));
    if (file.full) await writing.drain(file);
  }
  file.record(room.row(0, day).replace(/,WH-[A-Z]+,/, ',,'));
  await file.close();
}

/** The day's visits; its first event is delivered twice, and one does not say what it is. */
async function writeEvents(shop: Shop, shelf: ProductShelf, day: number, writing: Writing): Promise<void> {
  const file = await writing.open(laterPath('events', dateOf(shop, day)));
  let last = '';
  for (const event of laterVisits(shop, shelf, day, (order) => laterBuyer(shop, day, order))) {
    if (last === '') file.record(event);
    file.record(event);
    last = event;
    if (file.full) await writing.drain(file);
  }
  file.record(last.replace(/"event_id":"EVT/, '"event_id":"EVT-X').replace(/"event_type":"\w+"/, '"event_type":null'));
  await file.close();
}

/** Orders, items and payments of a day: what lands, and what has become of the orders before. */
class OrderDay {
  private readonly order = noOrder();
  private readonly book: LaterOrderBook;
  private orders!: LandingFile;
  private items!: LandingFile;
  private payments!: LandingFile;

  constructor(
    private readonly shop: Shop,
    private readonly shelf: ProductShelf,
    private readonly day: number,
    private readonly writing: Writing,
  ) {
    this.book = new LaterOrderBook(shop, shelf);
  }

  async write(): Promise<void> {
    const { shop, day, writing } = this;
    const { firstLoadDays } = shop.calendar;
    const date = dateOf(shop, day);
    this.orders = await writing.open(laterPath('orders', date));
    this.items = await writing.open(laterPath('items', date));
    this.payments = await writing.open(laterPath('payments', date));
    this.orders.frame(`${ORDER_COLUMNS}\n`);
    this.items.frame(`${ITEM_COLUMNS}\n`);
    await this.firstLoadOrders();
    for (const age of CHANGE_AGES)
      if (day - age >= firstLoadDays) for (const order of ordersLandingOn(shop, day - age)) await this.follow(order);
    for (const order of ordersLandingOn(shop, day)) await this.land(order);
    this.orders.malformedRecord(`${this.order.line.slice(0, 24)}\n`);
    for (const order of ordersLandingOn(shop, day + 1)) if (order.late) await this.itemsAhead(order);
    for (const file of [this.orders, this.items, this.payments]) await file.close();
  }

  /** Some orders without a status get theirs each day, until none is left; those under way go on. */
  private async firstLoadOrders(): Promise<void> {
    const { shop, day, order } = this;
    const { calendar, counts } = shop;
    const later = day - calendar.firstLoadDays;
    const repairs = Math.max(1, Math.round(counts.ordersWithoutStatus / 52));
    const repaired = later * repairs;
    const fates = new Fates(shop);
    const book = new OrderBook(shop, fates, this.shelf);
    let unsettled = 0;
    const isOver = () => later > 8 && unsettled >= Math.min(repaired + repairs, counts.ordersWithoutStatus);
    while (book.next < counts.orders && !isOver()) {
      const fate = fates.of(book.next);
      const age = day - dayOfOrder(calendar, book.next);
      if (fate === 'unsettled') unsettled++;
      const isRepaired = fate === 'unsettled' && unsettled > repaired && unsettled <= repaired + repairs;
      const isKept = fate === 'kept' || (fate === 'unsettled' && unsettled <= repaired);
      const goesOn = isKept && (age === 2 || age === 4 || age === 8);
      if (!isRepaired && !goesOn) {
        book.skip();
        continue;
      }
      book.place(order, day);
      this.orders.record(order.line);
      this.addItems(isFinal(order.status));
      await this.drain();
    }
  }

  private async land(order: LaterOrder): Promise<void> {
    const { day, shop, order: placed } = this;
    this.book.place(order, day, placed);
    this.orders.record(placed.line);
    // The lines of a late order came yesterday, before it; on the first day there was none.
    this.addItems(!order.late || day === shop.calendar.firstLoadDays, order.spoiled);
    const payment = laterPayment(shop, order, placed, day);
    this.payments.record(order.spoiled ? payment.replace('"amount":', '"amount":-') : payment);
    await this.drain();
  }

  private async follow(order: LaterOrder): Promise<void> {
    const { day, order: placed } = this;
    const age = day - order.landsOn;
    const changes = changesOn(order, day);
    const isPaid = age === 1 && !order.late;
    if (!changes && !isPaid) return;
    this.book.place(order, day, placed);
    if (changes) this.orders.record(placed.line);
    this.addItems((changes && isFinal(placed.status)) || (age === 1 && order.spoiled));
    if (isPaid || placed.status === 'RETURNED') this.payments.record(laterPayment(this.shop, order, placed, day));
    await this.drain();
  }

  private async itemsAhead(order: LaterOrder): Promise<void> {
    this.book.place(order, order.landsOn, this.order);
    this.addItems(true);
    await this.drain();
  }

  private addItems(wanted: boolean, spoiled = false): void {
    if (!wanted) return;
    const { itemLines, items } = this.order;
    this.items.records += items;
    this.items.frame(spoiled ? itemLines.replace(/^(?<before>(?:[^,]*,){3})\d+/, '$<before>0') : itemLines);
  }

  private async drain(): Promise<void> {
    for (const file of [this.orders, this.items, this.payments]) if (file.full) await this.writing.drain(file);
  }
}

const isFinal = (status: string) => status === 'DELIVERED' || status === 'CANCELLED' || status === 'RETURNED';
