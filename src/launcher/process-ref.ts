import { processInfo } from '#platform';

/** A process for good: its id alone is given to another one once it has ended. */
export interface ProcessRef {
  readonly pid: number;
  readonly started: string;
}

/** Undefined when no such process runs. */
export async function processRef(pid: number): Promise<ProcessRef | undefined> {
  const started = process.platform === 'win32' ? windowsStart(pid) : (await processInfo(pid))?.started;
  return started === undefined ? undefined : { pid, started };
}

export async function isRunning({ pid, started }: ProcessRef): Promise<boolean> {
  return (await processRef(pid))?.started === started;
}

/** Sends nothing to a process that was given the id since. */
export async function signalProcess(ref: ProcessRef, signal: NodeJS.Signals): Promise<void> {
  if (!(await isRunning(ref))) return;
  try {
    process.kill(ref.pid, signal);
  } catch (error) {
    // It ended meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Windows tells Node no more than that the id is in use. */
function windowsStart(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
    return 'running';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? 'running' : undefined;
  }
}
