import fc from 'fast-check';
import { filesToMerge, type SizedFile } from './compaction.js';

interface Generation extends SizedFile {
  readonly writes: number;
}

/** What a run does to a partition: it merges what the rule says, then appends a file. */
function append(files: readonly Generation[], rows: number, targetBytes: number): readonly Generation[] {
  const merged = filesToMerge(files, targetBytes);
  const kept = files.filter((file) => !merged.includes(file));
  const sum = (of: (file: Generation) => number) => merged.reduce((total, file) => total + of(file), 0);
  const one = { rows: sum((file) => file.rows), bytes: sum((file) => file.bytes) };
  const writes = 1 + Math.max(0, ...merged.map((file) => file.writes));
  return [...kept, ...(merged.length === 0 ? [] : [{ ...one, writes }]), { rows, bytes: 10 * rows, writes: 1 }];
}

const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 20_000 })), {
  minLength: 1,
  maxLength: 400,
});

describe('the rule of compaction', () => {
  it('keeps few files, and writes no row again more often than its file can double', () => {
    fc.assert(
      fc.property(sizes, (runs) => {
        const targetBytes = 1_000_000;
        let files: readonly Generation[] = [];
        let total = 0;
        for (const rows of runs) {
          files = append(files, rows, targetBytes);
          total += rows;
          const full = files.filter(({ bytes }) => bytes >= targetBytes / 2);
          // one that just came, and one a doubling; a merge may still be due from the file that came before
          expect(files.length - full.length).toBeLessThanOrEqual(Math.log2(total) + 3);
          for (const file of files) expect(2 ** (file.writes - 1)).toBeLessThanOrEqual(file.rows);
          expect(files.reduce((sum, file) => sum + file.rows, 0)).toBe(total);
        }
      }),
    );
  });

  it('leaves alone what is half full, a single file, and files of which each is larger than all smaller ones', () => {
    const file = (rows: number, bytes = rows) => ({ rows, bytes });
    expect(filesToMerge([file(50), file(50)], 100)).toEqual([]);
    expect(filesToMerge([file(1)], 100)).toEqual([]);
    expect(filesToMerge([file(1), file(2), file(4), file(8)], 100)).toEqual([]);
    expect(filesToMerge([file(8), file(1), file(3), file(1)], 100)).toEqual([file(1), file(1)]);
  });

  it('merges no more at once than two full files hold', () => {
    const files = Array.from({ length: 100 }, () => ({ rows: 40, bytes: 40 }));
    expect(filesToMerge(files, 100)).toHaveLength(5);
  });
});
