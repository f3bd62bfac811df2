import { CustomerBook } from './customer.js';
import { dateText, parseDay } from './day.js';
import { INVENTORY_COLUMNS, StockRoom } from './inventory.js';
import type { LandingFile } from './landing-file.js';
import { Fates, ITEM_COLUMNS, noOrder, ORDER_COLUMNS, OrderBook } from './order.js';
import { PaymentDesk, planPayments } from './payment.js';
import { ProductShelf } from './product.js';
import { VisitLog } from './session.js';
import { planShop, type Shop } from './shop.js';
import { removeLaterDays, writeShopState } from './shop-state.js';
import { toLakeError, Writing, type DemoFile, type DemoProgress } from './writing.js';

interface DemoOptions {
  /** The landing folder; made if absent. A demo shop that is there is replaced, with the days that followed it. */
  readonly outDir: string;
  /** 1 = 2,000 orders. */
  readonly scale?: number;
  readonly seed?: number;
  /** The last day, `YYYY-MM-DD`: nothing happens after it. */
  readonly asOf: string;
  /** Called now and then while writing. */
  readonly onProgress?: (progress: DemoProgress) => void;
  readonly signal?: AbortSignal;
}

/** A span of days, both ends included. */
interface DemoSpan {
  readonly from: string;
  readonly to: string;
}

export interface DemoSummary {
  readonly scale: number;
  readonly seed: number;
  readonly asOf: string;
  readonly firstDay: string;
  readonly files: readonly DemoFile[];
  /** When each dated story of docs/demo.md happens. */
  readonly planted: {
    readonly promotion: DemoSpan;
    readonly outageDay: string;
    readonly viral: DemoSpan;
    readonly returnsFrom: string;
    readonly badAcquisition: DemoSpan;
    readonly cardTestingDay: string;
  };
}

const LATE_ROWS = 5;

/**
 * Writes the landing files of the demo shop. The same options give the same bytes on every machine. Files appear under
 * their names only when all are complete; stopped by its signal or an error, it leaves none of them.
 */
export async function writeDemo(options: DemoOptions): Promise<DemoSummary> {
  const { scale = 1, seed = 42, signal } = options;
  const shop = planShop(scale, seed, parseDay(options.asOf));
  const writing = new Writing(options.outDir, signal, options.onProgress);
  try {
    await writeProducts(shop, writing);
    await writeCustomers(shop, writing);
    await writeInventory(shop, writing);
    await writeOrders(shop, writing);
    await writeEvents(shop, writing);
    await removeLaterDays(options.outDir);
    await writing.publish();
    await writeShopState(options.outDir, { scale, seed, asOf: options.asOf, laterDays: 0 });
  } catch (error) {
    await writing.discard();
    throw toLakeError(error, options.outDir);
  }
  const { planted, dates } = shop.calendar;
  const day = (index: number) => dates[index] as string;
  const span = ({ from, to }: { from: number; to: number }) => ({ from: day(from), to: day(to) });
  return {
    scale,
    seed,
    asOf: options.asOf,
    firstDay: dateText(shop.calendar.firstDay),
    files: writing.summary,
    planted: {
      promotion: span(planted.promotion),
      outageDay: day(planted.outage),
      viral: span(planted.viral),
      returnsFrom: day(planted.returnsFrom),
      badAcquisition: span(planted.badAcquisition),
      cardTestingDay: day(planted.cardTesting),
    },
  };
}

async function writeProducts(shop: Shop, writing: Writing): Promise<void> {
  const shelf = new ProductShelf(shop);
  const file = await writing.open('source3_products_mongo/products.json', shop.counts.products);
  await writeArray(file, shop.counts.products, (index) => shelf.json(index), writing);
}

async function writeCustomers(shop: Shop, writing: Writing): Promise<void> {
  const book = new CustomerBook(shop);
  const file = await writing.open('source2_customers_api/customers.json', shop.counts.customers);
  await writeArray(file, shop.counts.customers, (index) => book.json(index), writing);
}

async function writeArray(
  file: LandingFile,
  count: number,
  json: (index: number) => string,
  writing: Writing,
): Promise<void> {
  file.frame('[\n');
  for (let index = 0; index < count; index++) {
    file.record(`${json(index)}${index + 1 < count ? ',' : ''}\n`);
    if (file.full) await writing.drain(file);
  }
  file.frame(']\n');
  await file.close();
}

async function writeInventory(shop: Shop, writing: Writing): Promise<void> {
  const room = new StockRoom(shop);
  const file = await writing.open('source5_inventory_csv/inventory.csv', shop.counts.inventory);
  file.frame(`${INVENTORY_COLUMNS}\n`);
  for (let index = 0; index < shop.counts.inventory; index++) {
    file.record(room.row(index));
    if (file.full) await writing.drain(file);
  }
  await file.close();
}

/** Orders, their items and their payments come from one walk through the orders; the late export repeats the first few. */
async function writeOrders(shop: Shop, writing: Writing): Promise<void> {
  const { counts } = shop;
  const fates = new Fates(shop);
  const book = new OrderBook(shop, fates, new ProductShelf(shop));
  const desk = new PaymentDesk(shop, fates, planPayments(shop, fates));
  const orders = await writing.open('source1_orders_pg/orders.csv', counts.orders);
  const items = await writing.open('source1_orders_pg/order_items.csv', counts.items);
  const payments = await writing.open('source6_payments_api/payments.json', counts.payments);
  const late = await writing.open('source1_orders_pg/orders_2_late_export.csv', LATE_ROWS);
  orders.frame(`${ORDER_COLUMNS}\n`);
  items.frame(`${ITEM_COLUMNS}\n`);
  late.frame(`${ORDER_COLUMNS},export_note\n`);
  const order = noOrder();
  for (let index = 0; index < counts.orders; index++) {
    book.place(order);
    orders.record(order.line);
    items.records += order.items;
    items.frame(order.itemLines);
    if (orders.full) await writing.drain(orders);
    if (items.full) await writing.drain(items);
    if (late.records < LATE_ROWS && order.fate !== 'unsettled') late.record(`${order.line.slice(0, -1)},sent again\n`);
    for (const payment of desk.of(order)) {
      payments.record(payment);
      if (payments.full) await writing.drain(payments);
    }
  }
  late.malformedRecord('ORD-LOST,CUST-00000001\n');
  late.malformedRecord(`${order.line.slice(0, -1)},note, with a comma, that nobody quoted\n`);
  late.malformedRecord('-- export stopped: connection reset by peer\n');
  for (const file of [orders, items, payments, late]) await file.close();
}

async function writeEvents(shop: Shop, writing: Writing): Promise<void> {
  const log = new VisitLog(shop, new ProductShelf(shop));
  const file = await writing.open('source4_clickstream_eventhub/clickstream.json', shop.counts.events);
  for (let session = 0; session < shop.counts.sessions; session++) {
    for (const event of log.events(session)) file.record(event);
    if (file.full) await writing.drain(file);
  }
  await file.close();
}
