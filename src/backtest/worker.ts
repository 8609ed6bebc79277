/** One thread of a backtest: takes shares of a panel, one after another, and folds them; one runs the pooled stage. */
import { parentPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { foldSeries } from './fold-series.ts';
import type { FoldShare, SeriesOutcome } from './fold-series.ts';
import { forecastersFor } from './forecasters.ts';
import type { PanelForecaster } from './forecaster.ts';
import type { Panel } from './panel.ts';
import { foldSpecOf } from './plan.ts';
import type { BacktestPlan } from './plan.ts';
import { runPooledStage } from './pooled-stage.ts';
import type { PooledPaths } from './pooled-stage.ts';

export type WorkerInput = { readonly panel: Panel; readonly plan: BacktestPlan };
export type Share = FoldShare & { readonly kind: 'share'; readonly model: string };
export type Task = Share | { readonly kind: 'pooled stage' };
/** cpuMicros: of this thread, in µs */
export type ShareOutcome = { readonly outcomes: readonly SeriesOutcome[]; readonly cpuMicros: number };
export type StageOutcome = { readonly paths: PooledPaths; readonly cpuMicros: number };

const port = parentPort as MessagePort;
const { panel, plan } = workerData as WorkerInput;
const forecasters = new Map(
  forecastersFor(foldSpecOf(plan, panel, 1)).map((forecaster) => [forecaster.name, forecaster]),
);

// Loaded: what follows is the models' own time.
port.postMessage('ready');
port.on('message', (task: Task) => {
  const before = process.threadCpuUsage();
  const result =
    task.kind === 'share' ? { outcomes: foldShare(task) } : { paths: runPooledStage(panel, plan) };
  const { user, system } = process.threadCpuUsage(before);
  port.postMessage({ ...result, cpuMicros: user + system } satisfies ShareOutcome | StageOutcome);
});

function foldShare(share: Share): readonly SeriesOutcome[] {
  return foldSeries(panel, plan, forecasters.get(share.model) as PanelForecaster, share);
}
