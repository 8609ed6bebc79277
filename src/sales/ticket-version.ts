/**
 * Which of two tellings of one ticket holds: `revision · 2^32 + CRC-32 of its content`. The higher revision wins, and
 * of two contents with one revision always the same one, in whatever order they come; a duplicate has the same version.
 */
import { crc32 } from 'node:zlib';
import type { Transaction } from './transaction.ts';

export function ticketVersion(transaction: Transaction): bigint {
  return (BigInt(transaction.revision) << 32n) | BigInt(crc32(canonicalText(transaction)));
}

/** The parser makes tickets with their fields in one order; only the attributes come in the sender's. */
function canonicalText(transaction: Transaction): string {
  const attributes = Object.entries(transaction.attributes).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify({ ...transaction, attributes });
}
