import { integer, rate, silverTable } from '#contracts';
import { eventColumns, eventRules } from '../clickstream/contract.js';

export const streamingClickstream = silverTable('silver/streaming_clickstream', {
  describes: 'Click events that came by the stream; the first valid record of each counts.',
  source: 'streaming_clickstream',
  owner: 'stream',
  winner: { keep: 'first' },
  key: ['event_id'],
  partitionBy: ['event_date'],
  sortBy: ['event_timestamp', 'event_id'],
  columns: {
    ...eventColumns,
    page_load_time_ms: integer('Time until the page was there', 'ms'),
    time_on_page_sec: integer('Time spent on the page', 's'),
    scroll_depth_pct: rate('How far down the page was read'),
  },
  rules: [
    ...eventRules,
    {
      name: 'event_in_future',
      description: 'The event is later than the day after it was enqueued',
      broken: 'datediff(event_date, _enqueued_on) > 1',
    },
  ],
  recompute: {
    by: ['event_id'],
    from: [{ input: 'bronze.streaming_clickstream', by: ['event_id'] }],
    asOf: false,
  },
});
