import { GraphQLInt, GraphQLString, type GraphQLFieldConfig } from 'graphql';
import { MAX_RECORDS } from '#serving';
import { listOf, objectType, required } from './object-type.js';
import type { Operation } from './operation.js';
import { limitOf, type Traceable } from './row-plan.js';
import { GraphQLBigInt, GraphQLDateTime } from './scalar.js';
import type { Selection } from './selection.js';
import type { TableShape } from './table-shape.js';

/** As costly as so many values: a statement goes through all tables behind the row. */
const COST_OF_TRACE = 9_000;
/** Records of a row unless the field says otherwise. */
const DEFAULT_RECORDS = 100;

const RecordRepair = objectType('RecordRepair', 'A repair of a record.', {
  repair: { type: required(GraphQLString), description: 'Its number.' },
  by: required(GraphQLString),
  at: required(GraphQLDateTime),
  reason: GraphQLString,
  load: { type: required(GraphQLBigInt), description: 'By which it came.' },
  record: { type: GraphQLString, description: 'What counts in place of the record.' },
});

const SourceRecord = objectType('SourceRecord', 'A record of a source that a row follows from.', {
  table: { type: required(GraphQLString), description: 'Of the source: bronze.orders.' },
  load: { type: required(GraphQLBigInt), description: 'That brought it.' },
  file: { type: required(GraphQLString), description: 'Below the landing folder.' },
  line: { type: GraphQLBigInt, description: 'On which the record starts; null in a JSON array.' },
  row: { type: required(GraphQLBigInt), description: 'Its place in the file, from 1.' },
  record: {
    type: GraphQLString,
    description:
      'Verbatim of a JSON source, else its fields as a JSON object. Without the scope pii:read personal fields are null.',
  },
  repair: RecordRepair,
});

/** `provenance(first): [SourceRecord!]!` of rows that carry a `Traceable` under that name. */
export const provenanceField: GraphQLFieldConfig<unknown, Operation> = {
  type: listOf(SourceRecord),
  description: 'The bronze records behind the row, source by source. REST pages through all of them.',
  args: { first: { type: GraphQLInt, description: `${DEFAULT_RECORDS} unless given, at most 1,000.` } },
  resolve: async (row, { first }: { readonly first?: number | null }, operation) => {
    const { shape, key, from } = (row as { readonly provenance: Traceable }).provenance;
    const records = await operation.provenance(shape, key, recordsAsked(first), from);
    return records.map((record) => ({
      ...record,
      load: String(record.load),
      row: String(record.row),
      line: record.line === null ? null : String(record.line),
      repair: record.repair === null ? null : { ...record.repair, load: String(record.repair.load) },
    }));
  },
};

/** What provenance adds to the cost of one row, wherever it was selected in it. Throws for a bad limit. */
export function costOfProvenance(selection: Selection, shape: TableShape): number {
  let cost = 0;
  for (const { first } of selection.argumentsOf('provenance')) {
    cost += COST_OF_TRACE + recordsAsked(first as number | null | undefined) * selection.at('provenance').size;
  }
  for (const { name, to } of shape.relations.values()) {
    if (selection.has(name)) cost += costOfProvenance(selection.at(name), to);
  }
  return cost;
}

function recordsAsked(first: number | null | undefined): number {
  return limitOf(first, '/first', DEFAULT_RECORDS, MAX_RECORDS);
}
