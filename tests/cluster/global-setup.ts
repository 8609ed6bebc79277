/** Kafka and a schema registry for all tests of the project: those named in the environment. */
import type { TestProject } from 'vitest/node';
import type { StackAddresses } from './stack.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    stack: StackAddresses;
  }
}

export default function setUp(project: TestProject): void {
  const brokers = (process.env['KAFKA_BROKERS'] ?? '').split(',').filter((broker) => broker !== '');
  const registryUrl = process.env['SCHEMA_REGISTRY_URL'] ?? '';
  if (brokers.length === 0 || registryUrl === '')
    throw new Error('Set KAFKA_BROKERS and SCHEMA_REGISTRY_URL.');
  project.provide('stack', { brokers, registryUrl });
}
