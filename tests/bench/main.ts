/**
 * `npm run bench -- ingest|kafka|engine|reconcile|feed|log|store|accuracy|hierarchy|all [--quick]`: what each part
 * reaches, as ratios of one run. `accuracy` takes words of its own.
 */
import { cpus } from 'node:os';
import { benchAccuracy } from './accuracy.ts';
import { benchEngine } from './engine.ts';
import { benchFanOut } from './feed.ts';
import { benchFeedLatency } from './feed-latency.ts';
import { benchHierarchy } from './hierarchy.ts';
import { benchIngest } from './ingest.ts';
import { benchKafka } from './kafka.ts';
import { benchLog } from './log.ts';
import { benchReconcile } from './reconcile.ts';
import { benchStore } from './store.ts';

type Options = { readonly quick: boolean };

const BENCHES: Readonly<Record<string, (options: Options) => Promise<void>>> = {
  ingest: benchIngest,
  kafka: benchKafka,
  engine: benchEngine,
  reconcile: benchReconcile,
  async feed(options) {
    await benchFeedLatency(options);
    await benchFanOut(options);
  },
  log: benchLog,
  store: benchStore,
  accuracy: () => benchAccuracy(accuracyWords),
  hierarchy: benchHierarchy,
};

const [first, ...others] = process.argv.slice(2);
const accuracyWords = first === 'accuracy' ? others : [];
const words = first === 'accuracy' ? [first] : process.argv.slice(2);
const quick = words.includes('--quick');
const wanted = words.filter((word) => word !== '--quick');
const chosen = wanted.includes('all') ? Object.keys(BENCHES) : wanted;
if (chosen.length === 0 || chosen.some((name) => BENCHES[name] === undefined)) {
  console.error(`usage: npm run bench -- ${Object.keys(BENCHES).join('|')}|all [--quick]`);
  process.exitCode = 2;
} else {
  const [cpu] = cpus();
  console.log(
    `${cpus().length} cores, ${cpu?.model ?? 'unknown CPU'}, Node ${process.versions.node}, ` +
      `${process.platform} ${process.arch}, ${new Date().toISOString().slice(0, 10)}${quick ? ', quick' : ''}`,
  );
  for (const name of chosen) {
    console.log('');
    await BENCHES[name]?.({ quick });
  }
}
