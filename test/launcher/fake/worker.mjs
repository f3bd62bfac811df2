import { behave } from './behave.mjs';

behave('worker');
process.send({ kind: 'ready' });
