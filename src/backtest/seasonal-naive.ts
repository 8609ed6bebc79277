import { normalQuantile } from '../stats/normal.ts';
import type { FoldSpec, PanelFold, PanelForecaster } from './forecaster.ts';

/**
 * The yardstick, as statsforecast defines it, intervals included: `ŷ(t+h) = y(t + h − m·⌈h/m⌉)`, the last season over
 * and over; `ŷ_q(t+h) = ŷ + z_q·σ·√(⌊(h−1)/m⌋ + 1)` with σ² = mean of (y_t − y_(t−m))² over what was learned, or over its
 * last `naiveWindow` buckets. Nothing is clipped at zero.
 *
 * By lag and not by calendar slot, unlike the engine's expert of this name. Before a whole season was seen: the last
 * value, without width. Source: Nixtla's statsforecast, models.SeasonalNaive; Hyndman & Athanasopoulos, Forecasting:
 * Principles and Practice, 3rd ed., §5.5.
 */
export const seasonalNaiveForecaster: PanelForecaster = {
  name: 'SeasonalNaive',
  kind: 'online',
  pooled: false,
  create: (spec) => createFold(spec),
};

type State = {
  n: number;
  /** last season, by place n mod m */
  readonly last: Float64Array;
  /** squared residuals within the window, by place n mod length; empty when all count */
  readonly squares: Float64Array;
  squareSum: number;
};

function createFold(spec: FoldSpec): PanelFold {
  const { naiveSeason: m, naiveWindow, horizon, probabilities } = spec;
  const window = naiveWindow === null ? 0 : Math.max(1, naiveWindow - m);
  const z = probabilities.map(normalQuantile);
  const states = Array.from({ length: spec.series }, (): State => ({
    n: 0,
    last: new Float64Array(m),
    squares: new Float64Array(window),
    squareSum: 0,
  }));
  return {
    learn(series, { y }) {
      const state = states[series]!;
      const place = state.n % m;
      if (state.n >= m) addSquare(state, (y - state.last[place]!) ** 2, state.n - m);
      state.last[place] = y;
      state.n += 1;
    },
    forecast(series, _bucket, out) {
      const { n, last, squareSum } = states[series]!;
      const residuals = window === 0 ? n - m : Math.min(window, n - m);
      const sigma = residuals > 0 ? Math.sqrt(Math.max(0, squareSum) / residuals) : 0;
      for (let h = 1; h <= horizon; h++) {
        const mean = n >= m ? last[(n + h - 1) % m]! : last[Math.max(0, n - 1)]!;
        const scale = sigma * Math.sqrt(Math.floor((h - 1) / m) + 1);
        out.mean[h - 1] = mean;
        for (const [i, value] of z.entries()) out.quantiles[(h - 1) * z.length + i] = mean + value * scale;
      }
    },
  };
}

function addSquare(state: State, square: number, residual: number): void {
  const { squares } = state;
  state.squareSum += square;
  if (squares.length === 0) return;
  const place = residual % squares.length;
  state.squareSum -= squares[place]!;
  squares[place] = square;
}
