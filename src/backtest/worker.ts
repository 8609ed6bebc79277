/** One thread of a backtest: takes shares of a panel, one after another, and folds them. */
import { parentPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { foldSeries } from './fold-series.ts';
import type { SeriesOutcome } from './fold-series.ts';
import { forecastersFor } from './forecasters.ts';
import type { PanelForecaster } from './forecaster.ts';
import type { Panel } from './panel.ts';
import { foldSpecOf } from './plan.ts';
import type { BacktestPlan } from './plan.ts';

export type WorkerInput = { readonly panel: Panel; readonly plan: BacktestPlan };
export type Share = {
  readonly model: string;
  readonly from: number;
  readonly to: number;
  readonly keepForecasts: boolean;
};
export type ShareOutcome = {
  readonly outcomes: readonly SeriesOutcome[];
  /** of this thread, in µs */
  readonly cpuMicros: number;
};

const port = parentPort as MessagePort;
const { panel, plan } = workerData as WorkerInput;
const forecasters = new Map(
  forecastersFor(foldSpecOf(plan, panel, 1)).map((forecaster) => [forecaster.name, forecaster]),
);

// Loaded: what follows is the models' own time.
port.postMessage('ready');
port.on('message', (share: Share) => {
  const before = process.threadCpuUsage();
  const forecaster = forecasters.get(share.model) as PanelForecaster;
  const outcomes = foldSeries(panel, plan, forecaster, share);
  const { user, system } = process.threadCpuUsage(before);
  port.postMessage({ outcomes, cpuMicros: user + system } satisfies ShareOutcome);
});
