import { dayOfLaterCustomer } from './later.js';
import { arrivalDay, isExisting, type Shop } from './shop.js';
import { dateText } from './day.js';
import { Dice, permutation } from './random.js';
import { stream } from './stream.js';
import { customerId, pad2 } from './text.js';

const FIRST_NAMES = [
  'Emma',
  'Liam',
  'Olivia',
  'Noah',
  'Ava',
  'Mateo',
  'Sofía',
  'Lucas',
  'Mia',
  'Amir',
  'Zoë',
  'Kenji',
  'Priya',
  'José',
  'Hannah',
  'Omar',
  'Chloe',
  'Ivan',
  'Léa',
  'Grace',
];
const LAST_NAMES = [
  'Smith',
  'Johnson',
  'García',
  'Brown',
  'Müller',
  'Nguyen',
  'Patel',
  'Kim',
  "O'Brien",
  'Silva',
  'Rossi',
  'Novak',
  'Chen',
  'Haddad',
  'Lopez',
  'Walker',
  'Young',
  'Ali',
];
const CITIES = [
  ['New York', 'NY', '100'],
  ['Los Angeles', 'CA', '900'],
  ['Chicago', 'IL', '606'],
  ['Houston', 'TX', '770'],
  ['Phoenix', 'AZ', '850'],
  ['Seattle', 'WA', '981'],
  ['Denver', 'CO', '802'],
  ['Boston', 'MA', '021'],
  ['Atlanta', 'GA', '303'],
  ['Miami', 'FL', '331'],
] as const;
const GENDERS = ['M', 'F', 'male', 'Female', 'f', 'MALE', 'other', null];
const TOPICS = ['electronics', 'home', 'fashion', 'sports', 'beauty', 'toys'];
const MAIL = ['example.com', 'example.org', 'Mail.Example.net'];

/** After how many days a customer moves house again, and rises again; each at another time. */
const MOVES_EVERY = 100;
const RISES_EVERY = 125;
const TIERS = ['bronze', 'silver', 'gold', 'platinum'] as const;

/** Makes customers by index, in the order of their arrival: those of the first load, then those who came on later days. */
export class CustomerBook {
  private readonly dice: Dice;
  private readonly place: (index: number) => number;

  constructor(private readonly shop: Shop) {
    this.dice = new Dice(shop.seed, stream.customer);
    this.place = permutation(shop.counts.customers, shop.seed, stream.customerEmail);
  }

  /** The customer as the customer service answers, at the end of a day. */
  json(index: number, day?: number): string {
    return JSON.stringify(this.record(index, day));
  }

  record(index: number, day = this.shop.calendar.firstLoadDays - 1) {
    const { shop } = this;
    const { moves, rises } = this.changes(index, day);
    const dice = this.dice.throwFor(index);
    const first = dice.pick(FIRST_NAMES);
    const last = dice.pick(LAST_NAMES);
    const home = dice.pick(CITIES);
    const plain = `${first}.${last}`.normalize('NFD').replace(/[^A-Za-z.]/g, '');
    const address = `${plain}${index + 1}@${dice.pick(MAIL)}`;
    const noEmail = dice.next() < 0.5 ? null : '';
    const registered = this.registrationDay(index, dice);
    const record = {
      customer_id: customerId(index),
      first_name: first,
      last_name: last,
      email: this.hasEmail(index) ? address : noEmail,
      phone: `+1-555-${String(200 + dice.below(800))}-${pad2(dice.below(100))}${pad2(dice.below(100))}`,
      date_of_birth: dateText(shop.asOf - Math.floor((18 + dice.next() * dice.next() * 62) * 365.25) - dice.below(365)),
      gender: dice.pick(GENDERS),
      registration_date: dateText(shop.calendar.firstDay + registered),
      loyalty_tier: tier(shop.orderCount[index] ?? 0, rises, dice.next()),
      address: randomAddress(home, dice),
      preferences: {
        categories: TOPICS.filter(() => dice.next() < 0.35),
        communication: ['email', 'sms', 'push'].filter(() => dice.next() < 0.5),
      },
    };
    return moves === 0 ? record : { ...record, address: this.newAddress(index, moves) };
  }

  /** How often a customer of the first load has moved and risen since. */
  changes(index: number, day: number): { readonly moves: number; readonly rises: number } {
    const elapsed = day - this.shop.calendar.firstLoadDays + 1;
    if (elapsed <= 0 || index >= this.shop.counts.customers) return { moves: 0, rises: 0 };
    return {
      moves: Math.floor((elapsed + ((index * 37) % MOVES_EVERY)) / MOVES_EVERY),
      rises: Math.floor((elapsed + ((index * 53) % RISES_EVERY)) / RISES_EVERY),
    };
  }

  private registrationDay(index: number, dice: Dice): number {
    const { shop } = this;
    if (index >= shop.counts.customers) return dayOfLaterCustomer(shop, index);
    const ordered = shop.firstOrderDay[index] as number;
    const arrived = ordered < 0 ? arrivalDay(shop, index) : ordered - (dice.next() < 0.7 ? 0 : dice.below(5));
    return isExisting(shop, index) ? -1 - dice.below(900) : arrived;
  }

  private hasEmail(index: number): boolean {
    const { customers, customersWithoutEmail } = this.shop.counts;
    return this.place(index % customers) >= customersWithoutEmail;
  }

  private newAddress(index: number, moves: number) {
    const dice = new Dice(this.shop.seed, stream.moved).throwFor(index + moves * 0x1000000);
    return randomAddress(dice.pick(CITIES), dice);
  }
}

function randomAddress([city, state, zip]: (typeof CITIES)[number], dice: Dice) {
  return {
    street: `${1 + dice.below(9800)} ${dice.pick(['Oak', 'Maple', 'Main', 'Park', 'Lake'])} St`,
    city,
    state,
    zip: zip + pad2(dice.below(100)),
    country: 'USA',
  };
}

/** Who is at the top and rises once more begins anew: a tier is kept for a time only. */
function tier(orders: number, rises: number, share: number): string {
  const first = orders >= 15 ? 3 : orders >= 7 ? 2 : orders >= 3 ? 1 : 0;
  const name = TIERS[(first + rises) % TIERS.length] as string;
  if (share < 0.1) return name.toUpperCase();
  return share < 0.2 ? `${name} ` : name.slice(0, 1).toUpperCase() + name.slice(1);
}
