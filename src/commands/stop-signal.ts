/** Ctrl-C: the first asks to stop and lets the work in hand finish, the second ends at once. */
const FORCED_EXIT_CODE = 130;

/** Aborts at the first SIGINT, SIGTERM or SIGHUP. `notice` is called then, to tell the user that it is stopping. */
export function stopSignal(notice: () => void): AbortSignal {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(FORCED_EXIT_CODE);
    notice();
    controller.abort();
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, stop);
  return controller.signal;
}

/** Resolves when the signal aborts. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
