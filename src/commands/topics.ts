/** `foretill topics`: creates missing topics and shows where each partition begins and ends. */
import { Command } from 'commander';
import { systemClock } from '../clock.ts';
import { openPlatform } from '../platform.ts';
import { createTelemetry } from '../telemetry/telemetry.ts';
import { dataDir, loadConfig } from './data-dir-settings.ts';
import { dirOption, jsonOption } from './options.ts';
import { writeErrorDetailsTo } from './report-error.ts';

type Options = { readonly dir?: string; readonly json?: boolean };
type TopicState = {
  readonly name: string;
  readonly partitions: readonly { readonly start: number; readonly end: number }[];
};

const EXAMPLES = `
Examples:
  foretill topics --dir ./data
  foretill topics --json | jq '.topics[] | select(.name | endswith(".dlq"))'`;

export function topicsCommand(): Command {
  return new Command('topics')
    .addOption(dirOption())
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(showTopics);
}

async function showTopics(options: Options): Promise<void> {
  const dir = dataDir(options.dir);
  writeErrorDetailsTo(dir);
  const platform = await openPlatform({
    dir,
    config: loadConfig(dir),
    clock: systemClock,
    telemetry: createTelemetry({ level: 'warn' }),
  });
  try {
    const topics: TopicState[] = [];
    for (const { name } of await platform.log.topics()) {
      topics.push({ name, partitions: [...(await platform.log.offsets(name)).values()] });
    }
    print(topics, options.json === true);
  } finally {
    await platform.close();
  }
}

function print(topics: readonly TopicState[], json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify({ topics })}\n`);
    return;
  }
  for (const { name, partitions } of topics) {
    const places = partitions.map(({ start, end }) => `${start}…${end}`).join('  ');
    process.stdout.write(
      `${name.padEnd(34)} ${partitions.length} partition${partitions.length === 1 ? ' ' : 's'}  ${places}\n`,
    );
  }
}
