/** Progress of anything over a second: a bar on a terminal, a line every tenth otherwise. On standard error. */
import { SingleBar } from 'cli-progress';

export type Progress = {
  /** `note` stands behind the bar, e.g. "31,000 tickets". */
  update(done: number, note?: string): void;
  /** Completes and leaves the last state on the screen. */
  stop(note?: string): void;
  /** Ends before it is complete. */
  giveUp(): void;
};

export type ProgressOptions = {
  readonly label: string;
  readonly total: number;
  readonly terminal?: boolean;
  readonly write?: (text: string) => void;
};

const LABEL_WIDTH = 40;
const STEPS = 10;

export function startProgress(options: ProgressOptions): Progress {
  const terminal = options.terminal ?? process.stderr.isTTY;
  return terminal ? bar(options) : sparseLines(options);
}

function bar({ label, total }: ProgressOptions): Progress {
  const format = `${label.padEnd(LABEL_WIDTH)} [{bar}] {percentage}% {note}`;
  const view = new SingleBar({
    format,
    barCompleteChar: '=',
    barIncompleteChar: ' ',
    barsize: 30,
    hideCursor: true,
    stopOnComplete: false,
    fps: 5,
  });
  view.start(Math.max(1, total), 0, { note: '' });
  return {
    update: (done, note = '') => view.update(Math.min(done, total), { note }),
    stop(note) {
      view.update(Math.max(1, total), note === undefined ? {} : { note });
      view.stop();
    },
    giveUp: () => view.stop(),
  };
}

function sparseLines({
  label,
  total,
  write = (text) => void process.stderr.write(text),
}: ProgressOptions): Progress {
  let step = 0;
  return {
    update(done, note = '') {
      const reached = Math.floor((STEPS * done) / Math.max(1, total));
      if (reached <= step || reached >= STEPS) return;
      step = reached;
      write(`${label}: ${reached * STEPS}%${note === '' ? '' : `, ${note}`}\n`);
    },
    stop(note = '') {
      write(`${label}: done${note === '' ? '' : `, ${note}`}\n`);
    },
    giveUp() {
      write(`${label}: given up\n`);
    },
  };
}
