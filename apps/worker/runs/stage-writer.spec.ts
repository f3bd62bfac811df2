import { setTimeout } from 'node:timers/promises';
import { systemClock, type StageView } from '#platform';
import { StageWriter } from './stage-writer.js';

const about = (view: StageView | undefined) => `${view?.stage} ${view?.state} ${view?.done}/${view?.total}`;

it('a stage is written when it begins and ends, and steps between only now and then', async () => {
  const written: StageView[] = [];
  const stages = new StageWriter(systemClock, (view) => Promise.resolve(void written.push(view)));
  stages.tell({ kind: 'stage', state: 'begun', stage: 'load', done: 0, total: 1000 });
  await until(() => written.length > 0);
  expect(written.map(about)).toEqual(['load running 0/1000']);
  for (let done = 1; done <= 1000; done++) stages.tell({ kind: 'step', stage: 'load', done, total: 1000 });
  expect(written).toHaveLength(1);
  stages.tell({ kind: 'stage', state: 'ended', stage: 'load', done: 1000, total: 1000 });
  await until(() => written.at(-1)?.state === 'done');
  expect(about(written.at(-1))).toBe('load done 1000/1000');
  expect(written.length).toBeLessThan(4);
});

it('what could not be written is written in the end, and what had not ended failed with its run', async () => {
  const written = new Map<string, StageView>();
  let away = true;
  const stages = new StageWriter(systemClock, (view) => {
    if (away) return Promise.reject(new Error('away'));
    written.set(view.stage, view);
    return Promise.resolve();
  });
  stages.tell({ kind: 'stage', state: 'begun', stage: 'load', done: 0, total: 0 });
  stages.tell({ kind: 'stage', state: 'ended', stage: 'load', done: 0, total: 0 });
  stages.tell({ kind: 'stage', state: 'begun', stage: 'silver', done: 0, total: 2 });
  await setTimeout(20);
  away = false;
  await stages.close('failed');
  expect([...written.values()].map(about).sort()).toEqual(['load done 0/0', 'silver failed 0/2']);
});

it('a lost race begins again: stages that had begun wait once more', async () => {
  const written = new Map<string, StageView>();
  const stages = new StageWriter(systemClock, (view) => Promise.resolve(void written.set(view.stage, view)));
  for (const stage of ['load', 'silver', 'load'] as const)
    stages.tell({ kind: 'stage', state: 'begun', stage, done: 0, total: 5 });
  await stages.close('ended');
  expect([...written.values()].map(about).sort()).toEqual(['load running 0/5', 'silver waiting 0/0']);
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await setTimeout(5);
}
