import { runProgram } from '../run-program.js';

/** The worker, but its jobs are given to others after a short silence: a test cannot wait for long. */
await runProgram({ silenceMs: 2_000 });
