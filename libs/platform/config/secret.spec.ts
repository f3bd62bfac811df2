import { inspect } from 'node:util';
import { Secret } from './secret.js';

describe('a secret', () => {
  const secret = new Secret('hunter2');

  it('prints as *** in text, JSON and logs', () => {
    expect(
      [
        `${String(secret)}`,
        JSON.stringify({ secret }),
        inspect({ secret }),
        inspect(secret, { showHidden: true }),
      ].join(),
    ).not.toContain('hunter2');
    expect(JSON.stringify({ secret })).toBe('{"secret":"***"}');
  });

  it('is given away by reveal alone', () => {
    expect(secret.reveal()).toBe('hunter2');
  });
});
