import { LakeError } from '#errors';
import { toLakeError } from './query-error.js';

describe('toLakeError', () => {
  it.each([
    ['Out of Memory Error: could not allocate block of size 256.0 KiB', 'engine.out_of_memory'],
    ['Out of Memory Error: failed to offload data block of size 256.0 KiB (1 GiB/1 GiB used)', 'engine.disk_full'],
    ['IO Error: Could not write file "/work/x": No space left on device', 'engine.disk_full'],
    ['INTERRUPT Error: Interrupted!', 'engine.cancelled'],
    ['Binder Error: Referenced column "x" not found', 'engine.query_failed'],
  ])('reads "%s" as %s', (message, code) => {
    expect(toLakeError(new Error(message), 'computing silver.orders')).toMatchObject({
      code,
      message: expect.stringContaining('computing silver.orders') as string,
    });
  });

  it('wraps once', () => {
    const error = new LakeError('sql.refused', 'invalid', 'no');
    expect(toLakeError(error, 'reading')).toBe(error);
  });
});
