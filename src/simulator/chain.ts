/** A chain of shops made from a seed: its stores and what they sell. */
import { CATEGORIES, TICKETS_BY_STORE } from './shape.ts';
import { createRandom, cumulate } from './random.ts';

export type SimulatedStore = {
  readonly id: string;
  /** Tickets relative to the mean store. */
  readonly size: number;
};

export type SimulatedProduct = {
  readonly sku: string;
  readonly name: string;
  readonly categoryPath: readonly string[];
  readonly category: string;
  readonly priceMinor: number;
  /** Lines relative to all products. */
  readonly weight: number;
};

export type Chain = {
  readonly seed: string;
  readonly timeZone: string;
  readonly currency: string;
  readonly stores: readonly SimulatedStore[];
  readonly products: readonly SimulatedProduct[];
  readonly cumulativeWeights: Float64Array;
  readonly ticketsPerStoreDay: number;
};

export type ChainOptions = {
  readonly seed: string;
  readonly stores: number;
  readonly timeZone: string;
  readonly currency: string;
  /** Of the mean store. The measured panel has 5.8; a whole shop has many more. */
  readonly ticketsPerStoreDay: number;
};

export const STORES_MAX = 500;
const PRODUCTS_PER_CATEGORY = 20;
/** Products of one category cost much the same; the measured spread is over all its sizes and brands. */
const PRICE_SPREAD = 0.6;

export function createChain(options: ChainOptions): Chain {
  const products = CATEGORIES.flatMap((category, at) => productsOf(category, at, options.seed));
  return {
    ...options,
    stores: Array.from({ length: options.stores }, (_, at) => ({
      id: `S${String(at + 1).padStart(options.stores > 99 ? 3 : 2, '0')}`,
      size: TICKETS_BY_STORE[at % TICKETS_BY_STORE.length] as number,
    })),
    products,
    cumulativeWeights: cumulate(products.map((product) => product.weight)),
  };
}

/** Share of a category in all lines. */
export function categoryShare(chain: Chain, category: string): number {
  let part = 0;
  for (const product of chain.products) if (product.category === category) part += product.weight;
  return part / (chain.cumulativeWeights.at(-1) as number);
}

function productsOf(category: (typeof CATEGORIES)[number], at: number, seed: string): SimulatedProduct[] {
  const ranks = Array.from({ length: PRODUCTS_PER_CATEGORY }, (_, rank) => (rank + 1) ** -category.zipf);
  const total = ranks.reduce((sum, weight) => sum + weight, 0);
  return ranks.map((weight, rank) => {
    const number = (at + 1) * 100 + rank + 1;
    const random = createRandom(seed, 'price', number);
    const price = category.price * Math.exp(category.spread * PRICE_SPREAD * random.normal());
    return {
      sku: `P${String(number).padStart(4, '0')}`,
      name: `${titleCase(category.name)} ${rank + 1}`,
      categoryPath: [category.name],
      category: category.name,
      priceMinor: Math.max(19, Math.round(price / 10) * 10 - 1),
      weight: (category.lines * weight) / total,
    };
  });
}

function titleCase(name: string): string {
  return name.charAt(0) + name.slice(1).toLowerCase();
}
