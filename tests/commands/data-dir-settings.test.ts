import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dataDir, keepSettings, loadConfig } from '../../src/commands/data-dir-settings.ts';
import { DEFAULT_CONFIG } from '../../src/config.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'foretill-settings-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('a directory without settings has the defaults, and gets none by being read', () => {
  expect(loadConfig(dir)).toEqual(DEFAULT_CONFIG);
  expect(loadConfig(join(dir, 'missing'))).toEqual(DEFAULT_CONFIG);
  expect(readdirSync(dir)).toEqual([]);
});

test('settings that were kept hold for every later command', () => {
  keepSettings(join(dir, 'new'), { currency: 'EUR', timeZone: 'Europe/Berlin' });
  expect(loadConfig(join(dir, 'new'))).toMatchObject({
    currency: 'EUR',
    timeZone: 'Europe/Berlin',
    shards: DEFAULT_CONFIG.shards,
  });
  expect(keepSettings(join(dir, 'new'), { currency: 'EUR' }).timeZone).toBe('Europe/Berlin');
});

test('one limit of a group leaves the others as they are', () => {
  writeFileSync(join(dir, 'foretill.json'), '{"kafka": {"compression": "zstd"}}');
  const kafka = { ...DEFAULT_CONFIG.kafka, compression: 'zstd' };
  expect(loadConfig(dir)).toEqual({ ...DEFAULT_CONFIG, kafka });
  expect(keepSettings(dir, { currency: 'EUR' })).toEqual({ ...DEFAULT_CONFIG, kafka, currency: 'EUR' });
});

test('another currency or zone is refused', () => {
  keepSettings(dir, { currency: 'EUR' });
  expect(() => keepSettings(dir, { currency: 'USD' })).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(/"EUR".*"USD"/) }),
  );
});

describe('a settings file that cannot be used is refused by name', () => {
  test.each([
    ['{ currency', /foretill\.json/],
    ['[]', /no object/],
    ['{"kafka": {"sesionTimeoutMs": 1}}', /foretill\.json.*no setting "kafka\.sesionTimeoutMs"/],
    ['{"transactionPartitions": "four"}', /foretill\.json.*transactionPartitions is "four"/],
    ['{"curency": "EUR"}', /no setting "curency"/],
    ['{"currency": "Euro"}', /ISO 4217/],
    ['{"timeZone": "Berlin"}', /time zone/],
  ])('%s', (text, message) => {
    writeFileSync(join(dir, 'foretill.json'), text);
    expect(() => loadConfig(dir)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) }),
    );
  });
});

test('the data directory is that of the option, else of the environment', () => {
  expect(dataDir('/somewhere')).toBe('/somewhere');
  process.env['FORETILL_DIR'] = '/elsewhere';
  expect(dataDir(undefined)).toBe('/elsewhere');
  delete process.env['FORETILL_DIR'];
  expect(dataDir(undefined)).toBe(join(process.cwd(), 'data'));
});
