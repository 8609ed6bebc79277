/** Every forecast of a backtest as a CSV that other forecasting tools read. */
import { createWriteStream } from 'node:fs';
import { access, constants, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { originsOf } from '../backtest/origins.ts';
import type { Panel } from '../backtest/panel.ts';
import { quantilePlaces } from '../backtest/plan.ts';
import type { BacktestPlan } from '../backtest/plan.ts';
import type { ModelOutcome } from '../backtest/run-backtest.ts';
import { ForetillError } from '../errors.ts';

/** Before hours are spent on what could not be written. Throws USAGE. */
export async function demandWritable(path: string): Promise<void> {
  const isDirectory = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isDirectory) throw unwritable(`${path} is a directory.`, 'Name a file, e.g. forecasts.csv.');
  try {
    await access(dirname(path), constants.W_OK);
  } catch (error) {
    throw unwritable(
      `--out ${path}: this user cannot write to the directory ${dirname(path)}.`,
      'Make it, or name another place.',
      error,
    );
  }
}

/**
 * A row per series, origin and step: unique_id, ds, cutoff (ds of the last bucket known), y, and per model its mean and
 * the ends of its intervals, `<model>-lo-80` and `<model>-hi-80`, where it has any. Compressed when named .gz.
 */
export async function writeForecasts(
  path: string,
  outcomes: readonly ModelOutcome[],
  panel: Panel,
  plan: BacktestPlan,
): Promise<void> {
  const lines = Readable.from(forecastLines(outcomes, panel, plan));
  const file = createWriteStream(path);
  await (path.endsWith('.gz') ? pipeline(lines, createGzip(), file) : pipeline(lines, file));
}

/** A text per series. */
function* forecastLines(
  outcomes: readonly ModelOutcome[],
  panel: Panel,
  plan: BacktestPlan,
): Generator<string> {
  const places = quantilePlaces(plan.levels);
  const columns = outcomes.map((outcome) => ({ outcome, ends: hasIntervals(outcome) ? places.levels : [] }));
  const names = columns.flatMap(({ outcome, ends }) => [
    outcome.model,
    ...ends.flatMap((_, i) => [
      `${outcome.model}-lo-${plan.levels[i]}`,
      `${outcome.model}-hi-${plan.levels[i]}`,
    ]),
  ]);
  yield `${['unique_id', 'ds', 'cutoff', 'y', ...names.map(quoted)].join(',')}\n`;
  for (const [number, series] of panel.series.entries()) {
    const dsAt = (at: number): string => quoted(panel.ds[series.ds[at]!]!);
    const lines: string[] = [];
    for (const cutoff of originsOf(plan.origins, series, plan.horizon)) {
      const steps = Math.min(plan.horizon, series.y.length - cutoff);
      for (let step = 0; step < steps; step++) {
        const row = lines.length;
        const values = columns.flatMap(({ outcome, ends }) => {
          const forecasts = outcome.series[number]?.forecasts;
          const quantile = (place: number) => forecasts?.quantiles[row * places.count + place];
          return [forecasts?.mean[row], ...ends.flatMap(({ low, high }) => [quantile(low), quantile(high)])];
        });
        const start = [quoted(series.id), dsAt(cutoff + step), dsAt(cutoff - 1), series.y[cutoff + step]];
        lines.push(`${[...start, ...values].join(',')}\n`);
      }
    }
    yield lines.join('');
  }
}

function hasIntervals({ series }: ModelOutcome): boolean {
  return series.some(({ forecasts }) => forecasts !== null && Number.isFinite(forecasts.quantiles[0]));
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function unwritable(message: string, remedy: string, cause?: unknown): ForetillError {
  return new ForetillError('USAGE', message, { remedy, cause });
}
