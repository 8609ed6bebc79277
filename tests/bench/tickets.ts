/** Tickets of a grocery chain, made fast: what makes the load must not be what is measured. */
import { businessDate } from '../../src/sales/calendar.ts';
import type { StoreCalendar } from '../../src/sales/calendar.ts';
import type { TransactionLineMessage, TransactionMessage } from '../../src/sales/transaction-message.ts';
import { createChain } from '../../src/simulator/chain.ts';
import { createRandom, cumulate, pick } from '../../src/simulator/random.ts';

const STORES = 20;
/** The best selling ones, with 20 products each. */
const CATEGORIES = 15;
/** 1 to 7, each as likely: 4 on average. */
const LINES_MAX = 7;
const DISCOUNTED_SHARE = 0.5;
const CARD_SHARE = 0.7;

export type TicketMaker = {
  readonly storeIds: readonly string[];
  readonly categories: readonly string[];
  /** A sale that ended at `endMs`, of a store chosen by chance. */
  next(endMs: number): TransactionMessage;
};

export function createTicketMaker(seed: string, timeZone: string): TicketMaker {
  const calendar: StoreCalendar = { timeZone, businessDayStartMinutes: 0 };
  const chain = createChain({ seed, stores: STORES, timeZone, currency: 'USD', ticketsPerStoreDay: 1 });
  const categories = [...new Set(chain.products.map(({ category }) => category))].slice(0, CATEGORIES);
  const products = chain.products.filter(({ category }) => categories.includes(category));
  const productWeights = cumulate(products.map(({ weight }) => weight));
  const storeWeights = cumulate(chain.stores.map(({ size }) => size));
  const random = createRandom(seed, 'bench tickets');
  let serial = 0;

  function line(at: number): TransactionLineMessage {
    const product = products[pick(productWeights, random.uniform())]!;
    const quantity = random.uniform() < 0.8 ? 1 : 2;
    const full = quantity * product.priceMinor;
    const off = random.uniform() < DISCOUNTED_SHARE ? Math.round(full / 4) : 0;
    return {
      line_id: String(at + 1),
      sku: product.sku,
      gtin: null,
      category_path: [product.category],
      quantity_thousandths: 1_000 * quantity,
      unit_of_measure: 'EA',
      unit_price_minor: product.priceMinor,
      list_price_minor: product.priceMinor,
      discounts: off === 0 ? [] : [{ promotion_id: 'loyalty', coupon_id: null, amount_minor: off }],
      net_amount_minor: full - off,
      voided: false,
    };
  }

  return {
    storeIds: chain.stores.map(({ id }) => id),
    categories,
    next(endMs) {
      serial += 1;
      const store = chain.stores[pick(storeWeights, random.uniform())]!;
      const lines = Array.from({ length: 1 + Math.floor(random.uniform() * LINES_MAX) }, (_, at) => line(at));
      const paid = lines.reduce((sum, { net_amount_minor: amount }) => sum + amount, 0);
      return {
        event_id: `${seed}-${store.id}-${serial}`,
        transaction_id: `${store.id}-${serial}`,
        revision: 0,
        original_transaction_id: null,
        type: 'SALE',
        training: false,
        store_id: store.id,
        register_id: String(1 + (serial % 5)),
        channel: 'store',
        begin_time: endMs - 20_000 - 4_000 * lines.length,
        end_time: endMs,
        time_zone: timeZone,
        business_date: businessDate(endMs, calendar),
        currency: 'USD',
        lines,
        tenders: [{ kind: random.uniform() < CARD_SHARE ? 'card' : 'cash', amount_minor: paid }],
        attributes: {},
      };
    },
  };
}
