/** Hourly units of stores × categories from a till's lines, as a hierarchy of series. Not in the repository. */
import { fileURLToPath } from 'node:url';
import { openTable } from '../../src/adapters/csv/open-table.ts';
import type { Groups } from '../../src/hierarchy/groups.ts';
import { addUp, sumCount } from '../../src/hierarchy/groups.ts';

const DATA = fileURLToPath(new URL('../../../shared/data/', import.meta.url));
export const TILL_FILES = [
  `${DATA}completejourney_transactions.csv.gz`,
  `${DATA}completejourney_products.csv.gz`,
] as const;

const FIRST_MS = Date.UTC(2017, 0, 1);
const HOUR_MS = 3_600_000;
export const DAYS = 365;
/** A line of more is a typing error, or no household's. */
const LINE_UNITS_MAX = 50;

/** Units per leaf and hour, leaves in the order of `groups`. */
export type Till = { readonly stores: readonly string[]; readonly lines: readonly TillLine[] };
type TillLine = {
  readonly hour: number;
  readonly store: string;
  readonly category: string;
  readonly units: number;
};

export async function readTill(): Promise<Till> {
  const categories = new Map<string, string>();
  await eachRow(TILL_FILES[1], ['product_id', 'product_category'], ([product, category]) =>
    categories.set(product!, category!),
  );
  const lines: TillLine[] = [];
  await eachRow(
    TILL_FILES[0],
    ['ts', 'store_id', 'product_id', 'quantity'],
    ([ts, store, product, quantity]) => {
      const hour = Math.floor((Date.parse(`${ts}Z`) - FIRST_MS) / HOUR_MS);
      if (hour < 0 || hour >= 24 * DAYS) return;
      const units = Math.min(LINE_UNITS_MAX, Number(quantity));
      lines.push({ hour, store: store!, category: categories.get(product!) ?? '', units });
    },
  );
  return { stores: [...new Set(lines.map(({ store }) => store))].toSorted(), lines };
}

async function eachRow(
  path: string,
  columns: readonly string[],
  take: (fields: readonly (string | undefined)[]) => void,
): Promise<void> {
  const table = await openTable(path);
  const places = columns.map((name) => table.header.indexOf(name));
  for await (const batch of table.batches)
    for (const { fields } of batch) take(places.map((place) => fields[place]));
}

/** Series by node: leaves first, then the sums of `groups`. */
export type TillHierarchy = {
  readonly groups: Groups;
  readonly levels: readonly { readonly name: string; readonly from: number; readonly to: number }[];
  readonly series: readonly Float64Array[];
};

/** The `count` categories that sold most before `untilHour`, in every store. */
export function tillHierarchy({ stores, lines }: Till, count: number, untilHour: number): TillHierarchy {
  const sold = new Map<string, number>();
  for (const { hour, category, units } of lines)
    if (hour < untilHour) sold.set(category, (sold.get(category) ?? 0) + units);
  const names = [...sold].toSorted(([, a], [, b]) => b - a).slice(0, count);
  const placeOf = new Map(names.map(([name], i) => [name, i]));
  const storeOf = new Map(stores.map((name, i) => [name, i]));
  const leaves = stores.length * names.length;
  const dimension = (sums: number, of: (leaf: number) => number) => ({
    sums,
    sumOf: Int32Array.from({ length: leaves }, (_, i) => of(i)),
  });
  const groups: Groups = {
    leaves,
    dimensions: [
      dimension(1, () => 0),
      dimension(stores.length, (i) => Math.floor(i / names.length)),
      dimension(names.length, (i) => i % names.length),
    ],
  };
  const series = Array.from({ length: leaves + sumCount(groups) }, () => new Float64Array(24 * DAYS));
  for (const { hour, store, category, units } of lines) {
    const place = placeOf.get(category);
    if (place !== undefined) series[storeOf.get(store)! * names.length + place]![hour]! += units;
  }
  fillSums(groups, series);
  const first = leaves + 1;
  return {
    groups,
    series,
    levels: [
      { name: 'total', from: leaves, to: first },
      { name: 'store', from: first, to: first + stores.length },
      { name: 'category', from: first + stores.length, to: first + stores.length + names.length },
      { name: 'store-category', from: 0, to: leaves },
    ],
  };
}

function fillSums(groups: Groups, series: readonly Float64Array[]): void {
  const leaf = new Float64Array(groups.leaves);
  const sums = new Float64Array(sumCount(groups));
  for (let hour = 0; hour < 24 * DAYS; hour++) {
    for (let i = 0; i < leaf.length; i++) leaf[i] = series[i]![hour]!;
    addUp(groups, leaf, sums);
    for (let p = 0; p < sums.length; p++) series[groups.leaves + p]![hour] = sums[p]!;
  }
}

/** The same by the day. */
export function byDay(hierarchy: TillHierarchy): TillHierarchy {
  const series = hierarchy.series.map((hours) =>
    Float64Array.from({ length: DAYS }, (_, day) =>
      hours.subarray(24 * day, 24 * day + 24).reduce((a, b) => a + b),
    ),
  );
  return { ...hierarchy, series };
}
