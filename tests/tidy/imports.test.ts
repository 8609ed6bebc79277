/** The code map of ARCHITECTURE.md as a test: a folder imports only from those before it, and nothing goes in circles. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const SRC = fileURLToPath(new URL('../../src', import.meta.url));

/** In import order. A layer may import from itself and from those above it. */
const LAYERS: readonly (readonly string[])[] = [
  ['errors.ts', 'clock.ts'],
  ['sales'],
  ['config-overrides.ts', 'config.ts'],
  ['windows'],
  ['stats'],
  ['models', 'intervals', 'scoring', 'hierarchy'],
  ['pipeline'],
  ['telemetry'],
  ['adapters'],
  ['backtest'],
  ['roles'],
  ['simulator'],
  ['platform.ts', 'main.ts'],
  ['commands'],
  ['cli.ts'],
];
/** Folders that do no I/O and read no clock: what they may import from Node itself. */
const PURE = [
  'sales',
  'windows',
  'stats',
  'models',
  'intervals',
  'scoring',
  'hierarchy',
  'pipeline',
  'simulator',
];
const PURE_NODE_MODULES = new Set(['node:zlib', 'node:assert', 'node:assert/strict']);

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => join(SRC, file));

function importsOf(file: string): { specifier: string; typeOnly: boolean }[] {
  const text = readFileSync(file, 'utf8');
  const found = text.matchAll(/^(?:import|export)\s(type\s)?[^'"`;]*?from\s+'([^']+)'|^import\s+'([^']+)'/gm);
  return [...found].map(([, type, from, bare]) => ({
    specifier: from ?? bare ?? '',
    typeOnly: type !== undefined,
  }));
}

/** Also of what is loaded by `import()`, `require` and `createRequire`. */
function specifiersOf(file: string): string[] {
  const called = readFileSync(file, 'utf8').matchAll(/(?:import|require|\))\(\s*'([^']+)'\s*\)/g);
  return [
    ...importsOf(file).map(({ specifier }) => specifier),
    ...[...called].map(([, found]) => found ?? ''),
  ];
}

function layerOf(file: string): number {
  const [top] = relative(SRC, file).split('/');
  return LAYERS.findIndex((layer) => layer.includes(top ?? ''));
}

describe('imports', () => {
  test('every file belongs to a layer of the code map', () => {
    const strangers = files.filter((file) => layerOf(file) === -1 && !file.includes('/ui/'));
    expect(strangers.map((file) => relative(SRC, file))).toEqual([]);
  });

  test('no file imports from a layer below its own', () => {
    const wrong: string[] = [];
    for (const file of files) {
      for (const { specifier } of importsOf(file)) {
        if (!specifier.startsWith('.') || !specifier.endsWith('.ts')) continue;
        const target = resolve(dirname(file), specifier);
        if (layerOf(target) > layerOf(file)) wrong.push(`${relative(SRC, file)} → ${relative(SRC, target)}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('no circles among values', () => {
    const graph = new Map(
      files.map((file) => [
        file,
        importsOf(file)
          .filter(
            ({ specifier, typeOnly }) => !typeOnly && specifier.startsWith('.') && specifier.endsWith('.ts'),
          )
          .map(({ specifier }) => resolve(dirname(file), specifier)),
      ]),
    );
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) {
        circles.push(
          [...path.slice(path.indexOf(file)), file].map((each) => relative(SRC, each)).join(' → '),
        );
        return;
      }
      if (done.has(file)) return;
      for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(circles).toEqual([]);
  });

  test('the functional core does no I/O, reads no clock and draws no randomness', () => {
    const wrong: string[] = [];
    for (const file of files.filter((each) => PURE.includes(relative(SRC, each).split('/')[0] ?? ''))) {
      const text = readFileSync(file, 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
      for (const { specifier } of importsOf(file)) {
        if (specifier.startsWith('node:') && !PURE_NODE_MODULES.has(specifier))
          wrong.push(`${relative(SRC, file)}: ${specifier}`);
      }
      for (const banned of [
        'Date.now(',
        'new Date()',
        'Math.random(',
        'performance.now(',
        'process.',
        'fetch(',
      ]) {
        if (text.includes(banned)) wrong.push(`${relative(SRC, file)}: ${banned}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test.each([
    ['kafkajs', /^kafkajs/, '/adapters/kafka/'],
    ['the codecs of Kafka', /lz4|snappy/, '/adapters/kafka/'],
    ['the registry’s client', /^@kafkajs\/confluent-schema-registry/, '/adapters/schema-registry/'],
  ])('%s is imported nowhere but in its adapter', (_, specifiers, folder) => {
    const wrong = files.filter(
      (file) => !file.includes(folder) && specifiersOf(file).some((specifier) => specifiers.test(specifier)),
    );
    expect(wrong.map((file) => relative(SRC, file))).toEqual([]);
  });
});
