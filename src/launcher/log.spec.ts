import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import { Terminal } from '../terminal/terminal.js';
import { LogFile } from './log-file.js';
import { fileLines, parseLine, terminalLine } from './log-line.js';
import { ShopLog } from './shop-log.js';

const NOW = new Date('2026-02-17T16:03:12.345Z');

describe('a line of a program', () => {
  const parsed = (line: string) => parseLine(line, 'api', 'info', NOW);

  it('is read as pino writes it: level, words, fields, the time it was said', () => {
    const entry = parsed(
      '{"level":40,"time":"2026-02-17T10:00:00.000Z","name":"api","msg":"slow","ms":12,"path":"/a b"}',
    );
    expect(entry).toMatchObject({ level: 'warn', text: 'warn: slow ms=12 path="/a b"' });
    expect(fileLines(entry)).toBe('2026-02-17T10:00:00.000Z api      warn: slow ms=12 path="/a b"\n');
  });

  it('keeps the stack of an error for the file', () => {
    const entry = parsed(
      '{"level":50,"msg":"failed","err":{"message":"no room","stack":"Error: no room\\n    at x.ts:1"}}',
    );
    expect(terminalLine(entry)).toMatch(/^\d\d:\d\d:\d\d api {6}error: failed error="no room"$/);
    expect(fileLines(entry)).toBe(
      '2026-02-17T16:03:12.345Z api      error: failed error="no room"\n    Error: no room\n    at x.ts:1\n',
    );
  });

  it.each(['plain words', '{half a', '{"no":"level"}', '[1]'])(
    'is kept as it is when it is no JSON of a log: %s',
    (line) => {
      expect(parsed(line)).toMatchObject({ text: line, level: 'info', at: NOW });
    },
  );

  it('cannot steer the terminal', () => {
    expect(terminalLine(parsed('{"level":30,"msg":"a\\u001b[2Jb\\rc"}'))).toMatch(/a\\u001b\[2Jb\\u000dc$/);
  });
});

describe('the log of all programs', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'log-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('takes lines that come in pieces, and cuts one that never ends', async () => {
    const err = new PassThrough();
    const path = join(folder, 'deep/shop.log');
    const log = new ShopLog(new Terminal(new PassThrough(), err, 'info'), new LogFile(path, 1_000_000));
    const output = new PassThrough();
    log.follow('worker', 'info', output);
    for (const piece of ['one\ntw', 'o\n', 'x'.repeat(50_000), 'last']) output.write(piece);
    output.end();
    await finished(output);
    log.close();
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => line.slice(34, 38))).toEqual(['one', 'two', 'xxxx', 'last']);
    expect(lines[2]?.length).toBeLessThan(33_000);
    expect(String(err.read())).toMatch(/worker +two\n/);
  });

  it('never takes more than twice its limit, and keeps the newest lines', () => {
    const path = join(folder, 'shop.log');
    for (const start of [0, 50]) {
      const file = new LogFile(path, 1_000);
      for (let n = start; n < start + 50; n++) file.append(`${String(n).padStart(99, '.')}\n`);
      file.close();
    }
    expect(statSync(path).size + statSync(`${path}.1`).size).toBeLessThanOrEqual(2_000);
    const kept = readFileSync(`${path}.1`, 'utf8') + readFileSync(path, 'utf8');
    expect(kept.match(/\d+/g)).toEqual(Array.from({ length: 20 }, (_, n) => String(80 + n)));
  });
});
