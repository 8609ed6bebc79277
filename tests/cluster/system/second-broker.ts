/** A broker that joins the one of another directory, so that topics can have two copies. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startBroker } from '../../../deploy/stack/broker.ts';
import type { Broker } from '../../../deploy/stack/broker.ts';
import { freePort } from '../../../deploy/stack/free-port.ts';

const NODE_ID = 2;

/** Resolves when it answers. `firstDir`: of the broker to join, which is also the controller. */
export async function startSecondBroker(
  dir: string,
  firstDir: string,
  properties: Readonly<Record<string, string>>,
): Promise<Broker> {
  const port = await freePort();
  await enterCluster(dir, (await readFile(join(firstDir, 'formatted'), 'utf8')).trim());
  const address = `PLAINTEXT://127.0.0.1:${port}`;
  return startBroker({
    dir,
    port,
    heapMegabytes: 384,
    properties: {
      ...properties,
      'process.roles': 'broker',
      'node.id': String(NODE_ID),
      'controller.quorum.voters': await controllerOf(firstDir),
      listeners: address,
      'advertised.listeners': address,
    },
  });
}

/** As formatting does, but with the id of the cluster that is there. */
async function enterCluster(dir: string, clusterId: string): Promise<void> {
  const data = join(dir, 'data');
  await mkdir(data, { recursive: true });
  await writeFile(join(data, 'meta.properties'), `version=1\ncluster.id=${clusterId}\nnode.id=${NODE_ID}\n`);
  await writeFile(join(dir, 'formatted'), `${clusterId}\n`);
}

async function controllerOf(dir: string): Promise<string> {
  const settings = await readFile(join(dir, 'server.properties'), 'utf8');
  return /^controller\.quorum\.voters=(.*)$/m.exec(settings)?.[1] ?? '';
}
