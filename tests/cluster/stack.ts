/** Where the tests find Kafka, the schema registry and ClickHouse. */
import { inject } from 'vitest';
import type { StoreAddress } from '../../src/platform.ts';

export type StackAddresses = {
  readonly brokers: string[];
  /** Of its Confluent-compatible API. */
  readonly registryUrl: string;
};

export function stackAddresses(): StackAddresses {
  return inject('stack');
}

/** Shared by all tests of a run: each takes a database of its own, `{ ...storeAddress(), database }`. */
export function storeAddress(): StoreAddress {
  return inject('store');
}
