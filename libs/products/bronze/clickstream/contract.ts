import { source, type FieldParser } from '#contracts';
import { asIs, id, instant, json } from '../../field.js';

/** What an event says, in a file or in the stream. */
export const eventFields: Readonly<Record<string, FieldParser>> = {
  event_id: id,
  session_id: id,
  customer_id: id,
  event_type: id,
  event_timestamp: instant,
  page_url: asIs,
  product_id: id,
  device_type: id,
  browser: id,
  os: id,
  ip_address: asIs,
  geo_location: json,
  referrer: id,
  search_query: id,
};

export const eventPii = ['page_url', 'ip_address', 'search_query'];

export const clickstream = source('clickstream', {
  format: 'json',
  folder: 'source4_clickstream_eventhub',
  describes: 'Click events that came in files.',
  fields: eventFields,
  pii: eventPii,
});
