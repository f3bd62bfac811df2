import { LakeError } from '#errors';

/** Days since 1970-01-01 and back, in the proleptic Gregorian calendar (Hinnant, "chrono-compatible low-level date algorithms"). */
export function dayNumber(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719468;
}

export interface CivilDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

export function civilDate(number: number): CivilDate {
  const shifted = number + 719468;
  const era = Math.floor(shifted / 146097);
  const dayOfEra = shifted - era * 146097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const part = Math.floor((5 * dayOfYear + 2) / 153);
  const month = part < 10 ? part + 3 : part - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * part + 2) / 5) + 1,
  };
}

/** `YYYY-MM-DD`. */
export function dateText(number: number): string {
  const { year, month, day } = civilDate(number);
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}

export function parseDay(text: string): number {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text) ?? [];
  const number = dayNumber(Number(year), Number(month), Number(day));
  if (year === undefined || dateText(number) !== text)
    throw new LakeError('demo.bad_date', 'invalid', `as-of date "${text}" is not a date; give one as YYYY-MM-DD`);
  return number;
}

/** 1 = Sunday … 7 = Saturday. 1970-01-01 was a Thursday. */
export function weekday(number: number): number {
  return ((((number + 4) % 7) + 7) % 7) + 1;
}

/** The same day of the month, `months` later; the month's last day where it has no such day. */
export function addMonths(number: number, months: number): number {
  const { year, month, day } = civilDate(number);
  const index = year * 12 + month - 1 + months;
  const first = dayNumber(Math.floor(index / 12), (index % 12) + 1, 1);
  const next = dayNumber(Math.floor((index + 1) / 12), ((index + 1) % 12) + 1, 1);
  return Math.min(first + day - 1, next - 1);
}
