/**
 * Kafka, a schema registry and a store for all tests of the project: those named in the environment, and for what is
 * not named there one of its own, on free ports and in a temporary directory, until the end of the run.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startBroker } from '../../deploy/stack/broker.ts';
import { startRegistry } from '../../deploy/stack/registry.ts';
import type { Service } from '../../deploy/stack/service.ts';
import { startStore } from '../../deploy/stack/store.ts';
import type { StoreAddress } from '../../src/platform.ts';
import type { StackAddresses } from './stack.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    stack: StackAddresses;
    store: StoreAddress;
  }
}

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const dir = await mkdtemp(join(tmpdir(), 'foretill-cluster-'));
  const started: Service[] = [];
  const keep = <S extends Service>(service: S): S => {
    started.push(service);
    return service;
  };
  const tearDown = async (): Promise<void> => {
    await Promise.all(started.map((service) => service.stop()));
    await rm(dir, { recursive: true, force: true });
  };
  const starting = [
    brokers(join(dir, 'kafka'), keep),
    registryUrl(join(dir, 'registry'), keep),
    store(join(dir, 'store'), keep),
  ] as const;
  try {
    const [kafka, registry, clickHouse] = await Promise.all(starting);
    project.provide('stack', { brokers: kafka, registryUrl: registry });
    project.provide('store', clickHouse);
  } catch (error) {
    await Promise.allSettled(starting);
    await tearDown();
    throw error;
  }
  return tearDown;
}

type Keep = <S extends Service>(service: S) => S;

async function brokers(dir: string, keep: Keep): Promise<string[]> {
  const named = (process.env['KAFKA_BROKERS'] ?? '').split(',').filter((broker) => broker !== '');
  return named.length > 0 ? named : [keep(await startBroker({ dir, tell: console.log })).address];
}

async function registryUrl(dir: string, keep: Keep): Promise<string> {
  const named = process.env['SCHEMA_REGISTRY_URL'] ?? '';
  return named === '' ? keep(await startRegistry({ dir })).url : named;
}

async function store(dir: string, keep: Keep): Promise<StoreAddress> {
  const url = process.env['CLICKHOUSE_URL'] ?? '';
  if (url === '') {
    const own = keep(await startStore({ dir }));
    return { url: own.url, username: own.username, password: own.password };
  }
  const username = process.env['CLICKHOUSE_USER'];
  const password = process.env['FORETILL_STORE_PASSWORD'];
  return {
    url,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
}
