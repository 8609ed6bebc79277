/** The parts of the local stack. */
import { join } from 'node:path';
import { alertmanager } from './alertmanager.ts';
import { answersHttp } from './answers-http.ts';
import { startBroker } from './broker.ts';
import { answersMetadata } from './metadata-request.ts';
import type { Part } from './part.ts';
import { prometheus } from './prometheus.ts';
import { registryUrl, startRegistry } from './registry.ts';
import { startStore } from './store.ts';

const kafka: Part = {
  name: 'kafka',
  title: 'Kafka',
  usualPort: 9092,
  lacking: () => null,
  address: (port) => `127.0.0.1:${port}`,
  logFile: (dir) => join(dir, 'broker.log'),
  isReady: answersMetadata,
  start: (context) => startBroker({ ...context, detached: true }),
};

const registry: Part = {
  name: 'registry',
  title: 'Schema registry',
  usualPort: 8081,
  lacking: () => null,
  address: registryUrl,
  logFile: (dir) => join(dir, 'registry.log'),
  isReady: (port) => answersHttp(`${registryUrl(port)}/subjects`),
  start: (context) => startRegistry({ ...context, detached: true }),
};

const store: Part = {
  name: 'store',
  title: 'ClickHouse',
  usualPort: 8123,
  lacking: () => null,
  address: (port) => `http://127.0.0.1:${port}`,
  logFile: (dir) => join(dir, 'store.log'),
  isReady: (port) => answersHttp(`http://127.0.0.1:${port}/ping`),
  start: (context) => startStore({ ...context, detached: true }),
};

export const PARTS: readonly Part[] = [kafka, registry, store, alertmanager, prometheus];
