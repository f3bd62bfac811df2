import { createRequire } from 'node:module';

const { default: Sequencer } = createRequire(import.meta.url)('@jest/test-sequencer');

/** Whole runs, killed and repeated, outlast the rest together: begun last, one worker would wait for them alone. */
const slowest = ['test/run/kill.spec.ts', 'test/launcher/', 'test/run/', 'apps/worker/', 'test/delta-rs/'];

/** A clean clone has no timings of earlier runs that Jest could order by. */
export default class SlowestFirst extends Sequencer {
  sort(tests) {
    const rank = ({ path }) => {
      const found = slowest.findIndex((part) => path.includes(part));
      return found < 0 ? slowest.length : found;
    };
    return super.sort(tests).toSorted((a, b) => rank(a) - rank(b));
  }
}
