/**
 * Prometheus with the configuration of the compose file, where its program is installed: the same rules, other
 * addresses. What it scrapes is named by files in `targets/` of its directory, which it watches: a program that starts
 * roles elsewhere puts a file there, `[{"targets": ["127.0.0.1:PORT"], "labels": {"role": "ingest"}}]`.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { answersHttp } from './answers-http.ts';
import { findProgram } from './find-program.ts';
import type { Part } from './part.ts';
import { startService } from './service.ts';

const CONFIGURATION = fileURLToPath(new URL('../prometheus/prometheus.yml', import.meta.url));
const READY_MS_MAX = 30_000;
const STOP_MS_MAX = 10_000;
/** Where `foretill run` answers /metrics unless told otherwise: with role serve, and without. */
const USUAL_TARGETS = ['127.0.0.1:8642', '127.0.0.1:9464'];

export const prometheus: Part = {
  name: 'prometheus',
  title: 'Prometheus',
  usualPort: 9090,
  lacking: () =>
    findProgram(['prometheus']) === null
      ? 'its program is not on the PATH (Debian, Ubuntu: apt-get install prometheus)'
      : null,
  address: (port) => `http://127.0.0.1:${port}`,
  logFile: (dir) => join(dir, 'prometheus.log'),
  isReady: (port) => answersHttp(`http://127.0.0.1:${port}/-/ready`),
  async start({ dir, port, ports, onSpawn }) {
    const configuration = join(dir, 'prometheus.yml');
    await writeTargets(join(dir, 'targets'));
    await writeFile(
      configuration,
      localConfiguration(await readFile(CONFIGURATION, 'utf8'), {
        dir,
        port,
        alertmanagerPort: ports.alertmanager,
      }),
    );
    return startService({
      name: 'Prometheus',
      program: findProgram(['prometheus'])!,
      args: [
        `--config.file=${configuration}`,
        `--storage.tsdb.path=${join(dir, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      logFile: prometheus.logFile(dir),
      isReady: () => prometheus.isReady(port),
      readyMsMax: READY_MS_MAX,
      stopMsMax: STOP_MS_MAX,
      remedy: `Check ${configuration} with: promtool check config`,
      detached: true,
      onSpawn,
    });
  },
};

type Configuration = { readonly rule_files?: readonly string[] };

/**
 * The configuration of the compose file with this machine's addresses, its rule files by absolute path, and without
 * the token that a service asks for which listens on more than the loopback.
 */
export function localConfiguration(
  text: string,
  { dir, port, alertmanagerPort }: { dir: string; port: number; alertmanagerPort: number },
): string {
  const given = parse(text) as Configuration;
  const only = (itsPort: number): object => ({ static_configs: [{ targets: [`127.0.0.1:${itsPort}`] }] });
  return stringify({
    ...given,
    rule_files: (given.rule_files ?? []).map((file) => resolve(dirname(CONFIGURATION), file)),
    alerting: { alertmanagers: [only(alertmanagerPort)] },
    scrape_configs: [
      { job_name: 'foretill', file_sd_configs: [{ files: [join(dir, 'targets', '*.json')] }] },
      { job_name: 'prometheus', ...only(port) },
      { job_name: 'alertmanager', ...only(alertmanagerPort) },
    ],
  });
}

async function writeTargets(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  const usual = join(dir, 'usual.json');
  if (!existsSync(usual)) await writeFile(usual, `${JSON.stringify([{ targets: USUAL_TARGETS }])}\n`);
}
