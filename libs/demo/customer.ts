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

/** Makes customers by index, in the order of their arrival. */
export class CustomerBook {
  private readonly dice: Dice;
  private readonly place: (index: number) => number;

  constructor(private readonly shop: Shop) {
    this.dice = new Dice(shop.seed, stream.customer);
    this.place = permutation(shop.counts.customers, shop.seed, stream.customerEmail);
  }

  /** The customer as the customer service answers. */
  json(index: number): string {
    const { shop } = this;
    const dice = this.dice.throwFor(index);
    const first = dice.pick(FIRST_NAMES);
    const last = dice.pick(LAST_NAMES);
    const [city, state, zip] = dice.pick(CITIES);
    const plain = `${first}.${last}`.normalize('NFD').replace(/[^A-Za-z.]/g, '');
    const address = `${plain}${index + 1}@${dice.pick(MAIL)}`;
    const noEmail = dice.next() < 0.5 ? null : '';
    const ordered = shop.firstOrderDay[index] as number;
    const arrived = ordered < 0 ? arrivalDay(shop, index) : ordered - (dice.next() < 0.7 ? 0 : dice.below(5));
    const registered = isExisting(shop, index) ? -1 - dice.below(900) : arrived;
    return JSON.stringify({
      customer_id: customerId(index),
      first_name: first,
      last_name: last,
      email: this.place(index) < shop.counts.customersWithoutEmail ? noEmail : address,
      phone: `+1-555-${String(200 + dice.below(800))}-${pad2(dice.below(100))}${pad2(dice.below(100))}`,
      date_of_birth: dateText(shop.asOf - Math.floor((18 + dice.next() * dice.next() * 62) * 365.25) - dice.below(365)),
      gender: dice.pick(GENDERS),
      registration_date: dateText(shop.calendar.firstDay + registered),
      loyalty_tier: tier(shop.orderCount[index] as number, dice.next()),
      address: {
        street: `${1 + dice.below(9800)} ${dice.pick(['Oak', 'Maple', 'Main', 'Park', 'Lake'])} St`,
        city,
        state,
        zip: zip + pad2(dice.below(100)),
        country: 'USA',
      },
      preferences: {
        categories: TOPICS.filter(() => dice.next() < 0.35),
        communication: ['email', 'sms', 'push'].filter(() => dice.next() < 0.5),
      },
    });
  }
}

function tier(orders: number, share: number): string {
  const name = orders >= 15 ? 'platinum' : orders >= 7 ? 'gold' : orders >= 3 ? 'silver' : 'bronze';
  if (share < 0.1) return name.toUpperCase();
  return share < 0.2 ? `${name} ` : name.slice(0, 1).toUpperCase() + name.slice(1);
}
