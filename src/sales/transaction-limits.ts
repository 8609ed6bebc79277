/** What a transaction may hold at most: part of the contract with the tills, not a setting. */
export const TRANSACTION_LIMITS = {
  lines: 2_000,
  /** 1,000,000 pieces or kilograms on a line. */
  quantityThousandths: 1e9,
  /** Sums of 900 such amounts are still exact. */
  amountMinor: 1e13,
  idCharacters: 256,
  categories: 16,
  discountsPerLine: 64,
  tenders: 64,
  attributes: 64,
  attributeCharacters: 1_024,
  revision: 2 ** 31 - 1,
} as const;
