import type { Layout } from '../stats/layout.ts';
import type { ProbedBand } from './bands.ts';

/**
 * Forecasts that wait for their bucket: per band a ring of probes, each holding every expert's forecast, the
 * combination's mean and its quantile scale as packed singles. A probe is made after bucket o when
 * `o % originEvery === 0` and falls due with bucket `o + scoredStep`; its place follows from o, so the ring needs no
 * pointers. A place is taken again no earlier than the bucket that empties it.
 */
export type Probes = {
  /** Whether a probe of the band falls due with the `n`-th bucket. */
  due(band: number, n: number): boolean;
  /** Whether a probe of the band is made after the `n`-th bucket. */
  made(band: number, n: number): boolean;
  /** Offset in singles, from the record's beginning, of the probe made after bucket `origin`. */
  place(band: number, origin: number): number;
};

export function createProbes(layout: Layout, bands: readonly ProbedBand[], singlesPerProbe: number): Probes {
  const every = Int32Array.from(bands, (band) => band.originEvery);
  const step = Int32Array.from(bands, (band) => band.scoredStep);
  const ring = Int32Array.from(bands, (band) => Math.ceil(band.scoredStep / band.originEvery));
  const start = Int32Array.from(
    bands,
    (band, b) =>
      2 * layout.takeSingles(`probes[${band.name}/${band.scoredStep}]`, ring[b]! * singlesPerProbe),
  );
  return {
    due(band, n) {
      const origin = n - step[band]!;
      return origin > 0 && origin % (every[band] as number) === 0;
    },
    made: (band, n) => n % (every[band] as number) === 0,
    place: (band, origin) => start[band]! + ((origin / every[band]!) % ring[band]!) * singlesPerProbe,
  };
}
