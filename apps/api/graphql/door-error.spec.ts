import { LakeError } from '#errors';
import { toDoorError } from './door-error.js';
import { ErrorForm } from './error-form.js';

it.each([
  ['too-many-groups', 'invalid', 'QUERY_TOO_COSTLY', 400],
  ['release-gone', 'notFound', 'RELEASE_GONE', 410],
  ['serving.timeout', 'unavailable', 'TIMEOUT', 504],
  ['serving.busy', 'unavailable', 'UNAVAILABLE', 503],
] as const)('%s is told, with a code of this door', (own, kind, code, status) => {
  const message = 'what to do';
  expect(toDoorError(new LakeError(own, kind, message), 'id')).toMatchObject({
    code,
    status,
    message,
    errors: [{ detail: message }],
  });
});

it.each([
  ['a store that fails', new LakeError('storage.failed', 'unavailable', '/secret/path'), 'UNAVAILABLE', 503],
  ['SQL that fails', new LakeError('engine.query_failed', 'invalid', 'secret'), 'INTERNAL_SERVER_ERROR', 500],
  ['what nobody expected', new TypeError('secret'), 'INTERNAL_SERVER_ERROR', 500],
] as const)('%s is told without its words', (_, error, code, status) => {
  const shown = toDoorError(error, 'id');
  expect(shown).toMatchObject({ code, status });
  expect(JSON.stringify(shown)).not.toMatch(/secret/);
});

it('an asker who left is no failure to log, and a store that fails is', () => {
  const warned: unknown[] = [];
  const form = new ErrorForm({ error: () => undefined, warn: (...entry: unknown[]) => void warned.push(entry[0]) });
  form.of(new LakeError('engine.cancelled', 'unavailable', 'cancelled'), 'left');
  form.of(new LakeError('storage.failed', 'unavailable', '/secret/path'), 'failed');
  expect(warned).toMatchObject([{ request_id: 'failed', code: 'UNAVAILABLE' }]);
});
