import {
  catalogue,
  count,
  date,
  required,
  requires,
  silverTable,
  source,
  table,
  text,
  type Catalogue,
} from '#contracts';

/** What a later version of the event shop does otherwise. */
export type EventVariant = 'first' | 'without_searches';

const events = source('events', {
  format: 'json',
  folder: 'events',
  fields: {
    event_id: { kind: 'id' },
    visit_id: { kind: 'id' },
    what: { kind: 'text' },
    seen_on: { kind: 'date' },
  },
});

/** The first valid record of an event stays, whatever comes later. */
const silverEvents = {
  contract: silverTable('silver/events', {
    describes: 'Events.',
    source: 'events',
    winner: { keep: 'first' },
    key: ['event_id'],
    partitionBy: ['seen_on'],
    columns: {
      event_id: required(text('Event')),
      visit_id: required(text('Visit')),
      what: text('What happened'),
      seen_on: required(date('Day')),
    },
    rules: [
      requires('event_id'),
      requires('visit_id'),
      requires('seen_on'),
      { name: 'seen_in_future', description: 'seen_on is after as_of', broken: 'seen_on > :as_of' },
    ],
    recompute: { by: ['event_id'], from: [{ input: 'bronze.events', by: ['event_id'] }], asOf: true },
  }),
  sql: `SELECT event_id, visit_id, what, seen_on, _source_file, _source_row, _source_line, _batch_id, _position,
    _loaded_as_of, _unread, FALSE AS _overflow FROM parsed.events`,
};

const visits = (variant: EventVariant) => ({
  contract: silverTable('silver/visits', {
    describes: 'Visits.',
    key: ['visit_id', 'what'],
    columns: {
      visit_id: required(text('Visit')),
      what: text('What happened'),
      events: required(count('Events')),
      first_event: required(text('The first of them')),
      began_on: required(date('First day of the whole visit')),
    },
    recompute: { by: ['visit_id'], from: [{ input: 'silver.events', by: ['visit_id'] }], asOf: false },
  }),
  sql: `SELECT visit_id, what, CAST(count(*) AS INTEGER) AS events, min(event_id) AS first_event,
      min(min(seen_on)) OVER (PARTITION BY visit_id) AS began_on
    FROM silver.events ${variant === 'without_searches' ? "WHERE what IS DISTINCT FROM 'search'" : ''}
    GROUP BY visit_id, what`,
});

const kinds = {
  contract: table('gold/kinds', {
    describes: 'What happened how often.',
    key: ['what'],
    columns: { what: text('What happened'), visits: required(count('Visits')), events: required(count('Events')) },
    recompute: { by: ['what'], from: [{ input: 'silver.visits', by: ['what'] }], asOf: false },
  }),
  sql: `SELECT what, CAST(count(DISTINCT visit_id) AS INTEGER) AS visits, CAST(sum(events) AS INTEGER) AS events
    FROM silver.visits GROUP BY what`,
};

/** One source of events, of which the first of an id wins, and tables that sum them up one over the other. */
export function eventShop(variant: EventVariant = 'first'): Catalogue {
  return catalogue({ sources: [events], tables: [silverEvents, visits(variant), kinds] });
}
