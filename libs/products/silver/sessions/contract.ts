import { count, date, flag, integer, rate, required, silverTable, text, timestamp } from '#contracts';

export const sessions = silverTable('silver/sessions', {
  describes: 'Visits: the events of one session, customer, device, browser and operating system.',
  key: ['session_id', 'customer_id', 'device_type', 'browser', 'os'],
  sortBy: ['session_date', 'session_start', 'session_id'],
  columns: {
    session_id: required(text('Visit')),
    customer_id: text('Customer, where known'),
    device_type: text('Device, lower case'),
    browser: text('Browser'),
    os: text('Operating system'),
    total_events: required(count('Events')),
    unique_event_types: required(count('Distinct event types')),
    products_viewed: required(count('Distinct products')),
    session_start: required(timestamp('First event')),
    session_end: required(timestamp('Last event')),
    page_views: required(count('page_view events')),
    product_views: required(count('product_view events')),
    cart_adds: required(count('add_to_cart events')),
    cart_removes: required(count('remove_from_cart events')),
    checkouts: required(count('checkout events')),
    searches: required(count('search events')),
    entry_referrer: text('Referrer of the earliest event'),
    entry_geo_city: text('City of the earliest event'),
    entry_geo_country: text('Country of the earliest event'),
    session_duration_sec: integer('From first to last event, whole seconds', 's'),
    session_duration_min: rate('session_duration_sec / 60', 'min'),
    has_cart_activity: flag('Something was put into the cart'),
    has_checkout: flag('There was a checkout'),
    is_bounce: flag('One event only'),
    is_anonymous: flag('The customer is not known'),
    engagement_level: required(text('High from 10 events, Medium from 5, Low from 2, else Bounce')),
    session_date: required(date('Day of the first event in UTC')),
  },
  checks: [
    {
      name: 'events_counted_once',
      severity: 'error',
      description: 'The events of all visits are the events there are.',
      failing: `SELECT s.n FROM (SELECT coalesce(sum(total_events), 0) AS n FROM silver.sessions) s
        CROSS JOIN (SELECT count(*) AS n FROM silver.clickstream) e WHERE s.n <> e.n`,
    },
  ],
  recompute: {
    by: ['session_id'],
    from: [
      {
        input: 'silver.clickstream',
        by: ['session_id'],
        own: {
          session_id: 'session_id',
          customer_id: 'customer_id',
          device_type: 'device_type',
          browser: 'browser',
          os: 'os',
        },
      },
    ],
    asOf: false,
  },
});
