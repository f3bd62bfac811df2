import { date, flag, integer, required, table, text } from '#contracts';

export const dimDate = table('gold/dim_date', {
  describes: 'Days: whole years, as many as the settings ask for and orders and the as_of date need.',
  key: ['date_key'],
  columns: {
    date_key: required(integer('yyyymmdd')),
    full_date: required(date('The day')),
    year: required(integer('Year', 'year')),
    quarter: required(integer('Quarter, 1 to 4', 'quarter')),
    month: required(integer('Month, 1 to 12', 'month')),
    day: required(integer('Day of the month', 'day')),
    month_name: required(text('English name of the month')),
    month_short: required(text('Its first three letters')),
    day_of_week: required(integer('1 = Sunday … 7 = Saturday', 'day')),
    day_name: required(text('English name of the day')),
    day_short: required(text('Its first three letters')),
    week_of_year: required(integer('ISO week', 'week')),
    day_of_year: required(integer('Day of the year, from 1', 'day')),
    is_weekend: flag('Saturday or Sunday'),
    is_month_start: flag('First day of the month'),
    is_month_end: flag('Last day of the month'),
    is_holiday_season: flag('November, December or January'),
    quarter_label: required(text('Q1-2025')),
    month_year_label: required(text('Jan-2025')),
    half_year: required(integer('Half of the year, 1 or 2', 'half')),
    half_year_label: required(text('H1 or H2')),
  },
  checks: [
    {
      name: 'no_gap',
      severity: 'error',
      description: 'There is a row for every day between the first and the last.',
      failing: `SELECT n FROM (SELECT count(*) AS n, datediff(max(full_date), min(full_date)) + 1 AS days
        FROM gold.dim_date) c WHERE n <> days`,
    },
  ],
  recompute: {
    by: [],
    from: [{ input: 'silver.orders', by: 'all', others: 'the years of the first and the last order' }],
    asOf: true,
  },
});
