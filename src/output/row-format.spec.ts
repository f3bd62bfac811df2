import type { QueryColumn } from '#engine';
import { csvHeader, csvRow, jsonRow } from './row-format.js';

const columns: readonly QueryColumn[] = [
  { name: 'id', type: 'VARCHAR' },
  { name: 'amount', type: 'DECIMAL(18,2)' },
  { name: 'sk', type: 'BIGINT' },
  { name: 'rules', type: 'VARCHAR[]' },
  { name: 'open', type: 'BOOLEAN' },
];

describe('a CSV row', () => {
  it('quotes what RFC 4180 says must be quoted, and ends in CRLF', () => {
    const row = { id: 'a,"b"\nc', amount: '12.50', sk: '9007199254740993', rules: ['x', 'y'], open: true };
    expect(csvRow(columns, row)).toBe('"a,""b""\nc",12.50,9007199254740993,"[""x"",""y""]",true\r\n');
  });

  it('tells NULL from empty text', () => {
    expect(csvRow(columns, { id: '', amount: null, sk: null, rules: null, open: null })).toBe('"",,,,\r\n');
  });

  it('has the column names as header', () => {
    expect(csvHeader(columns)).toBe('id,amount,sk,rules,open\r\n');
  });
});

describe('a JSON row', () => {
  it('keeps the digits of decimals and 64-bit integers as numbers, and text that looks like one as text', () => {
    const row = { id: '007', amount: '12.50', sk: '9007199254740993', rules: ['x'], open: false };
    expect(jsonRow(columns, row)).toBe('{"id":"007","amount":12.50,"sk":9007199254740993,"rules":["x"],"open":false}');
  });

  it('writes every column, NULL as null', () => {
    expect(jsonRow(columns, {})).toBe('{"id":null,"amount":null,"sk":null,"rules":null,"open":null}');
  });
});
