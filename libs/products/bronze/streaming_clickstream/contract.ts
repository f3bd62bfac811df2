import { integer, long, source, text, timestamp } from '#contracts';
import { eventFields, eventPii } from '../clickstream/contract.js';
import { ratio, whole } from '../../field.js';

export const streamingClickstream = source('streaming_clickstream', {
  format: 'json',
  folder: 'stream',
  owner: 'stream',
  describes: 'Click events that came by the stream.',
  fields: { ...eventFields, page_load_time_ms: whole, time_on_page_sec: whole, scroll_depth_pct: ratio },
  pii: eventPii,
  bronzeColumns: {
    _event_hub: text('Event hub, or event log, that the event came by'),
    _partition: integer('Partition of the event hub'),
    _offset: text('Offset in the partition, as the event hub writes it'),
    _sequence_number: long('Number of the event in its partition'),
    _enqueued_at: timestamp('When the event became durable'),
    _ingestion_source: text('How it came: http or event_hubs'),
  },
});
