import fc from 'fast-check';
import { addMonths, dateText, parseDay, weekday } from './day.js';

describe('days', () => {
  it('agree with the calendar of the platform', () => {
    fc.assert(
      fc.property(fc.integer({ min: -700_000, max: 2_900_000 }), (number) => {
        const date = new Date(number * 86_400_000);
        expect(dateText(number)).toBe(date.toISOString().slice(0, 10));
        expect(parseDay(dateText(number))).toBe(number);
        expect(weekday(number)).toBe(date.getUTCDay() + 1);
      }),
    );
  });

  it.each([
    ['2024-02-29', -24, '2022-02-28'],
    ['2026-02-17', -24, '2024-02-17'],
    ['2026-01-31', 1, '2026-02-28'],
    ['2026-12-31', 2, '2027-02-28'],
  ])('%s and %d months is %s', (from, months, to) => {
    expect(dateText(addMonths(parseDay(from), months))).toBe(to);
  });
});
