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

  test('changes with every single field, also of its lines, discounts, tenders and attributes', () => {
    const transaction = acceptedOf(
      parseTransactionMessage(sale({ original_transaction_id: 't-0' }), CONTEXT),
    );
    const fields = [...pathsOf(transaction, [])];
    expect(fields.length).toBeGreaterThan(35);
    for (const path of fields) {
      const changed = structuredClone(transaction);
      change(changed, path);
      expect(ticketVersion(changed), path.join('.')).not.toBe(ticketVersion(transaction));
    }
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

type Node = Record<string, unknown>;

/** Of every value that is no object. */
function* pathsOf(node: object, path: readonly string[]): Generator<readonly string[]> {
  for (const [name, value] of Object.entries(node)) {
    if (typeof value === 'object' && value !== null) yield* pathsOf(value as object, [...path, name]);
    else yield [...path, name];
  }
}

function change(root: object, path: readonly string[]): void {
  const holder = path.slice(0, -1).reduce((node, name) => node[name] as Node, root as Node);
  const name = path.at(-1)!;
  const value = holder[name];
  if (typeof value === 'boolean') holder[name] = !value;
  else if (typeof value === 'number') holder[name] = value + 1;
  else holder[name] = typeof value === 'string' ? `${value}x` : 'x';
}
