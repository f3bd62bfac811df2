import { isUtf8 } from 'node:buffer';
import { parseCsvHeader, type CsvHeader } from './csv-record.js';
import type { PlainScan } from './plain.js';

const maxLineBytes = 1 << 20;

/**
 * Decides whether a CSV file is so plain that any reader reads it the same: UTF-8, no quotes, one kind of line end, no
 * blank lines, every line as wide as the header.
 */
export class PlainCsvScan implements PlainScan {
  records = 0;
  plain = true;
  header: CsvHeader | undefined;
  private commas = 0;
  private crlf = false;

  constructor(private readonly fields: readonly string[]) {}

  takeLines(block: Buffer): void {
    const start = this.header === undefined ? this.takeHeader(block) : 0;
    if (!this.plain || !isUtf8(block)) {
      this.plain = false;
      return;
    }
    const { commas: width, crlf } = this;
    const size = block.length;
    let commas = 0;
    let from = start;
    let records = 0;
    for (let at = start; at < size; at += 1) {
      const byte = block[at] as number;
      if (byte > 44) continue;
      if (byte === 44) {
        commas += 1;
      } else if (byte === 10) {
        if (commas !== width || at - from > maxLineBytes || (crlf && block[at - 1] !== 13)) return this.refuse();
        commas = 0;
        from = at + 1;
        records += 1;
      } else if (byte === 34 || (byte < 32 && byte !== 9)) {
        if (byte !== 13 || !crlf || block[at + 1] !== 10) return this.refuse();
      }
    }
    this.records += records;
  }

  private takeHeader(block: Buffer): number {
    const end = block.indexOf(10);
    this.crlf = block[end - 1] === 13;
    const from = block[0] === 0xef && block[1] === 0xbb && block[2] === 0xbf ? 3 : 0;
    const text = block.toString('utf8', from, this.crlf ? end - 1 : end);
    this.header = parseCsvHeader(text.split(','), this.fields);
    this.commas = this.header.width - 1;
    // one column alone cannot be told from a blank line
    // eslint-disable-next-line no-control-regex -- control characters are what is looked for
    if (this.commas === 0 || /["\u0000-\u0008\u000a-\u001f]/.test(text)) this.refuse();
    return end + 1;
  }

  private refuse(): void {
    this.plain = false;
  }
}
