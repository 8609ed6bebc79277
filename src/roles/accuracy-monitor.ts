/** Asks the store now and then how good the forecasts have been: for the gauges, and for whoever asks meanwhile. */
import type { AccuracyRow, ForecastStore } from '../adapters/http/forecast-store.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

export type AccuracyMonitor = {
  /** At most a few seconds old. Rejects with the store's error. */
  read(): Promise<readonly AccuracyRow[]>;
  stop(): void;
};

const FRESH_MS = 5_000;
const MEASURE_EVERY_MS = 30_000;

export function createAccuracyMonitor(deps: {
  readonly store: Pick<ForecastStore, 'accuracy'>;
  readonly telemetry: Telemetry;
}): AccuracyMonitor {
  let reading: Promise<readonly AccuracyRow[]> | null = null;
  let readMs = 0;

  const ask = async (): Promise<readonly AccuracyRow[]> => {
    try {
      const rows = await deps.store.accuracy();
      for (const row of rows) deps.telemetry.events.accuracyMeasured(row);
      return rows;
    } catch (error) {
      reading = null;
      throw error;
    }
  };

  const read = (): Promise<readonly AccuracyRow[]> => {
    if (reading !== null && performance.now() - readMs < FRESH_MS) return reading;
    readMs = performance.now();
    reading = ask();
    return reading;
  };

  const timer = setInterval(() => {
    read().catch((error: unknown) => deps.telemetry.log.warn('Accuracy could not be read', { error }));
  }, MEASURE_EVERY_MS);
  return { read, stop: () => clearInterval(timer) };
}
