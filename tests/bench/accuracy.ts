/**
 * `npm run bench -- accuracy [SET…] [--models NAMES] [--write FILE.md]`: how far forecasts lie off on the reference
 * sets, against what today's libraries reach there. The sets lie beside the repository and not in it.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRowProblems } from '../../src/adapters/csv/row-problems.ts';
import { chooseForecasters, YARDSTICK } from '../../src/backtest/forecasters.ts';
import { foldSpecOf } from '../../src/backtest/plan.ts';
import type { Protocol } from '../../src/backtest/protocol.ts';
import { protocolPanel } from '../../src/backtest/protocol-panel.ts';
import { readProtocol } from '../../src/backtest/read-protocol.ts';
import type { ReportRow } from '../../src/backtest/report.ts';
import { reportRows } from '../../src/backtest/report.ts';
import { runBacktest } from '../../src/backtest/run-backtest.ts';
import type { ModelOutcome } from '../../src/backtest/run-backtest.ts';
import type { Panel } from '../../src/backtest/panel.ts';
import { readPeers } from './accuracy-peers.ts';
import type { Peer } from './accuracy-peers.ts';

const ROOT = fileURLToPath(new URL('../../../shared', import.meta.url));
const SETS = [
  'm4_hourly',
  'walmart_weekly',
  'cj_daily',
  'cj_hourly',
  'cj_intermittent',
  'bakery_hourly',
  'preq_walmart_weekly',
  'preq_cj_daily',
];
const OURS = 'Foretill';
/** What is judged in each set; an all-zero forecast would win MASE where most days are zero. */
const PLAIN = ['MASE', 'wQL'];
const JUDGED: Readonly<Record<string, readonly string[]>> = {
  cj_intermittent: ['RMSSE', 'wQL'],
  preq_walmart_weekly: ['MASE_h1', 'MASE_1toH', 'wQL_h1'],
  preq_cj_daily: ['MASE_h1', 'MASE_1toH', 'wQL_h1'],
};
/** Ratio to the best single statistical or online model, and to the best of any kind. */
const GOALS = { single: 0.95, any: 1 };
/** A peer that ran on fewer of the series is no bar. */
const SERIES_SHARE_MIN = 0.5;

/** The bakery has no peers; the reference's notes say how to take it. */
const BAKERY: Protocol = {
  data: {
    file: 'data/series/breadbasket_hourly.csv.gz',
    sha256: null,
    frequency: 'h',
    known: [],
    seriesMax: null,
  },
  plan: {
    dataset: 'bakery_hourly',
    seasons: [24, 168],
    naiveSeason: 168,
    naiveWindow: null,
    scaleSeason: 168,
    horizon: 24,
    origins: { kind: 'last', count: 7, step: 24 },
    levels: [80, 95],
    refitEvery: 1,
  },
};

type Measured = {
  readonly set: string;
  readonly panel: Panel;
  readonly protocol: Protocol;
  readonly outcomes: readonly ModelOutcome[];
  readonly rows: readonly ReportRow[];
  readonly peers: readonly Peer[];
};

export async function benchAccuracy(words: readonly string[]): Promise<void> {
  const { sets, models, write } = parseWords(words);
  const unknown = sets.filter((set) => !SETS.includes(set));
  if (unknown.length > 0) {
    console.error(`accuracy: there is no set ${unknown.join(', ')}; sets are ${SETS.join(', ')}`);
    process.exitCode = 2;
    return;
  }
  if (!existsSync(join(ROOT, 'reference'))) {
    console.log(`accuracy: not measured, because ../shared/reference and ../shared/data are not there.`);
    return;
  }
  const texts: string[] = [];
  const summary: Cell[][] = [];
  for (const set of sets) {
    const measured = await measureSet(set, models);
    const text = describe(measured);
    texts.push(text);
    summary.push(...summaryOf(measured));
    console.log(text);
  }
  const all = table(SUMMARY_COLUMNS, summary);
  console.log(all);
  if (write !== null) writeFileSync(write, asDocument(all, texts));
}

type Words = { readonly sets: readonly string[]; readonly models: string; readonly write: string | null };

function parseWords(words: readonly string[]): Words {
  const valueOf = (name: string): string | null => {
    const at = words.indexOf(name);
    return at === -1 ? null : (words[at + 1] ?? null);
  };
  const values = new Set([valueOf('--models'), valueOf('--write')]);
  const named = words.filter((word) => !word.startsWith('--') && !values.has(word));
  return {
    sets: named.length === 0 ? SETS : named,
    models: valueOf('--models') ?? 'online',
    write: valueOf('--write'),
  };
}

async function measureSet(set: string, wanted: string): Promise<Measured> {
  const reference = join(ROOT, 'reference');
  const protocol =
    set === BAKERY.plan.dataset ? BAKERY : await readProtocol(join(reference, `protocol_${set}.json`));
  const { panel } = await protocolPanel(protocol, ROOT, createRowProblems());
  const { plan } = protocol;
  const models = chooseForecasters(foldSpecOf(plan, panel, 1), `${OURS},${wanted}`);
  const outcomes = await runBacktest({ panel, plan, models, keepForecasts: false });
  const rows = reportRows(outcomes, panel, plan);
  const peers = set === BAKERY.plan.dataset ? [] : await readPeers(join(reference, `dev_${set}.csv`));
  return { set, panel, protocol, outcomes, rows, peers };
}

const SUMMARY_COLUMNS = [
  'set',
  'figure',
  'Foretill',
  'of SeasonalNaive',
  `of the best single model (goal ${GOALS.single.toFixed(2)})`,
  `of the best of any kind (goal ${GOALS.any.toFixed(2)})`,
  'cov80',
  'cov95',
];

/** A line per figure that is judged: ours, and what it is of others'. */
function summaryOf(measured: Measured): Cell[][] {
  const { set, panel, rows } = measured;
  const ours = rows.find((row) => row['model'] === OURS);
  const count = panel.series.length;
  return judgedOf(set).map((metric) => {
    const bars = barsOf(measured, metric);
    const single = bars.find(({ kind }) => kind === 'single');
    const any = bars.find(({ kind }) => kind === 'any') ?? single;
    const [figure, naive] = [OURS, YARDSTICK].map((model) => figureOn(measured, model, metric, count));
    const suffix = metric.endsWith('_1toH') ? '_1toH' : metric.endsWith('_h1') ? '_h1' : '';
    return [
      set,
      metric,
      figure,
      (figure! / naive!).toFixed(3),
      single === undefined ? null : `${single.ratio.toFixed(3)} ${single.peer.model}`,
      any === undefined ? null : `${any.ratio.toFixed(3)} ${any.peer.model}`,
      ours?.[`cov80${suffix}`],
      ours?.[`cov95${suffix}`],
    ];
  });
}

function judgedOf(set: string): readonly string[] {
  return JUDGED[set] ?? PLAIN;
}

/** A set as Markdown: a table of rows, and below it what they are to the best peers. */
function describe(measured: Measured): string {
  const { set, panel, protocol, rows, peers } = measured;
  const { plan } = protocol;
  const preq = plan.origins.kind === 'prequential';
  const columns = preq
    ? ['MASE_h1', 'MASE_1toH', 'WAPE_h1', 'wQL_h1', 'cov80_h1', 'cov95_h1', 'width80_h1', 'us_per_update']
    : ['MASE', 'RMSSE', 'WAPE', 'bias_pct', 'wQL', 'cov80', 'cov95', 'width80', 'us_per_update'];
  const bars = judgedOf(set).flatMap((metric) => barsOf(measured, metric));
  const shown = new Set(bars.map(({ peer }) => peer));
  const lines = [
    ...rows.map((row) => [String(row['model']), row['n_series'], ...columns.map((name) => row[name])]),
    ...peers
      .filter((peer) => shown.has(peer))
      .map((peer) => [`*${peer.model}*`, peer.series, ...columns.map((name) => peer.figures[name])]),
  ];
  return [
    `### ${set}`,
    '',
    `${panel.series.length} series, ${rows[0]?.['origins'] ?? 0} origins, horizon ${plan.horizon}, seasons ${plan.seasons.join(' and ')}; scale by season ${plan.scaleSeason}.`,
    '',
    table(['model', 'n', ...columns], lines),
    '',
    ...bars.map(
      ({ metric, peer, kind, ratio }) =>
        `- ${metric}: ${ratio.toFixed(3)} of ${peer.model} (best ${kind === 'single' ? 'single statistical or online model' : 'of any kind'}` +
        `${peer.series < panel.series.length ? `, on its ${peer.series} series` : ''}; goal ${GOALS[kind].toFixed(2)})${ratio <= GOALS[kind] ? ', reached' : ''}`,
    ),
    '',
  ].join('\n');
}

type Bar = {
  readonly metric: string;
  readonly kind: keyof typeof GOALS;
  readonly peer: Peer;
  /** our figure over the peer's, on the series that it ran on */
  readonly ratio: number;
};

/** The peers to beat by one metric: those lowest against the seasonal naive on the same series. */
function barsOf(measured: Measured, metric: string): readonly Bar[] {
  const { panel, peers } = measured;
  const rated = peers.flatMap((peer) => {
    const figure = peer.figures[metric];
    if (typeof figure !== 'number' || peer.series < SERIES_SHARE_MIN * panel.series.length) return [];
    const ours = figureOn(measured, OURS, metric, peer.series);
    const naive = figureOn(measured, YARDSTICK, metric, peer.series);
    return [{ peer, relative: figure / naive, ratio: ours / figure }];
  });
  rated.sort((a, b) => a.relative - b.relative);
  const bars: Bar[] = [];
  const single = rated.find(({ peer }) => peer.kind === 'single');
  if (single !== undefined) bars.push({ metric, kind: 'single', ...single });
  const any = rated[0];
  if (any !== undefined && any !== single) bars.push({ metric, kind: 'any', ...any });
  return bars;
}

/** A figure of ours on the `count` series that the reference's subset rule takes. */
function figureOn(
  { outcomes, panel, protocol }: Measured,
  model: string,
  metric: string,
  count: number,
): number {
  const all = panel.series.length;
  const places = Array.from({ length: count }, (_, i) => Math.floor((i * all) / count));
  const part: Panel = { ...panel, series: places.map((place) => panel.series[place]!) };
  const outcome = outcomes.find((each) => each.model === model);
  if (outcome === undefined) return Number.NaN;
  const [row] = reportRows(
    [{ ...outcome, series: places.map((place) => outcome.series[place]!) }],
    part,
    protocol.plan,
  );
  const figure = row?.[metric];
  return typeof figure === 'number' ? figure : Number.NaN;
}

type Cell = string | number | null | undefined;

function table(head: readonly string[], lines: readonly (readonly Cell[])[]): string {
  const cells = [head, ...lines.map((line) => line.map(cell))];
  const widths = head.map((_, i) => Math.max(...cells.map((line) => line[i]?.length ?? 0)));
  const text = cells.map(
    (line) =>
      `| ${line.map((value, i) => (i === 0 ? value.padEnd(widths[i]!) : value.padStart(widths[i]!))).join(' | ')} |`,
  );
  const rule = `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [text[0], rule, ...text.slice(1)].join('\n');
}

function cell(value: Cell): string {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'string') return value;
  return Number.isInteger(value) ? String(value) : value.toFixed(Math.abs(value) < 10 ? 3 : 1);
}

function asDocument(summary: string, texts: readonly string[]): string {
  return `# Accuracy

Measured on ${new Date().toISOString().slice(0, 10)} by \`npm run bench -- accuracy --write docs/accuracy.md\`, which needs the reference sets beside the repository. How every figure is defined stands in [metrics.ts](../src/backtest/metrics.ts); lower is better but for coverage, which should be what it is called. Other libraries, in italics, ran elsewhere with one untuned setting each, so their times are left out. One that ran on part of the series is compared on these; one that ran on less than half of them is no bar, nor is a forecast of nothing but zeros. A single model is a statistical or online one; of any kind are also boosted trees and medians of several models.

${summary}

${texts.join('\n')}`;
}
