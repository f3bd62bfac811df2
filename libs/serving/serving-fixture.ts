import {
  date,
  decimal,
  integer,
  long,
  maybe,
  pii,
  pseudonym,
  required,
  table,
  text,
  timestamp,
  type TableContract,
} from '#contracts';
import { toDuckDbType, type Engine, type Row, type Value } from '#engine';
import type { Tables } from './field.js';
import { quoted } from './sql.js';

const recompute = { by: [], from: [], asOf: false };

/** Three small tables: lines, the things on them, the things' makers. Every type, a key with NULL, personal columns. */
export const line = table('gold/line', {
  describes: 'Lines',
  key: ['order_id', 'place'],
  columns: {
    order_id: required(text('Order')),
    place: integer('Place'),
    thing_id: long('Thing'),
    word: text('Text'),
    pieces: integer('INTEGER'),
    big: long('BIGINT'),
    amount: decimal(9, 2, 'DECIMAL'),
    is_gift: maybe('BOOLEAN'),
    day: date('DATE'),
    sold_at: timestamp('TIMESTAMP'),
    buyer: pii(text('Name')),
    buyer_hash: pseudonym(text('Hash')),
  },
  relations: [{ name: 'thing', to: 'gold/thing', columns: ['thing_id'], references: ['thing_id'] }],
  recompute,
});

export const thing = table('gold/thing', {
  describes: 'Things',
  key: ['thing_id'],
  columns: {
    thing_id: required(long('Thing')),
    category: text('Category'),
    price: decimal(18, 2, 'Price'),
    maker_id: integer('Maker'),
  },
  relations: [
    { name: 'maker', to: 'gold/maker', columns: ['maker_id'], references: ['maker_id'] },
    { name: 'namesake', to: 'gold/maker', columns: ['category'], references: ['country'] },
  ],
  recompute,
});

const maker = table('gold/maker', {
  describes: 'Makers',
  key: ['maker_id'],
  columns: { maker_id: required(integer('Maker')), country: text('Country'), owner: pii(text('Owner')) },
  recompute,
});

export const tables: Tables = {
  byName: new Map([line, thing, maker].map((contract) => [contract.name, { contract, sql: '' }])),
};

export interface ShopRows {
  readonly line: readonly Row[];
  readonly thing: readonly Row[];
  readonly maker: readonly Row[];
}

/** Makes the rows readable under the tables' names. */
export async function bindShop(engine: Engine, rows: ShopRows): Promise<void> {
  await bindRows(engine, line, rows.line);
  await bindRows(engine, thing, rows.thing);
  await bindRows(engine, maker, rows.maker);
}

export async function bindRows(engine: Engine, contract: TableContract, rows: readonly Row[]): Promise<void> {
  const columns = Object.entries(contract.columns);
  const selects = rows.map((row) => {
    const values = columns.map(([name, { type }]) => `CAST(${literal(row[name] ?? null)} AS ${toDuckDbType(type)})`);
    return `(${values.join(', ')})`;
  });
  const names = columns.map(([name]) => quoted(name)).join(', ');
  const none = columns.map(([name, { type }]) => `CAST(NULL AS ${toDuckDbType(type)}) AS ${quoted(name)}`).join(', ');
  const sql =
    rows.length === 0 ? `SELECT ${none} WHERE false` : `SELECT * FROM (VALUES ${selects.join(', ')}) v(${names})`;
  await engine.stage(contract.name.replace('/', '.'), sql);
}

function literal(value: Value): string {
  return value === null ? 'NULL' : `'${String(value).replaceAll("'", "''").replaceAll('\0', "' || chr(0) || '")}'`;
}
