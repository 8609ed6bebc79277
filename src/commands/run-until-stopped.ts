/** A system from its start to its graceful end: Ctrl-C, or the failure of a role, which becomes the command's error. */
import type { System } from '../main.ts';
import type { Platform } from '../platform.ts';
import { announceAddress, withdrawAddress } from './running-address.ts';
import { aborted, stopSignal } from './stop-signal.ts';

export type Running = {
  /** `onFailed` ends the run with that error; when `stop` aborts, long preparations throw its reason. */
  start(onFailed: (error: unknown) => void, stop: AbortSignal): Promise<System>;
  /** Called once it runs; what it returns is awaited before the system is stopped. */
  started(system: System, stop: AbortSignal): Promise<void> | void;
  /** Said at the first Ctrl-C. */
  readonly stopping: string;
};

/** Closes the platform in any case. Rejects with the error of the role that failed first. */
export async function runUntilStopped(platform: Platform, running: Running): Promise<void> {
  const failures: unknown[] = [];
  const end = new AbortController();
  const signal = AbortSignal.any([
    stopSignal(() => process.stderr.write(`\n${running.stopping}\n`)),
    end.signal,
  ]);
  try {
    const system = await running.start((error) => {
      failures.push(error);
      end.abort();
    }, signal);
    try {
      if (system.url !== null) announceAddress(platform.dir, system.url);
      await running.started(system, signal);
      await aborted(signal);
    } finally {
      if (system.url !== null) withdrawAddress(platform.dir);
      await system.stop();
    }
  } catch (error) {
    if (error !== signal.reason) throw error;
  } finally {
    await platform.close();
  }
  if (failures.length > 0) throw failures[0];
}
