import { SingleBar } from 'cli-progress';
import type { Terminal } from './terminal.js';

/** How far a long command is: one bar on a terminal, a line per step elsewhere. */
export interface Progress {
  /** `done` of `total` units are finished and `what` is under way, or has just ended. */
  step(done: number, total: number, what: string): void;
  /** Something worth a line of its own. */
  say(text: string): void;
  end(): void;
}

export function startProgress(terminal: Terminal): Progress {
  return terminal.isInteractive ? barProgress(terminal) : lineProgress(terminal);
}

function lineProgress(terminal: Terminal): Progress {
  return {
    step: (done, total, what) => terminal.log('info', `[${done}/${total}] ${what}`),
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
  return {
    step(done, total, what) {
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
    },
    say(text) {
      // The next step draws the bar again below the line.
      end();
      terminal.log('info', text);
    },
    end,
  };
}
