import type { HoltWintersSettings } from '../../src/models/holt-winters.ts';

/** The multiplicative Holt-Winters of src/models as one would first write it: an object with arrays per series. */
export function plainHoltWinters(settings: HoltWintersSettings) {
  const { alpha, beta, gamma, delta, phi } = settings;
  const state = {
    count: 0,
    level: 0,
    trend: 0,
    hours: Array.from({ length: 24 }, () => 0),
    days: Array.from({ length: 7 }, () => 1),
  };
  return {
    update(slot: number, y: number): void {
      const hour = slot % 24;
      const day = Math.floor(slot / 24);
      if (state.count < 24) {
        state.hours[hour] = y;
        state.level += (y - state.level) / (state.count + 1);
        if (state.count === 23)
          state.hours = state.hours.map((raw) => (state.level > 0 ? raw / state.level : 1));
      } else {
        const expected = Math.max(0, state.level + phi * state.trend);
        const index = state.hours[hour]! * state.days[day]!;
        const error = y - expected * index;
        state.level = Math.max(0, expected + Math.min(alpha, 0.9 / index) * error);
        state.trend = phi * state.trend + beta * error;
        const unit = Math.max(expected, Math.abs(error) / 8);
        if (unit > 0) {
          const visits = Math.floor(state.count / 24) + 1;
          const weeks = Math.floor(state.count / 168) + 1;
          state.hours[hour] = clamp(state.hours[hour]! + (Math.max(gamma, 1 / visits) * error) / unit);
          state.days[day] = clamp(state.days[day]! + (Math.max(delta, 1 / (24 * weeks)) * error) / unit);
        }
      }
      state.count += 1;
    },
    forecast(ahead: Int32Array): number[] {
      const forecasts: number[] = [];
      let damping = 1;
      let damped = 0;
      for (const slot of ahead) {
        damping *= phi;
        damped += damping;
        const level = Math.max(0, state.level + damped * state.trend);
        const index = state.hours[slot % 24]! * state.days[Math.floor(slot / 24)]!;
        forecasts.push(state.count < 24 ? state.level : level * index);
      }
      return forecasts;
    },
  };
}

function clamp(index: number): number {
  return Math.min(50, Math.max(0, index));
}
