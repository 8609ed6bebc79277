/** Alertmanager with the configuration of the compose file, where its program is installed. */
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { answersHttp } from './answers-http.ts';
import { findProgram } from './find-program.ts';
import type { Part } from './part.ts';
import { startService } from './service.ts';

const CONFIGURATION = fileURLToPath(new URL('../alertmanager/alertmanager.yml', import.meta.url));
/** Debian's name for it, and its own. */
const PROGRAMS = ['prometheus-alertmanager', 'alertmanager'];
const READY_MS_MAX = 30_000;
const STOP_MS_MAX = 10_000;

export const alertmanager: Part = {
  name: 'alertmanager',
  title: 'Alertmanager',
  usualPort: 9093,
  lacking: () =>
    findProgram(PROGRAMS) === null
      ? 'its program is not on the PATH (Debian, Ubuntu: apt-get install prometheus-alertmanager)'
      : null,
  address: (port) => `http://127.0.0.1:${port}`,
  logFile: (dir) => join(dir, 'alertmanager.log'),
  isReady: (port) => answersHttp(`http://127.0.0.1:${port}/-/ready`),
  async start({ dir, port, onSpawn }) {
    await mkdir(dir, { recursive: true });
    const configuration = join(dir, 'alertmanager.yml');
    await copyFile(CONFIGURATION, configuration);
    return startService({
      name: 'Alertmanager',
      program: findProgram(PROGRAMS)!,
      args: [
        `--config.file=${configuration}`,
        `--storage.path=${join(dir, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        // No peers: a port less to be taken.
        '--cluster.listen-address=',
      ],
      logFile: alertmanager.logFile(dir),
      isReady: () => alertmanager.isReady(port),
      readyMsMax: READY_MS_MAX,
      stopMsMax: STOP_MS_MAX,
      remedy: `Check ${CONFIGURATION} with: amtool check-config`,
      detached: true,
      onSpawn,
    });
  },
};
