import { openLog } from '#platform';
import { Dispatch, type JobHandler } from './dispatch.js';

const log = openLog('test', 'error');
const aHandler = (name: JobHandler['name']): JobHandler => ({ name, handle: () => Promise.resolve() });

it('a queue does not start unless each of its jobs has exactly one handler', () => {
  const [vacuum, toFile, plan, run] = [aHandler('vacuum'), aHandler('export'), aHandler('plan'), aHandler('run')];
  expect(() => new Dispatch('maintenance', [vacuum, toFile, plan], log)).not.toThrow();
  for (const handlers of [[vacuum], [vacuum, vacuum], [vacuum, toFile, toFile], [vacuum, toFile, run]])
    expect(() => new Dispatch('maintenance', handlers, log)).toThrow('needs one handler each of export, plan, vacuum');
});
