/** A process that is started again whenever it ends without having been asked to, as a container runtime does. */
import type { Exit, RoleProcess } from './role-process.ts';

export type Kept = {
  /** The one that runs, or ran last. */
  current(): RoleProcess;
  /** How often it was started again. */
  restarts(): number;
  /** It is not started again after this. */
  stop(signal: NodeJS.Signals): Promise<Exit>;
};

const RESTART_AFTER_MS = 200;

export function keepRunning(
  start: () => RoleProcess,
  /** One has ended, and not by a signal. */
  onFailed: (process: RoleProcess, exit: Exit) => void,
): Kept {
  let current = start();
  let restarts = 0;
  let isWanted = true;
  let timer: NodeJS.Timeout | undefined;

  function watch(process: RoleProcess): void {
    void process.exit.then((exit) => ended(process, exit));
  }

  function ended(process: RoleProcess, exit: Exit): void {
    if (!isWanted) return;
    if (exit.signal === null) onFailed(process, exit);
    timer = setTimeout(() => {
      restarts += 1;
      current = start();
      watch(current);
    }, RESTART_AFTER_MS);
  }
  watch(current);

  return {
    current: () => current,
    restarts: () => restarts,
    stop(signal) {
      isWanted = false;
      clearTimeout(timer);
      return current.kill(signal);
    },
  };
}
