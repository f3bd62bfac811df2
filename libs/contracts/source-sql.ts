import { assert, assertNever } from '#errors';
import type { FieldParser, SilverContract, Source } from './contract.js';

/** 2^32: a position is the load's number times this, plus the record's ordinal in the load. */
const LOAD_STEP = '4294967296';

/**
 * The query behind `parsed.<source>`: bronze records in file order's coordinates, each field read by its parser, and
 * `_unread` where the record or a field could not be read. It is run over every record, so it names no reasons.
 */
export function parsedSelect(source: Source): string {
  const fields = Object.entries(source.fields);
  const fallible = fields.filter(([, parser]) => canFail(parser)).map(([name]) => name);
  const extra = Object.keys(source.bronzeColumns ?? {});
  // CASE, because only there an engine leaves out the work for the other rows
  const failures = fallible.map((name) => `CASE WHEN ${name} IS NULL THEN ${isText(`_text_${name}`)} ELSE FALSE END`);
  return `SELECT ${fields.map(([name]) => name).join(', ')}, ${extra.map((name) => `${name}, `).join('')}
  _source_file, _source_row, _source_line, _batch_id, _position, _loaded_as_of,
  (${['_malformed', ...failures].join('\n    OR ')}) AS _unread
FROM (
  SELECT
    ${fields.map(([name, parser]) => `${parse(parser, `b.${name}`)} AS ${name}`).join(',\n    ')},
    ${fallible.map((name) => `b.${name} AS _text_${name}, `).join('')}${extra.map((name) => `b.${name}, `).join('')}
    b._malformed, b._source_file, b._source_row, b._source_line, b._batch_id, b._as_of AS _loaded_as_of,
    b._batch_id * ${LOAD_STEP} + l.row_offset + b._source_row AS _position
  FROM bronze.${source.name} b
  JOIN bronze.loads l ON l.source = '${source.name}' AND l.load = b._batch_id AND l.path = b._source_file
) fields_read`;
}

/** An expression for the list of fields of a bronze record that could not be read, as rule names; or `malformed` alone. */
export function castFailures(source: Source, bronze = 'b'): string {
  const names = Object.entries(source.fields)
    .filter(([, parser]) => canFail(parser))
    .map(([name, parser]) => {
      const value = `${bronze}.${name}`;
      return `CASE WHEN ${isText(value)} AND ${parse(parser, value)} IS NULL THEN 'cast_${name}' END`;
    });
  return `CASE WHEN ${bronze}._malformed THEN ['malformed'] ELSE ${listOf(names)} END`;
}

/**
 * An expression over the transform's columns for the list of rules that a record breaks. Given an expression for the
 * record's cast failures, a field that came and could not be read is not called missing as well.
 */
export function ruleList(contract: SilverContract, castFailures?: string): string {
  const names = contract.rules.map(({ name, broken, requires }) => {
    const excused = castFailures === undefined || requires === undefined;
    const condition = excused ? broken : `(${broken}) AND NOT list_contains(${castFailures}, 'cast_${requires}')`;
    return `CASE WHEN ${condition} THEN '${name}' END`;
  });
  return listOf([...names, `CASE WHEN _overflow THEN 'overflow' END`]);
}

/** All reasons for a rejected record: `malformed` alone, else failed casts and then broken rules. */
export function rejectReasons(contract: SilverContract, source: Source, bronze = 'b'): string {
  const casts = castFailures(source, bronze);
  return `CASE WHEN ${bronze}._malformed THEN ['malformed'] ELSE list_concat(${casts}, ${ruleList(contract, casts)}) END`;
}

/** A condition over the transform's columns: the record is to be rejected. Never NULL, and cheap. */
export function brokenAny(contract: SilverContract): string {
  return `coalesce(_unread OR _overflow${contract.rules.map(({ broken }) => ` OR (${broken})`).join('')}, FALSE)`;
}

/** An expression for a bronze record's field as its parser reads it. */
export function parsedField(source: Source, field: string, bronze = 'b'): string {
  const parser = source.fields[field];
  assert(parser !== undefined, `${source.name} has the field ${field}`);
  return parse(parser, `${bronze}.${field}`);
}

/** An expression for a bronze record as it came: verbatim where bronze keeps it, else its fields as one JSON object. */
export function recordText({ fields }: Source, bronze = 'b'): string {
  const members = Object.keys(fields).map((name) => `${name} := ${bronze}.${name}`);
  return `coalesce(${bronze}._record, CAST(json_merge_patch(to_json(struct_pack(${members.join(', ')})), coalesce(${bronze}._rescued, '{}')) AS VARCHAR))`;
}

function parse(parser: FieldParser, value: string): string {
  switch (parser.kind) {
    case 'id':
      return `parse_id(${value})`;
    case 'text':
      return `parse_text(${value})`;
    case 'integer':
      return `parse_int(${value})`;
    case 'boolean':
      return `parse_bool(${value})`;
    case 'date':
      return `parse_date(${value})`;
    case 'timestamp':
      return `parse_utc(${value})`;
    case 'decimal':
      return `${parser.precision === 18 ? 'parse_money' : parser.scale === 3 ? 'parse_weight' : 'parse_rate'}(${value})`;
    case 'json':
      return `CASE WHEN starts_with(${value}, '{') AND json_valid(${value}) THEN ${value} END`;
    default:
      return assertNever(parser);
  }
}

/** An empty list is how some exports write an empty object. */
function isText(value: string): string {
  return `(parse_id(${value}) IS NOT NULL AND ${value} <> '[]')`;
}

/** Text takes anything. */
function canFail({ kind }: FieldParser): boolean {
  return kind !== 'id' && kind !== 'text';
}

function listOf(names: readonly string[]): string {
  return `list_filter(CAST([${names.join(', ')}] AS VARCHAR[]), lambda rule: rule IS NOT NULL)`;
}
