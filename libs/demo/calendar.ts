import { addMonths, civilDate, dateText, dayNumber, weekday } from './day.js';
import { hash } from './random.js';
import { clock } from './text.js';
import { stream } from './stream.js';

/** A span of days, both ends included, as indexes into the calendar. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Where each planted story happens, as day indexes of the calendar. */
interface PlantedDays {
  readonly promotion: Span;
  readonly outage: number;
  readonly viral: Span;
  readonly returnsFrom: number;
  readonly badAcquisition: Span;
  readonly cardTesting: number;
}

/** The 24 months up to as_of: how many orders each day takes, and its text. Orders are numbered by time. */
export interface Calendar {
  readonly firstDay: number;
  readonly days: number;
  /** How many of them the first load covers; those that follow come one by one. */
  readonly firstLoadDays: number;
  /** The index of each day's first order, and one entry more: the number of orders. */
  readonly orderStart: Float64Array;
  readonly dates: readonly string[];
  readonly planted: PlantedDays;
}

const MONTHS = 24;
const MONTHLY_GROWTH = 0.02;
const SEASON: Readonly<Record<number, number>> = { 11: 1.4, 12: 1.6, 1: 0.95, 2: 0.92 };
const WEEKDAY = [0, 1.12, 0.93, 0.88, 0.92, 0.98, 1.1, 1.2];
const PROMOTION_LIFT = 2.2;
/** Relative orders in each hour; nights are quiet, evenings busy. */
const HOUR = [5, 3, 2, 2, 2, 5, 18, 35, 50, 58, 62, 66, 72, 62, 56, 54, 56, 64, 78, 92, 98, 84, 52, 14];

/** Plans the months that end at `asOf`: the same orders fall on the same days for one (asOf, orders, seed). */
export function planCalendar(asOf: number, orders: number, seed: number): Calendar {
  const firstDay = addMonths(asOf, -MONTHS) + 1;
  const days = asOf - firstDay + 1;
  const planted = plantedDays(asOf, firstDay, days);
  const weights = Array.from({ length: days }, (_, index) => dayWeight(firstDay + index, index, planted, seed));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const orderStart = new Float64Array(days + 1);
  let reached = 0;
  weights.forEach((weight, index) => {
    orderStart[index] = Math.round((reached / sum) * orders);
    reached += weight;
  });
  orderStart[days] = orders;
  const dates = weights.map((_, index) => dateText(firstDay + index));
  return { firstDay, days, firstLoadDays: days, orderStart, dates, planted };
}

/** The calendar and `more` days behind it, which go on growing, of at least `least` orders each. */
export function extendCalendar(calendar: Calendar, more: number, least: number, seed: number): Calendar {
  const { firstDay, days, planted } = calendar;
  const weight = (index: number) => dayWeight(firstDay + index, index, planted, seed);
  let sum = 0;
  for (let index = 0; index < days; index++) sum += weight(index);
  const orders = calendar.orderStart[days] as number;
  const orderStart = new Float64Array(days + more + 1);
  orderStart.set(calendar.orderStart);
  const dates = [...calendar.dates];
  for (let index = days; index < days + more; index++) {
    orderStart[index + 1] = (orderStart[index] as number) + Math.max(least, Math.round((weight(index) / sum) * orders));
    dates.push(dateText(firstDay + index));
  }
  return { ...calendar, days: days + more, orderStart, dates };
}

/** The calendar day on which order `index` was placed. */
export function dayOfOrder({ orderStart, days }: Calendar, index: number): number {
  let low = 0;
  let high = days;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((orderStart[middle] as number) <= index) low = middle;
    else high = middle;
  }
  return low;
}

/** The second of its day at which order `index` was placed; it never falls from one order of a day to the next. */
export function secondOfOrder({ orderStart }: Calendar, day: number, index: number, seed: number): number {
  const start = orderStart[day] as number;
  const share = hash(seed, stream.orderTime, index) / 4294967296;
  const at = ((index - start + share) / ((orderStart[day + 1] as number) - start)) * HOUR_SUM;
  let hour = 0;
  let below = 0;
  while (hour < 23 && below + (HOUR[hour] as number) <= at) below += HOUR[hour++] as number;
  return Math.min(hour * 3600 + Math.floor(((at - below) / (HOUR[hour] as number)) * 3600), 86_399);
}

/** `YYYY-MM-DD HH:MM:SS`, or with `T` and `Z`, of a second that may lie before or after the day; never after as_of. */
export function timeText(calendar: Calendar, day: number, second: number, separator: ' ' | 'T'): string {
  const last = calendar.days * 86_400 - 1;
  const at = Math.min(day * 86_400 + second, last);
  const onDay = Math.floor(at / 86_400);
  const date = calendar.dates[onDay] ?? dateText(calendar.firstDay + onDay);
  const text = date + separator + clock(at - onDay * 86_400);
  return separator === 'T' ? `${text}Z` : text;
}

export const within = (day: number, span: Span): boolean => day >= span.from && day <= span.to;

const HOUR_SUM = HOUR.reduce((total, weight) => total + weight, 0);

function dayWeight(day: number, index: number, planted: PlantedDays, seed: number): number {
  const growth = 1 + MONTHLY_GROWTH;
  let weight = 1;
  for (let month = 0; month < Math.floor(index / 30.4375); month++) weight *= growth;
  const noise = 0.94 + (hash(seed, stream.dayNoise, index) / 4294967296) * 0.12;
  const lift = within(index, planted.promotion) ? PROMOTION_LIFT : 1;
  return weight * (SEASON[civilDate(day).month] ?? 1) * (WEEKDAY[weekday(day)] as number) * lift * noise;
}

function plantedDays(asOf: number, firstDay: number, days: number): PlantedDays {
  const { year, month } = civilDate(addMonths(asOf, -9));
  const monthStart = dayNumber(year, month, 1);
  return {
    promotion: { from: days - 320, to: days - 317 },
    outage: days - 95,
    viral: { from: days - 75, to: days - 56 },
    returnsFrom: days - 240,
    badAcquisition: { from: monthStart - firstDay, to: addMonths(monthStart, 1) - 1 - firstDay },
    cardTesting: days - 33,
  };
}
