// What a command costs: CPU and wall seconds, and the peak memory of it and its children. Linux only.
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { clearInterval, setInterval } from 'node:timers';

const SAMPLE_MS = 100;
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;

/** Runs a Node program to its end; one at a time, as CPU is counted over all children that have ended. */
export async function measured(args, settings) {
  const cpuBefore = cpuOfEndedChildren();
  const started = performance.now();
  const env = { ...process.env, ...settings };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.on('data', (text) => (output += text));
  child.stderr.on('data', (text) => (errors = (errors + text).slice(-4000)));
  let pages = 0;
  const sampling = setInterval(() => (pages = Math.max(pages, residentPages(child.pid))), SAMPLE_MS);
  const code = await new Promise((resolve) => child.on('close', resolve));
  clearInterval(sampling);
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${errors}${output.slice(-4000)}`);
  const wall = (performance.now() - started) / 1000;
  return { cpu: cpuOfEndedChildren() - cpuBefore, wall, peakMb: (pages * PAGE_BYTES) / 1e6, output };
}

export function shown({ cpu, wall, peakMb }) {
  return `CPU ${cpu.toFixed(1)} s, wall ${wall.toFixed(1)} s, peak ${peakMb.toFixed(0)} MB`;
}

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** User and system seconds of the children that have ended, and theirs: fields 16 and 17 of the process' status. */
function cpuOfEndedChildren() {
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND;
}

function residentPages(pid) {
  try {
    const own = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
    const tasks = readdirSync(`/proc/${pid}/task`);
    const children = tasks.flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' '),
    );
    return children.filter((child) => child !== '').reduce((sum, child) => sum + residentPages(child), own);
  } catch {
    return 0; // it, or a thread of it, has just ended
  }
}
