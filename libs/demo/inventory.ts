import { WAREHOUSES } from './counts.js';
import { dateText } from './day.js';
import { HERO, VIRAL } from './product.js';
import { Dice, permutation } from './random.js';
import type { Shop } from './shop.js';
import { stream } from './stream.js';
import { productId } from './text.js';

export const INVENTORY_COLUMNS =
  'product_id,warehouse_id,quantity_on_hand,quantity_reserved,reorder_point,reorder_quantity,last_restock_date,snapshot_date';

/** Makes the stock rows of a day's snapshot: one a product and warehouse. */
export class StockRoom {
  private readonly dice: Dice;
  private readonly place: (row: number) => number;

  constructor(private readonly shop: Shop) {
    this.dice = new Dice(shop.seed, stream.inventory);
    this.place = permutation(shop.counts.inventory - WAREHOUSES.length, shop.seed, stream.negativeStock);
  }

  row(index: number, day = this.shop.calendar.firstLoadDays - 1): string {
    const { shop } = this;
    const { calendar } = shop;
    const dice = this.dice.throwFor(index);
    const product = Math.floor(index / WAREHOUSES.length);
    const reorderPoint = product === HERO ? 120 : 10 + dice.below(40);
    const first = this.onHand(index, product, reorderPoint);
    const elapsed = day - calendar.firstLoadDays + 1;
    const sells = product === VIRAL ? 0 : 1 + (index % 3);
    const lot = reorderPoint * 4;
    // What is sold out is delivered on the same day.
    const lots = elapsed === 0 ? 0 : Math.max(0, Math.ceil((elapsed * sells - first) / lot));
    const lotCame = Math.max(1, Math.floor((first + (lots - 1) * lot) / sells) + 1);
    const onHand = first - elapsed * sells + lots * lot;
    const reserved = onHand <= 0 ? '0' : dice.next() < 0.1 ? '' : String(dice.below(Math.ceil(onHand * 0.2)));
    const ago = lots > 0 ? -lotCame : dice.below(60);
    const restocked = product === VIRAL ? calendar.planted.viral.from : calendar.firstLoadDays - 1 - ago;
    const warehouse = WAREHOUSES[index % WAREHOUSES.length] as string;
    return (
      `${productId(product)},${warehouse},${onHand},${reserved},${reorderPoint},${lot},` +
      `${dateText(calendar.firstDay + restocked)},${dateText(calendar.firstDay + day)}\n`
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
