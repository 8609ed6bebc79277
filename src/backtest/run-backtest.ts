/** A backtest over all cores: models one after another, the series of each shared out among threads. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { SeriesOutcome } from './fold-series.ts';
import type { Panel } from './panel.ts';
import type { BacktestPlan } from './plan.ts';
import { forecastersFor } from './forecasters.ts';
import { foldSpecOf } from './plan.ts';
import type { PooledPaths } from './pooled-stage.ts';
import type { Share, ShareOutcome, StageOutcome, Task, WorkerInput } from './worker.ts';

export type ModelOutcome = {
  readonly model: string;
  /** of each series of the panel, in its order */
  readonly series: readonly SeriesOutcome[];
  readonly wallSeconds: number;
  /** of all threads together, and of the pooled stage where the model takes it */
  readonly cpuSeconds: number;
};

export type BacktestRequest = {
  readonly panel: Panel;
  readonly plan: BacktestPlan;
  /** see chooseForecasters */
  readonly models: readonly string[];
  readonly keepForecasts: boolean;
  /** default: as many as there are cores; the answer is the same with any number */
  readonly threads?: number;
  readonly onProgress?: (done: number, total: number, model: string) => void;
};

/** Shares per thread: the last ones to finish keep the others waiting for no longer than one share. */
const SHARES_PER_THREAD = 8;
const SHARE_SERIES_MAX = 64;

export async function runBacktest(request: BacktestRequest): Promise<readonly ModelOutcome[]> {
  const { panel, plan, models } = request;
  const input: WorkerInput = { panel: { ...panel, ds: [] }, plan };
  const count = Math.min(request.threads ?? availableParallelism(), panel.series.length);
  const workers = Array.from({ length: count }, () => startWorker(input));
  const total = models.length * panel.series.length;
  let done = 0;
  try {
    await Promise.all(workers.map((worker) => worker.ready));
    const pooled = new Set(pooledNames(panel, plan));
    const stage = models.some((model) => pooled.has(model)) ? await runStage(workers) : null;
    const outcomes: ModelOutcome[] = [];
    for (const model of models) {
      const startedMs = performance.now();
      const before = pooled.has(model) ? stage : null;
      const shares = sharesOf(model, panel.series.length, count, {
        keepForecasts: request.keepForecasts,
        paths: before?.paths ?? null,
      });
      const parts = await runShares(workers, shares, (share) => {
        done += share.to - share.from;
        request.onProgress?.(done, total, model);
      });
      outcomes.push({
        model,
        series: parts.flatMap((part) => part.outcomes),
        wallSeconds: (performance.now() - startedMs) / 1_000 + (before?.wallSeconds ?? 0),
        cpuSeconds: parts.reduce((sum, part) => sum + part.cpuMicros, before?.cpuMicros ?? 0) / 1e6,
      });
    }
    return outcomes;
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
  }
}

/** Names of the models that take what the pooled stage records. */
function pooledNames(panel: Panel, plan: BacktestPlan): readonly string[] {
  const all = forecastersFor(foldSpecOf(plan, panel, 1));
  return all.filter(({ pooled }) => pooled).map(({ name }) => name);
}

/** One thread goes through the whole panel: what is learned from all series together cannot be shared out. */
async function runStage(
  workers: readonly ShareWorker[],
): Promise<(StageOutcome & { readonly wallSeconds: number }) | null> {
  const startedMs = performance.now();
  const [worker] = workers;
  if (worker === undefined) return null;
  const outcome = await worker.run<StageOutcome>({ kind: 'pooled stage' });
  return { ...outcome, wallSeconds: (performance.now() - startedMs) / 1_000 };
}

function sharesOf(
  model: string,
  series: number,
  threads: number,
  options: { readonly keepForecasts: boolean; readonly paths: PooledPaths | null },
): readonly Share[] {
  const size = Math.max(1, Math.min(SHARE_SERIES_MAX, Math.ceil(series / (threads * SHARES_PER_THREAD))));
  return Array.from({ length: Math.ceil(series / size) }, (_, i) => ({
    kind: 'share',
    model,
    from: i * size,
    to: Math.min(series, (i + 1) * size),
    ...options,
  }));
}

/** Outcomes in the order of the shares, whoever took them. */
async function runShares(
  workers: readonly ShareWorker[],
  shares: readonly Share[],
  onDone: (share: Share) => void,
): Promise<readonly ShareOutcome[]> {
  const outcomes: ShareOutcome[] = [];
  let next = 0;
  await Promise.all(
    workers.map(async (worker) => {
      while (next < shares.length) {
        const place = next++;
        const share = shares[place]!;
        outcomes[place] = await worker.run<ShareOutcome>(share);
        onDone(share);
      }
    }),
  );
  return outcomes;
}

type ShareWorker = {
  readonly ready: Promise<unknown>;
  run<Outcome>(task: Task): Promise<Outcome>;
  stop(): Promise<unknown>;
};

type Waiting = { resolve(outcome: unknown): void; reject(error: Error): void };

function startWorker(input: WorkerInput): ShareWorker {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    name: 'foretill-backtest',
    workerData: input,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  let failure: Error | null = null;
  let waiting: Waiting | null = null;
  const ask = (send: () => void): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (failure !== null) {
        reject(failure);
        return;
      }
      waiting = { resolve, reject };
      send();
    });
  const end = (error: Error): void => {
    failure ??= error;
    waiting?.reject(failure);
    waiting = null;
  };
  worker.on('message', (outcome: unknown) => {
    waiting?.resolve(outcome);
    waiting = null;
  });
  worker.on('error', end);
  worker.on('exit', () => end(new Error('A thread of the backtest has ended before its time.')));
  // The thread's first message says that it has loaded.
  return {
    ready: ask(() => {}),
    run: <Outcome>(task: Task) => ask(() => worker.postMessage(task, [])) as Promise<Outcome>,
    stop: () => worker.terminate(),
  };
}
