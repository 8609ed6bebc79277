/** `foretill topics`: creates missing topics, says where one is not as it should be, and shows what is in each. */
import { Command } from 'commander';
import { systemClock } from '../clock.ts';
import { exitCodeOf } from '../errors.ts';
import type { OffsetRange, TopicSpec } from '../pipeline/log.ts';
import { topicDifferences, topicSpecs } from '../pipeline/topics.ts';
import type { TopicDifference } from '../pipeline/topics.ts';
import { openPlatform } from '../platform.ts';
import type { Platform } from '../platform.ts';
import { createTelemetry } from '../telemetry/telemetry.ts';
import { dataDir, loadConfig } from './data-dir-settings.ts';
import { dirOption, jsonOption } from './options.ts';
import {
  addPlatformOptions,
  addRegisterOption,
  PLATFORM_ENVIRONMENT,
  platformPlaces,
} from './platform-options.ts';
import type { PlatformPlaces } from './platform-options.ts';
import { writeErrorDetailsTo } from './report-error.ts';

type Options = PlatformPlaces & {
  readonly dir?: string;
  readonly json?: boolean;
  readonly strict?: boolean;
};
type TopicState = Omit<TopicSpec, 'partitions'> & { readonly partitions: readonly OffsetRange[] };

const EXAMPLES = `
Examples:
  foretill topics --dir ./data
  foretill topics --json | jq '.topics[] | select(.name | endswith(".dlq"))'
  foretill topics --register --kafka-brokers kafka:9092 --schema-registry-url http://registry:8081 \\
    --store-url http://clickhouse:8123      everything that the roles of a cluster need, once

Topics are created with the partitions and retention of the settings, and KAFKA_REPLICATION_FACTOR copies. What is there
already is never changed: where it differs, the command says so, and with --strict it ends with exit code 2. Another
number of partitions is always an error.
${PLATFORM_ENVIRONMENT}`;

export function topicsCommand(): Command {
  const command = new Command('topics')
    .addOption(dirOption())
    .addOption(jsonOption())
    .option('--strict', 'exit code 2 where a topic is not as it should be')
    .addHelpText('after', EXAMPLES);
  return addRegisterOption(addPlatformOptions(command)).action(showTopics);
}

async function showTopics(options: Options): Promise<void> {
  const dir = dataDir(options.dir);
  writeErrorDetailsTo(dir);
  const platform = await openPlatform({
    dir,
    config: loadConfig(dir),
    clock: systemClock,
    telemetry: createTelemetry({ level: 'warn', format: 'human' }),
    ...platformPlaces(options, { createTopics: true }),
  });
  try {
    const { topics, differences } = await examine(platform);
    if (options.strict === true && differences.length > 0) process.exitCode = exitCodeOf('CONFIG_INVALID');
    if (options.json === true) process.stdout.write(`${JSON.stringify({ topics, differences })}\n`);
    else print(topics, differences);
  } finally {
    await platform.close();
  }
}

async function examine({
  log,
  config,
}: Platform): Promise<{ topics: TopicState[]; differences: TopicDifference[] }> {
  const ours = topicSpecs(config);
  const names = new Set(ours.map(({ name }) => name));
  const present = (await log.topics()).filter(({ name }) => names.has(name));
  const topics: TopicState[] = [];
  for (const topic of present)
    topics.push({ ...topic, partitions: [...(await log.offsets(topic.name)).values()] });
  return { topics, differences: topicDifferences(ours, present) };
}

function print(topics: readonly TopicState[], differences: readonly TopicDifference[]): void {
  for (const { name, partitions } of topics) {
    const places = partitions.map(({ start, end }) => `${start}…${end}`).join('  ');
    process.stdout.write(
      `${name.padEnd(34)} ${partitions.length} partition${partitions.length === 1 ? ' ' : 's'}  ${places}\n`,
    );
  }
  for (const { topic, what, wanted, found } of differences)
    process.stdout.write(`${topic}: ${what} should be ${wanted}, and is ${found}.\n`);
}
