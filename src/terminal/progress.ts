import { SingleBar } from 'cli-progress';
import type { Terminal } from './terminal.js';

/** How far a long command is: one bar on a terminal, a line per step elsewhere. */
export interface Progress {
  /** `done` of `total` units are finished and `what` is under way, or has just ended. */
  step(done: number, total: number, what: string): void;
  /** Part of a step is done; told now and then. */
  tick(done: number, total: number, what: string): void;
  /** Something worth a line of its own. */
  say(text: string): void;
  end(): void;
}

export function startProgress(terminal: Terminal): Progress {
  return terminal.isInteractive ? barProgress(terminal) : lineProgress(terminal);
}

const tickEveryMs = 5_000;

function lineProgress(terminal: Terminal): Progress {
  let toldMs = Date.now();
  const step = (done: number, total: number, what: string) => {
    toldMs = Date.now();
    terminal.log('info', `[${done}/${total}] ${what}`);
  };
  return {
    step,
    tick: (done, total, what) => {
      if (Date.now() - toldMs >= tickEveryMs) step(done, total, what);
    },
    say: (text) => terminal.log('info', text),
    end: () => undefined,
  };
}

function barProgress(terminal: Terminal): Progress {
  let bar: SingleBar | undefined;
  const end = () => {
    bar?.stop();
    bar = undefined;
  };
  const step = (done: number, total: number, what: string) => {
    if (bar === undefined) {
      bar = new SingleBar({
        format: '{bar} {value}/{total} {what}',
        barsize: 30,
        hideCursor: true,
        clearOnComplete: true,
        stopOnComplete: false,
        stream: terminal.err,
        barCompleteChar: '█',
        barIncompleteChar: '░',
      });
      bar.start(total, done, { what });
    }
    bar.setTotal(total);
    bar.update(done, { what });
  };
  return {
    step,
    tick: step,
    say(text) {
      // The next step draws the bar again below the line.
      end();
      terminal.log('info', text);
    },
    end,
  };
}
