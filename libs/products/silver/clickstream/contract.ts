import {
  date,
  flag,
  integer,
  pii,
  required,
  requires,
  silverTable,
  text,
  timestamp,
  warnIfEmpty,
  type Column,
} from '#contracts';

/** Columns of an event, however it came. */
export const eventColumns: Readonly<Record<string, Column>> = {
  event_id: required(text('Event')),
  session_id: required(text('Visit that it belongs to')),
  customer_id: text('Customer, where known'),
  event_type: required(text('What happened, lower case')),
  event_timestamp: required(timestamp('When it happened')),
  page_url: pii(text('Page')),
  product_id: text('Product that it is about'),
  device_type: text('Device, lower case'),
  browser: text('Browser'),
  os: text('Operating system'),
  ip_address: pii(text('Address that it came from')),
  referrer: text('Where the visitor came from, lower case'),
  search_query: pii(text('What was searched, lower case')),
  geo_city: text('City of the address'),
  geo_country: text('Country of the address'),
  event_date: required(date('Day in UTC')),
  event_hour: required(integer('Hour, 0 to 23', 'hour')),
  event_day_of_week: required(integer('1 = Sunday … 7 = Saturday', 'day')),
  day_name: required(text('English name of the day')),
  is_weekend: flag('On a Saturday or Sunday'),
  is_anonymous: flag('The customer is not known'),
  is_purchase_intent: flag('Put into the cart, or checked out'),
  funnel_stage: required(text('1-Awareness, 2-Interest, 3-Consideration, 4-Purchase or Other')),
  data_source: required(text('batch or streaming')),
};

export const eventRules = [
  requires('event_id'),
  requires('session_id'),
  requires('event_type'),
  requires('event_timestamp'),
] as const;

export const clickstream = silverTable('silver/clickstream', {
  describes: 'Click events that came in files; the first valid record of each counts.',
  source: 'clickstream',
  winner: { keep: 'first' },
  key: ['event_id'],
  partitionBy: ['event_date'],
  sortBy: ['event_timestamp', 'event_id'],
  columns: eventColumns,
  rules: [
    ...eventRules,
    {
      name: 'event_in_future',
      description: 'The event is later than the day after as_of',
      broken: 'datediff(event_date, :as_of) > 1',
    },
  ],
  checks: [warnIfEmpty('silver/clickstream')],
  recompute: { by: ['event_id'], from: [{ input: 'bronze.clickstream', by: ['event_id'] }], asOf: 'rejects' },
});
