import { dateText } from './day.js';
import { Dice, exp, hash } from './random.js';
import type { Shop } from './shop.js';
import { stream } from './stream.js';
import { money, productId } from './text.js';

/** The category whose lines come back after a date. */
export const RETURNED_CATEGORY = 2;
export const HERO = 0;
export const VIRAL = 23;
const HERO_SHARE = 0.16;
const VIRAL_SHARE = 0.3;
const HERO_PRICE_CENTS = 24_900;
const VIRAL_PRICE_CENTS = 5_900;
/** ln 16: the popularity of products falls as 1/(1 + 15·rank/products). */
const TAIL = 2.772588722239781;

/** After how many days a price moves again. */
const PRICE_DAYS = 25;
const GOLDEN = 0.6180339887498949;
/** Equally many products between any two rungs. */
const PRICE_LADDER = [6, 13, 19, 25, 31, 38, 46, 55, 65, 77, 91, 108, 129, 156, 192, 243, 322, 470, 900];

const CATEGORIES = [
  {
    name: 'Electronics',
    parts: ['headphones', 'speakers', 'cameras', 'wearables'],
    nouns: ['Headphones', 'Speaker', 'Camera', 'Watch'],
  },
  {
    name: 'Home & Kitchen',
    parts: ['cookware', 'lighting', 'storage', 'bedding'],
    nouns: ['Pan', 'Lamp', 'Organizer', 'Duvet'],
  },
  { name: 'Fashion', parts: ['shoes', 'jackets', 'bags', 'accessories'], nouns: ['Sneaker', 'Jacket', 'Bag', 'Belt'] },
  {
    name: 'Sports & Outdoors',
    parts: ['fitness', 'camping', 'cycling', 'running'],
    nouns: ['Kettlebell', 'Tent', 'Helmet', 'Vest'],
  },
  {
    name: 'Beauty',
    parts: ['skin care', 'hair care', 'fragrance', 'make-up'],
    nouns: ['Serum', 'Shampoo', 'Perfume', 'Palette'],
  },
  {
    name: 'Toys & Games',
    parts: ['board games', 'puzzles', 'building sets', 'outdoor toys'],
    nouns: ['Game', 'Puzzle', 'Building Set', 'Kite'],
  },
] as const;
const BRANDS = ['Northwind', 'Lumen', 'Casa Viva', 'Peakline', 'Aurora', 'Brightside', 'Mistral', 'Kodiak'];
const ADJECTIVES = ['Classic', 'Nova', 'Urban', 'Pure', 'Trail', 'Mini', 'Prime', 'Eco', 'Flex', 'Royal'];
const COLOURS = ['black', 'white', 'blue', 'red', 'green', 'sand'];

/** The products by index: 8 bytes each in memory, the rest made when asked for. */
export class ProductShelf {
  private readonly priceCents: Uint32Array;
  private readonly costCents: Uint32Array;

  constructor(private readonly shop: Shop) {
    const { products } = shop.counts;
    this.priceCents = new Uint32Array(products);
    this.costCents = new Uint32Array(products);
    const dice = new Dice(shop.seed, stream.product);
    for (let index = 0; index < products; index++) {
      let price = ladderPrice(dice.throwFor(index).next(), index);
      if (index === HERO) price = HERO_PRICE_CENTS;
      if (index === VIRAL) price = VIRAL_PRICE_CENTS;
      this.priceCents[index] = price;
      this.costCents[index] = Math.round(price * (0.45 + dice.next() * 0.22));
    }
  }

  /** Cents, on a day of the calendar. In the first load a price never moves. */
  price(index: number, day: number): number {
    const first = this.priceCents[index] as number;
    const changes = this.priceChanges(index, day);
    if (changes === 0) return first;
    const factor = 0.85 + (hash(this.shop.seed, stream.price, index + changes * 0x10000) / 4294967296) * 0.35;
    // Every other price ends in .49, so none is the one before.
    return Math.max(1, Math.round((first * factor) / 100)) * 100 - (changes % 2 === 0 ? 1 : 51);
  }

  /** Prices that came after the first load: each product's moves every `PRICE_DAYS` days, in turn. */
  priceChanges(index: number, day: number): number {
    const elapsed = Math.max(day - this.shop.calendar.firstLoadDays + 1, 0);
    return Math.floor((elapsed + ((index * 7 + 3) % PRICE_DAYS)) / PRICE_DAYS);
  }

  cost(index: number): number {
    return this.costCents[index] as number;
  }

  category(index: number): number {
    return index === HERO ? 0 : index % CATEGORIES.length;
  }

  /** What somebody buys or looks at on a day: the hero, the viral one in its weeks, else the tail. */
  draw(dice: Dice, day: number): number {
    const { viral } = this.shop.calendar.planted;
    const first = dice.next();
    if (first < HERO_SHARE) return HERO;
    if (day >= viral.from && day <= viral.to && first < HERO_SHARE + VIRAL_SHARE) return VIRAL;
    const tail = this.shop.counts.products - 1;
    const drawn = 1 + Math.min(Math.floor(((exp(dice.next() * TAIL) - 1) / 15) * tail), tail - 1);
    return drawn === VIRAL && day > viral.to ? VIRAL - 1 : drawn;
  }

  /** The product as the document store exports it: in the first load, or changed on a later day. */
  json(index: number, changedOn?: number): string {
    return JSON.stringify(this.record(index, changedOn));
  }

  record(index: number, changedOn?: number) {
    const { shop } = this;
    const dice = new Dice(shop.seed, stream.product).throwFor(index + 0x40000000);
    const category = CATEGORIES[this.category(index)] as (typeof CATEGORIES)[number];
    const part = dice.below(category.parts.length);
    const brand = dice.pick(BRANDS);
    const electronic = this.category(index) === 0;
    const created = shop.calendar.firstDay - 30 - dice.below(900);
    const drawn = shop.asOf - dice.below(300);
    const updated = changedOn === undefined ? drawn : shop.calendar.firstDay + changedOn;
    const day = changedOn ?? shop.calendar.firstLoadDays - 1;
    return {
      product_id: productId(index),
      product_name: `${brand} ${dice.pick(ADJECTIVES)} ${category.nouns[part] as string}`,
      category: dice.next() < 0.1 ? category.name.toUpperCase() : category.name,
      sub_category: category.parts[part],
      brand,
      price: Number(money(this.price(index, day))),
      cost_price: Number(money(this.cost(index))),
      weight_kg: Math.round(50 + dice.next() * 4000) / 1000,
      supplier_id: `SUP-${String(1 + dice.below(20)).padStart(3, '0')}`,
      rating: Math.round(10 * Math.min(5, Math.max(1, 4.1 + dice.normal() * 0.5))) / 10,
      review_count: dice.below(2000),
      is_active: dice.next() < 0.96,
      attributes: {
        color: COLOURS.filter(() => dice.next() < 0.35),
        battery_life: electronic ? `${6 + dice.below(40)} hours` : null,
        connectivity: electronic ? dice.pick(['Bluetooth 5.3', 'Wi-Fi', 'USB-C']) : null,
      },
      created_at: `${dateText(created)}T08:00:00Z`,
      updated_at: `${dateText(updated)}T08:00:00Z`,
    };
  }
}

/**
 * A log-normal price. The golden ratio visits all rungs in any run of neighbours, so the best sellers, few as they are
 * at a small scale, have the prices of the whole shelf.
 */
function ladderPrice(share: number, index: number): number {
  const at = ((index * GOLDEN + 0.94) % 1) * (PRICE_LADDER.length - 1);
  const rung = Math.floor(at);
  const low = PRICE_LADDER[rung] as number;
  const high = PRICE_LADDER[rung + 1] as number;
  return Math.round((low + (high - low) * (at - rung)) * (0.92 + share * 0.16)) * 100 - 1;
}
