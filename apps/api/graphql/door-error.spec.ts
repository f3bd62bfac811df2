import { LakeError } from '#errors';
import { toDoorError } from './door-error.js';

it.each<[unknown, string, number]>([
  [new LakeError('too-many-groups', 'invalid', 'there are too many'), 'QUERY_TOO_COSTLY', 400],
  [new LakeError('release-gone', 'notFound', 'it is gone'), 'RELEASE_GONE', 410],
  [new LakeError('serving.timeout', 'unavailable', 'it took too long'), 'TIMEOUT', 503],
  [new LakeError('serving.busy', 'unavailable', 'too many ask'), 'UNAVAILABLE', 503],
])('%s has a code of its own and says what to do', (error, code, status) => {
  const { message } = error as LakeError;
  expect(toDoorError(error, 'id')).toMatchObject({ code, status, message, errors: [{ detail: message }] });
});

it.each<[unknown, string, number]>([
  [new LakeError('storage.failed', 'unavailable', '/secret/path'), 'UNAVAILABLE', 503],
  [new LakeError('engine.query_failed', 'invalid', 'SELECT secret'), 'INTERNAL_SERVER_ERROR', 500],
  [new TypeError('secret'), 'INTERNAL_SERVER_ERROR', 500],
])('%s is told without its words', (error, code, status) => {
  const shown = toDoorError(error, 'id');
  expect(shown).toMatchObject({ code, status });
  expect(JSON.stringify(shown)).not.toMatch(/secret/);
});
