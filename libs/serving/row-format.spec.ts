import { csvHeader, csvRowWriter, engineTextColumns, jsonRowWriter, textColumns } from './row-format.js';

const columns = engineTextColumns([
  { name: 'id', type: 'VARCHAR' },
  { name: 'amount', type: 'DECIMAL(18,2)' },
  { name: 'sk', type: 'BIGINT' },
  { name: 'rules', type: 'VARCHAR[]' },
  { name: 'open', type: 'BOOLEAN' },
]);

describe('a CSV row', () => {
  const csvRow = csvRowWriter(columns);

  it('quotes what RFC 4180 says must be quoted, and ends in CRLF', () => {
    const row = { id: 'a,"b"\nc', amount: '12.50', sk: '9007199254740993', rules: ['x', 'y'], open: true };
    expect(csvRow(row)).toBe('"a,""b""\nc",12.50,9007199254740993,"[""x"",""y""]",true\r\n');
  });

  it('tells NULL from empty text', () => {
    expect(csvRow({ id: '', amount: null, sk: null, rules: null, open: null })).toBe('"",,,,\r\n');
  });

  it('has the column names as header', () => {
    expect(csvHeader(columns)).toBe('id,amount,sk,rules,open\r\n');
  });

  it('can keep spreadsheets from running text, and leaves negative numbers alone', () => {
    const safe = csvRowWriter(columns, { quoteFormulas: true });
    const row = { amount: '-1.50', sk: '-2', rules: null, open: null };
    expect(['=1+1', '+1', '-1', '@a', '\tx', 'a=1'].map((id) => safe({ id, ...row }))).toEqual(
      ["'=1+1", "'+1", "'-1", "'@a", "'\tx", 'a=1'].map((id) => `${id},-1.50,-2,,\r\n`),
    );
  });
});

describe('a JSON row', () => {
  it('keeps the digits of decimals and 64-bit integers as numbers, and text that looks like one as text', () => {
    const row = { id: '007', amount: '12.50', sk: '9007199254740993', rules: ['x'], open: false };
    expect(jsonRowWriter(columns)(row)).toBe(
      '{"id":"007","amount":12.50,"sk":9007199254740993,"rules":["x"],"open":false}',
    );
  });

  it('writes every column, NULL as null', () => {
    expect(jsonRowWriter(columns)({})).toBe('{"id":null,"amount":null,"sk":null,"rules":null,"open":null}');
  });

  it('can write decimals as text', () => {
    const outputs = textColumns(
      [
        { name: 'amount', type: { kind: 'decimal', precision: 18, scale: 2 } },
        { name: 'sk', type: { kind: 'long' } },
      ],
      { decimals: 'string' },
    );
    expect(jsonRowWriter(outputs)({ amount: '12.50', sk: '7' })).toBe('{"amount":"12.50","sk":7}');
  });
});
