import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTransactionMessage } from '../../src/sales/parse-transaction.ts';
import { ticketVersion } from '../../src/sales/ticket-version.ts';
import { acceptedOf, CONTEXT, goodMessage, sale, saleOf } from './transactions.ts';
import type { TransactionMessage } from '../../src/sales/transaction-message.ts';

const ORIGINAL = versionOf(sale({}));

function versionOf(message: TransactionMessage): bigint {
  return ticketVersion(acceptedOf(parseTransactionMessage(message, CONTEXT)));
}

describe('the version of a ticket', () => {
  test.each<[string, TransactionMessage]>([
    ['sent again', structuredClone(sale({}))],
    [
      'sent with its fields in another order',
      Object.fromEntries(Object.entries(sale({})).toReversed()) as TransactionMessage,
    ],
    ['sent with what would have been derived', saleOf({ line_id: 'a' })],
  ])('is the same when it is %s', (_, message) => {
    expect(versionOf(message)).toBe(ORIGINAL);
  });

  test('does not depend on the order of its attributes', () => {
    const attributes = { b: '2', a: '1', '10': 'x', '9': 'y' };
    const reversed = Object.fromEntries(Object.entries(attributes).toReversed());
    expect(versionOf(sale({ attributes: reversed }))).toBe(versionOf(sale({ attributes })));
  });

  test.each<[string, TransactionMessage]>([
    ['a price', saleOf({ net_amount_minor: 399 })],
    ['a product', saleOf({ sku: '1041454' })],
    ['an attribute', sale({ attributes: { cashier_shift: 'late' } })],
    ['the name of an attribute', sale({ attributes: { cashier_shifts: 'early' } })],
    ['the training flag', sale({ training: true })],
    ['what it voids', sale({ original_transaction_id: 'another' })],
  ])('changes with %s', (_, message) => {
    expect(versionOf(message)).not.toBe(ORIGINAL);
  });

  test('is above that of every lower revision, whatever the content, and fits 64 bits', () => {
    fc.assert(
      fc.property(goodMessage, goodMessage, (a, b) => {
        const [low, high] = [versionOf(a), versionOf(b)];
        if (a.revision !== b.revision) expect(low < high).toBe(a.revision < b.revision);
        for (const version of [low, high]) expect(BigInt.asUintN(64, version)).toBe(version);
        expect(versionOf(structuredClone(a))).toBe(low);
      }),
    );
  });
});
