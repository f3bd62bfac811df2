import { PassThrough } from 'node:stream';
import { LakeError } from '#errors';
import { errorText } from './error-text.js';
import { startProgress } from './progress.js';
import { countText, rowLayout, tableText } from './table-text.js';
import { Terminal } from './terminal.js';

describe('a printed table', () => {
  const columns = [
    { title: 'name', align: 'left' },
    { title: 'rows', align: 'right' },
  ] as const;

  it('is aligned, without trailing blanks', () => {
    expect(
      tableText(columns, [
        ['gold/fact_sales', '4,780'],
        ['ä', '1'],
      ]),
    ).toBe(['name              rows', 'gold/fact_sales  4,780', 'ä                    1'].join('\n'));
  });

  it('lets a cell stick out that was not measured', () => {
    expect(rowLayout(columns, [['a', '1']])(['longer', '2'])).toBe('longer     2');
  });

  it('groups digits, and shows what has no meaning as a dash', () => {
    expect([countText(1234567), countText(0), countText(null)]).toEqual(['1,234,567', '0', '-']);
  });
});

describe('a printed error', () => {
  const error = new LakeError('delta.corrupt', 'corrupt', 'the log has a gap: restore version 3', {
    at: { table: 'gold/fact_sales', version: 3 },
    cause: new Error('ENOENT\nmore'),
  });

  it('has message, code, place and cause, and no stack', () => {
    expect(errorText(error, false)).toBe(
      'Error: the log has a gap: restore version 3\n  code: delta.corrupt\n  where: table gold/fact_sales, version 3\n  cause: ENOENT',
    );
  });

  it('has the stack when debugging', () => {
    expect(errorText(error, true)).toContain('terminal.spec');
  });

  it('says whatever else was thrown', () => {
    expect(errorText('odd', false)).toBe('Error: odd');
  });
});

describe('the terminal', () => {
  const open = (level: 'info' | 'warn', isTTY = false) => {
    const out = new PassThrough();
    const err = Object.assign(new PassThrough(), { isTTY });
    const texts = () => ({ out: String(out.read() ?? ''), err: String(err.read() ?? '') });
    return { terminal: new Terminal(out, err, level), texts };
  };

  it('keeps results and talk apart', () => {
    const { terminal, texts } = open('info');
    terminal.json({ a: 1 });
    terminal.log('info', 'working');
    expect(texts()).toEqual({ out: '{"a":1}\n', err: 'working\n' });
  });

  it('is silent below its level', () => {
    const { terminal, texts } = open('warn');
    terminal.log('info', 'working');
    startProgress(terminal).step(1, 2, 'orders');
    expect(texts().err).toBe('');
  });

  it('shows progress as plain lines where nobody watches', () => {
    const { terminal, texts } = open('info');
    const progress = startProgress(terminal);
    progress.step(1, 2, 'orders');
    progress.end();
    expect(texts()).toEqual({ out: '', err: '[1/2] orders\n' });
  });
});
