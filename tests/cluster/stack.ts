/** Where the tests find Kafka and the schema registry. */
import { inject } from 'vitest';

export type StackAddresses = {
  readonly brokers: string[];
  /** Of its Confluent-compatible API. */
  readonly registryUrl: string;
};

export function stackAddresses(): StackAddresses {
  return inject('stack');
}
