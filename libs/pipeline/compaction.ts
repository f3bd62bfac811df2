/** What the rule sees of a file. */
export interface SizedFile {
  readonly rows: number;
  readonly bytes: number;
}

/**
 * Pure: which files of a partition to write together as one, none or at least two. The logarithmic method of Bentley and
 * Saxe ("Decomposable searching problems I", 1980), the idea behind size-tiered compaction: of the files that are far
 * from full, the smallest ones up to the last that has no more rows than all smaller ones together. So every row comes
 * into a file of at least twice the rows each time, which is seldom, and what is left at least doubles from file to
 * file, which is few. What is merged at once is bounded; a rest waits for the next time.
 */
export function filesToMerge<F extends SizedFile>(files: readonly F[], targetBytes: number): readonly F[] {
  const small = files.filter(({ bytes }) => bytes < targetBytes / 2).sort((a, b) => a.rows - b.rows);
  let count = 0;
  let rows = 0;
  let bytes = 0;
  for (const [at, file] of small.entries()) {
    bytes += file.bytes;
    if (bytes > 2 * targetBytes) break;
    if (at > 0 && file.rows <= rows) count = at + 1;
    rows += file.rows;
  }
  return small.slice(0, count);
}
