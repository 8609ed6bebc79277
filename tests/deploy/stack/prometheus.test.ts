/** The stack's Prometheus runs with the rules of the compose file and the addresses of this machine. */
import { readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { localConfiguration } from '../../../deploy/stack/prometheus.ts';

const given = readFileSync(new URL('../../../deploy/prometheus/prometheus.yml', import.meta.url), 'utf8');

type Configuration = {
  readonly global: object;
  readonly rule_files: readonly string[];
  readonly alerting: object;
  readonly scrape_configs: readonly { readonly job_name: string }[];
};

test('rules and intervals are those given, addresses are local', () => {
  const before = parse(given) as Configuration;
  const after = parse(
    localConfiguration(given, { dir: '/stack/prometheus', port: 9090, alertmanagerPort: 9093 }),
  ) as Configuration;
  expect(after.global).toEqual(before.global);
  expect(after.rule_files).toHaveLength(before.rule_files.length);
  expect(after.rule_files.every((file) => isAbsolute(file) && file.endsWith('.rules.yml'))).toBe(true);
  expect(after.alerting).toEqual({ alertmanagers: [only('127.0.0.1:9093')] });
  expect(after.scrape_configs).toEqual([
    { job_name: 'foretill', file_sd_configs: [{ files: ['/stack/prometheus/targets/*.json'] }] },
    { job_name: 'prometheus', ...only('127.0.0.1:9090') },
    { job_name: 'alertmanager', ...only('127.0.0.1:9093') },
  ]);
  const jobs = before.scrape_configs.map((job) => job.job_name);
  expect(after.scrape_configs.map((job) => job.job_name)).toEqual(jobs);
});

test('a configuration without rules has none here', () => {
  const after = parse(
    localConfiguration('global: {}\n', { dir: '/stack', port: 1, alertmanagerPort: 2 }),
  ) as Configuration;
  expect(after.rule_files).toEqual([]);
});

function only(target: string): object {
  return { static_configs: [{ targets: [target] }] };
}
