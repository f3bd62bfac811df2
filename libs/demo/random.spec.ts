import fc from 'fast-check';
import { exp, hash, permutation, unevenShare } from './random.js';

describe('permutation', () => {
  it('visits every index once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), fc.nat(), (n, seed) => {
        const permute = permutation(n, seed, 1);
        const seen = new Set(Array.from({ length: n }, (_, index) => permute(index)));
        return seen.size === n && Math.max(...seen) === n - 1;
      }),
    );
  });
});

describe('unevenShare', () => {
  it('deals every unit and never a negative share', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.nat(5000), fc.nat(), (n, total, seed) => {
        const shares = Array.from({ length: n }, (_, rank) => unevenShare(rank, n, total, seed, 1));
        return shares.every((share) => share >= 0) && shares.reduce((sum, share) => sum + share, 0) === total;
      }),
    );
  });
});

describe('exp', () => {
  it('agrees with the exponential function over the range in use', () => {
    for (let x = -3; x <= 3; x += 0.1) expect(exp(x) / Math.exp(x)).toBeCloseTo(1, 9);
  });
});

describe('hash', () => {
  it('gives the words it always gave, so that data sets stay the same', () => {
    expect([hash(42, 1, 0), hash(42, 1, 1), hash(43, 1, 0), hash(42, 2, 0)]).toEqual([
      2816061020, 1829790159, 1074519050, 2948855578,
    ]);
  });
});
