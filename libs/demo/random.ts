/**
 * Randomness that is a pure function of (seed, stream, index), so any record can be made again alone. Only integer
 * operations and + − × ÷, which every machine rounds alike: Math.exp and Math.pow may differ in the last bit.
 */

/** One 32-bit word per (seed, stream, index). */
export function hash(seed: number, stream: number, index: number): number {
  let word =
    Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(stream + 1, 0xc2b2ae35) ^ Math.imul(index, 0x27d4eb2f);
  word = Math.imul(word ^ (word >>> 15), 0x2c1b3c6d);
  word = Math.imul(word ^ (word >>> 12), 0x297a2d39);
  return (word ^ (word >>> 15)) >>> 0;
}

/** A reusable source of numbers: `throwFor` starts the sequence that belongs to one record. */
export class Dice {
  private state = 0;

  constructor(
    private readonly seed: number,
    private readonly stream: number,
  ) {}

  throwFor(index: number): this {
    this.state = hash(this.seed, this.stream, index);
    return this;
  }

  /** In [0, 1). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let word = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    return ((word ^ (word >>> 14)) >>> 0) / 4294967296;
  }

  /** An integer in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** Close to a standard normal: the sum of uniforms, so that no logarithm is needed. */
  normal(): number {
    let sum = -3;
    for (let i = 0; i < 6; i++) sum += this.next();
    return sum * 1.4142135623730951;
  }
}

/** e^x by a Taylor series on x/256 and eight squarings. */
export function exp(x: number): number {
  const part = x / 256;
  let value = 1 + part * (1 + (part / 2) * (1 + (part / 3) * (1 + part / 4)));
  for (let i = 0; i < 8; i++) value *= value;
  return value;
}

/**
 * A pseudo-random bijection of 0…n−1 (a Feistel network, walked until it lands inside): `permute(i) < m` chooses
 * exactly m of n without remembering any.
 */
export function permutation(n: number, seed: number, stream: number): (index: number) => number {
  let bits = 1;
  while (4 ** bits < n) bits++;
  const mask = 2 ** bits - 1;
  const keys = [0, 1, 2, 3].map((round) => hash(seed, stream, round));
  return (index) => {
    let at = index;
    do {
      let left = (at >>> bits) & mask;
      let right = at & mask;
      for (const key of keys) {
        let word = Math.imul(right ^ key, 0x85ebca6b);
        word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
        const mixed = left ^ ((word ^ (word >>> 16)) & mask);
        left = right;
        right = mixed;
      }
      at = ((left << bits) | right) >>> 0;
    } while (at >= n);
    return at;
  };
}

/** Share `rank` of `total` units over `n` takers: uneven, yet the shares of all ranks sum to exactly `total`. */
export function unevenShare(rank: number, n: number, total: number, seed: number, stream: number): number {
  const edge = (at: number) => {
    const jitter = at === 0 || at === n ? 0 : hash(seed, stream, at) / 4294967296;
    return Math.floor(((at + jitter) / n) * total);
  };
  return edge(rank + 1) - edge(rank);
}
