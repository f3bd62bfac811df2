import { dayOfOrder, secondOfOrder, timeText } from './calendar.js';
import { address } from './payment.js';
import type { ProductShelf } from './product.js';
import { Dice, hash, permutation, unevenShare } from './random.js';
import type { Shop } from './shop.js';
import { stream } from './stream.js';
import { customerId, eventId, productId, sessionId } from './text.js';

const CHECKED_OUT = 0.09;
const CARTED = 0.22;
const VIEWED = 0.55;
/** Bots end the range of those who never view a product. */
const BOTS = 0.06;
const BOUNCED = 0.5;
const ANONYMOUS = 0.19;
const BOT_REFERRER = 'price-scout.example';

const DESKTOP_BROWSERS: readonly (readonly [string, string])[] = [
  ['chrome', 'windows'],
  ['Chrome', 'macOS'],
  ['safari', 'macos'],
  ['edge', 'Windows'],
  ['firefox', 'linux'],
];
const MOBILE_BROWSERS: readonly (readonly [string, string])[] = [
  ['safari', 'iOS'],
  ['Chrome', 'android'],
  ['chrome', 'Android'],
  ['samsung internet', 'android'],
];
const REFERRERS = ['google', 'google', 'direct', 'Instagram', 'newsletter', 'facebook', 'bing', null];
const CITIES = [
  ['New York', 'US'],
  ['Los Angeles', 'US'],
  ['Chicago', 'US'],
  ['Toronto', 'CA'],
  ['London', 'GB'],
  ['Berlin', 'DE'],
] as const;
const SEARCHES = ['wireless headphones', 'tent', 'Running shoes', 'gift ideas', 'lamp', 'serum'];

type Stage = 'checkout' | 'cart' | 'view' | 'glance' | 'bounce' | 'bot';
export const SHORTEST: Readonly<Record<Stage, number>> = {
  checkout: 4,
  cart: 3,
  view: 2,
  glance: 1,
  bounce: 1,
  bot: 1,
};

export interface Visit {
  readonly stage: Stage;
  readonly device: string;
  readonly anonymous: boolean;
}

/** Makes the sessions one after another, by time; each belongs to the customer of an order of that hour. */
export class VisitLog {
  private readonly stagePlace: (session: number) => number;
  private readonly anonymousPlace: (session: number) => number;
  private readonly dice: Dice;
  private event = 0;
  private readonly known: EventShare;
  private readonly anonymous: EventShare;

  constructor(
    private readonly shop: Shop,
    private readonly shelf: ProductShelf,
  ) {
    const { counts, seed } = shop;
    this.stagePlace = permutation(counts.sessions, seed, stream.sessionStage);
    this.anonymousPlace = permutation(counts.sessions, seed, stream.sessionAnonymous);
    this.dice = new Dice(seed, stream.session);
    this.known = new EventShare(counts.events - counts.anonymousEvents, seed, stream.eventsKnown);
    this.anonymous = new EventShare(counts.anonymousEvents, seed, stream.eventsAnonymous);
    for (let session = 0; session < counts.sessions; session++) {
      const visit = this.visit(session);
      this.shareOf(visit).expect(SHORTEST[visit.stage], visit.stage !== 'bounce');
    }
  }

  /** The events of one session, one text each. Sessions must be asked for in order. */
  *events(session: number): Iterable<string> {
    const { shop, dice } = this;
    const { counts, calendar, seed } = shop;
    const visit = this.visit(session);
    dice.throwFor(session);
    const share = this.shareOf(visit);
    const length = SHORTEST[visit.stage] + (visit.stage === 'bounce' ? 0 : share.next());
    const order = Math.floor(((session + dice.next()) / counts.sessions) * counts.orders);
    const day = dayOfOrder(calendar, order);
    const second = secondOfOrder(calendar, day, order, seed);
    const firstEvent = this.event;
    this.event += length;
    const buyer = shop.buyer[order] as number;
    yield* visitEvents(shop, this.shelf, dice, { session, firstEvent, length, visit, day, second, buyer });
  }

  private shareOf(visit: Visit): EventShare {
    return visit.anonymous ? this.anonymous : this.known;
  }

  private visit(session: number): Visit {
    const { sessions } = this.shop.counts;
    const anonymous = this.anonymousPlace(session) < Math.round(sessions * ANONYMOUS);
    return visitAt((this.stagePlace(session) + 0.5) / sessions, anonymous);
  }
}

interface VisitPlan {
  readonly session: number;
  readonly firstEvent: number;
  readonly length: number;
  readonly visit: Visit;
  readonly day: number;
  /** The second of the day at which it ends. */
  readonly second: number;
  readonly buyer: number;
}

export function* visitEvents(shop: Shop, shelf: ProductShelf, dice: Dice, plan: VisitPlan): Iterable<string> {
  const { session, firstEvent, length, visit, day, second, buyer } = plan;
  const gap = 15 + dice.below(60);
  const bot = visit.stage === 'bot';
  const [browser, os] = bot
    ? ['HeadlessChrome', 'linux']
    : dice.pick(visit.device === 'desktop' ? DESKTOP_BROWSERS : MOBILE_BROWSERS);
  const customer = visit.anonymous ? 'null' : `"${customerId(buyer)}"`;
  const [city, country] = dice.pick(CITIES);
  const drawnReferrer = dice.pick(REFERRERS);
  const referrer = bot ? `"${BOT_REFERRER}"` : drawnReferrer === null ? 'null' : `"${drawnReferrer}"`;
  const source = address(hash(shop.seed, stream.session, visit.anonymous ? session : buyer));
  for (let step = 0; step < length; step++) {
    const type = eventType(visit.stage, step, length, dice);
    const product = PRODUCT_EVENTS.has(type) ? `"${productId(shelf.draw(dice, day))}"` : 'null';
    const search = type === 'search' ? `"${dice.pick(SEARCHES)}"` : 'null';
    const at = timeText(shop.calendar, day, second - (length - step) * gap + dice.below(10), 'T');
    yield (
      `{"event_id":"${eventId(firstEvent + step)}","session_id":"${sessionId(session)}","customer_id":${customer},` +
      `"event_type":"${type}","event_timestamp":"${at}","page_url":"https://shop.example/${type}",` +
      `"product_id":${product},"device_type":"${visit.device}","browser":"${browser}","os":"${os}",` +
      `"ip_address":"${source}","geo_location":{"city":"${city}","country":"${country}"},` +
      `"referrer":${referrer},"search_query":${search}}\n`
    );
  }
}

/** What kind of visit stands at a share of all visits, ordered by how far they come. */
export function visitAt(place: number, anonymous: boolean): Visit {
  if (place >= 1 - BOTS) return { stage: 'bot', device: 'desktop', anonymous: true };
  if (place < CHECKED_OUT) return { stage: 'checkout', device: buyersDevice(place / CHECKED_OUT), anonymous };
  if (place < CARTED)
    return { stage: 'cart', device: buyersDevice((place - CHECKED_OUT) / (CARTED - CHECKED_OUT)), anonymous };
  if (place < VIEWED) return { stage: 'view', device: lookersDevice((place - CARTED) / (VIEWED - CARTED)), anonymous };
  const glance = (place - VIEWED) / (1 - BOTS - VIEWED);
  if (glance < BOUNCED) return { stage: 'bounce', device: lookersDevice(glance / BOUNCED), anonymous };
  return { stage: 'glance', device: lookersDevice((glance - BOUNCED) / (1 - BOUNCED)), anonymous };
}

/** Deals a fixed number of events to sessions of which only the shortest length is given. */
class EventShare {
  private takers = 0;
  private spare: number;
  private dealt = 0;

  constructor(
    events: number,
    private readonly seed: number,
    private readonly stream: number,
  ) {
    this.spare = events;
  }

  expect(shortest: number, takes: boolean): void {
    this.spare -= shortest;
    if (takes) this.takers++;
  }

  next(): number {
    return unevenShare(this.dealt++, this.takers, this.spare, this.seed, this.stream);
  }
}

const PRODUCT_EVENTS: ReadonlySet<string> = new Set(['product_view', 'add_to_cart', 'remove_from_cart']);

/** A stage's necessary steps stand at the end of the session, what is spare before them. */
function eventType(stage: Stage, step: number, length: number, dice: Dice): string {
  const left = length - step;
  const drawn = dice.next();
  switch (stage) {
    case 'bot':
    case 'bounce':
      return 'page_view';
    case 'glance':
      return step === 0 || drawn < 0.75 ? 'page_view' : 'search';
    case 'view':
      if (step === 0) return 'page_view';
      return left === 1 || drawn < 0.5 ? 'product_view' : drawn < 0.85 ? 'page_view' : 'search';
    case 'cart':
    case 'checkout': {
      const goal = stage === 'cart' ? ['add_to_cart', 'product_view'] : ['checkout', 'add_to_cart', 'product_view'];
      if (step === 0) return 'page_view';
      const wanted = goal[left - 1];
      if (wanted !== undefined) return wanted;
      return drawn < 0.55 ? 'product_view' : drawn < 0.9 ? 'page_view' : 'search';
    }
  }
}

/** Of those who fill a cart, half as many on a phone as on a desk, of as many visits. */
function buyersDevice(share: number): string {
  return share < 0.6 ? 'desktop' : share < 0.9 ? 'mobile' : 'tablet';
}

function lookersDevice(share: number): string {
  return share < 0.358 ? 'desktop' : share < 0.891 ? 'mobile' : 'tablet';
}
