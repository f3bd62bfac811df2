import { WAREHOUSES } from './counts.js';
import { dateText } from './day.js';
import { HERO, VIRAL } from './product.js';
import { Dice, permutation } from './random.js';
import type { Shop } from './shop.js';
import { stream } from './stream.js';
import { productId } from './text.js';

export const INVENTORY_COLUMNS =
  'product_id,warehouse_id,quantity_on_hand,quantity_reserved,reorder_point,reorder_quantity,last_restock_date,snapshot_date';

/** Makes the stock rows of the snapshot at as_of: one a product and warehouse. */
export class StockRoom {
  private readonly dice: Dice;
  private readonly place: (row: number) => number;

  constructor(private readonly shop: Shop) {
    this.dice = new Dice(shop.seed, stream.inventory);
    this.place = permutation(shop.counts.inventory - WAREHOUSES.length, shop.seed, stream.negativeStock);
  }

  row(index: number): string {
    const { shop } = this;
    const dice = this.dice.throwFor(index);
    const product = Math.floor(index / WAREHOUSES.length);
    const reorderPoint = product === HERO ? 120 : 10 + dice.below(40);
    const onHand = this.onHand(index, product, reorderPoint);
    const reserved = onHand <= 0 ? '0' : dice.next() < 0.1 ? '' : String(dice.below(Math.ceil(onHand * 0.2)));
    const restocked = product === VIRAL ? shop.calendar.planted.viral.from : shop.calendar.days - 1 - dice.below(60);
    const warehouse = WAREHOUSES[index % WAREHOUSES.length] as string;
    return (
      `${productId(product)},${warehouse},${onHand},${reserved},${reorderPoint},${reorderPoint * 4},` +
      `${dateText(shop.calendar.firstDay + restocked)},${dateText(shop.asOf)}\n`
    );
  }

  private onHand(index: number, product: number, reorderPoint: number): number {
    if (product === VIRAL) return 0;
    const ordinal = product > VIRAL ? index - WAREHOUSES.length : index;
    if (this.place(ordinal) < this.shop.counts.negativeStock) return -1 - this.dice.below(12);
    const drawn = this.dice.next();
    if (drawn < 0.04) return 0;
    if (drawn < 0.16) return 1 + this.dice.below(reorderPoint);
    return drawn < 0.9 ? reorderPoint + this.dice.below(reorderPoint * 4) : reorderPoint * 30;
  }
}
