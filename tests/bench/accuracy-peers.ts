import { openTable } from '../../src/adapters/csv/open-table.ts';

/** A row of the reference's table of a set. */
export type Peer = {
  readonly model: string;
  readonly series: number;
  /** single: one statistical or online model; other: boosted trees, and medians of several models */
  readonly kind: 'single' | 'other';
  /** by column; null where it is empty */
  readonly figures: Readonly<Record<string, number | null>>;
};

/** All zeros is no forecast, and the yardstick is measured here as well. */
const NO_PEERS = /^(ZeroModel|SeasonalNaive)/;
const OTHER = /^(Ensemble|median|LightGBM|XGBoost)/;

export async function readPeers(path: string): Promise<readonly Peer[]> {
  const table = await openTable(path);
  const peers: Peer[] = [];
  for await (const batch of table.batches) {
    for (const { fields } of batch) {
      const row = Object.fromEntries(table.header.map((name, i) => [name, fields[i] ?? '']));
      const { model = '', n_series: series = '' } = row;
      if (NO_PEERS.test(model)) continue;
      const figures = Object.entries(row).map(([name, text]) => [name, text === '' ? null : Number(text)]);
      peers.push({
        model,
        series: Number(series),
        kind: OTHER.test(model) ? 'other' : 'single',
        figures: Object.fromEntries(figures),
      });
    }
  }
  return peers;
}
