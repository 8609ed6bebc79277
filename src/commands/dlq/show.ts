/** `foretill dlq show`: one letter, whole. */
import { finished } from 'node:stream/promises';
import { Readable } from 'node:stream';
import type { Command } from 'commander';
import { Option } from 'commander';
import { ForetillError } from '../../errors.ts';
import { DecodeError } from '../../pipeline/codec.ts';
import type { Codec } from '../../pipeline/codec.ts';
import type { Log } from '../../pipeline/log.ts';
import type { Topic } from '../../pipeline/messages.ts';
import { TOPICS } from '../../pipeline/topics.ts';
import type { Messaging } from '../../platform.ts';
import { hexdump } from './hexdump.ts';
import { readLetter } from './letter.ts';
import type { Letter, Place } from './letter.ts';
import { noLetter, oneLetter } from './one-letter.ts';
import { addCommonOptions, dlqSubcommand, placeArguments, withMessaging } from './open.ts';
import type { CommonOptions } from './open.ts';
import { instant, printable } from './printable.ts';
import { scan } from './scan.ts';

type Options = CommonOptions & { readonly raw?: boolean };

/** What the value says, or why it says nothing. */
type Decoded = { readonly message: unknown; readonly problem: string | null };

const DUMPED_BYTES_MAX = 4_096;

const HELP = `
Examples:
  foretill dlq show retail.pos.transaction.v1 0 1200
  foretill dlq show retail.pos.transaction.v1 0 1200 --raw > refused.bin

With --json one object:
  {"topic", "partition", "offset", "refusedAt", "key", "headers": {name: text}, "valueBase64", "message", "problem"}
"message" is what the value says where it can be decoded; where it cannot, it is null and "problem" says why.
`;

export function showCommand(): Command {
  const command = dlqSubcommand('show', HELP)
    .description('one letter: headers, bytes, and the message where they are one')
    .addOption(new Option('--raw', 'only the bytes of the value, on standard output').conflicts('json'));
  for (const argument of placeArguments({ required: true })) command.addArgument(argument);
  return addCommonOptions(command).action(
    async (topic: string, partition: number, offset: number, options: Options) => {
      await withMessaging(options, (platform) => show(platform, { topic, partition, offset }, options));
    },
  );
}

async function show({ log, codec }: Messaging, place: Place, options: Options): Promise<void> {
  const letter = await fetchLetter(log, place);
  if (options.raw === true) {
    await writeBytes(letter.value ?? Buffer.alloc(0));
    return;
  }
  const decoded = await decode(codec, letter);
  if (options.json === true) process.stdout.write(`${JSON.stringify(toJson(letter, decoded))}\n`);
  else process.stdout.write(describe(letter, decoded));
}

/** Rejects with INPUT_NOT_FOUND. */
async function fetchLetter(log: Log, place: Place): Promise<Letter> {
  const stretch = await oneLetter(log, place);
  const found: Letter[] = [];
  await scan(
    log,
    stretch,
    (at, records) => void found.push(...records.map((record) => copyOf(readLetter(at, record)))),
  );
  const [letter] = found;
  if (letter === undefined) throw noLetter({ ...place, topic: stretch.topic }, 'There is a gap in the log.');
  return letter;
}

/** Its buffers are views of the batch that it came in. */
function copyOf(letter: Letter): Letter {
  const copy = (bytes: Buffer | null): Buffer | null => (bytes === null ? null : Buffer.from(bytes));
  const headers = Object.entries(letter.headers).map(([name, bytes]) => [name, Buffer.from(bytes)] as const);
  return {
    ...letter,
    key: copy(letter.key),
    value: copy(letter.value),
    headers: Object.fromEntries(headers),
  };
}

async function decode(codec: Codec, { origin, value, omitted }: Letter): Promise<Decoded> {
  if (value === null) {
    const why = omitted === null ? 'it was refused without a value' : `the value is missing: ${omitted}`;
    return { message: null, problem: why };
  }
  const topic = Object.values(TOPICS).find((each: Topic) => each === origin.topic);
  if (topic === undefined) return { message: null, problem: `${origin.topic} is no topic of Foretill` };
  try {
    await codec.prepare(topic, [value]);
    return { message: codec.decode(topic, value), problem: null };
  } catch (error) {
    // Without the registry the bytes can be shown all the same.
    if (!(error instanceof DecodeError || error instanceof ForetillError)) throw error;
    return { message: null, problem: error.message };
  }
}

function describe(letter: Letter, { message, problem }: Decoded): string {
  const { topic, partition, offset, key, value, headers } = letter;
  const lines = [
    `${topic}/${partition}/${offset}`,
    `refused  ${instant(letter.refusedAtMs)}`,
    `key      ${key === null ? '(none)' : printable(key.toString())}`,
    'headers',
    ...Object.entries(headers).map(([name, bytes]) => `  ${printable(name)}: ${printable(bytes.toString())}`),
    value === null ? 'value    (none)' : `value    ${value.length} bytes`,
    ...(value === null || value.length === 0 ? [] : [hexdump(value.subarray(0, DUMPED_BYTES_MAX))]),
    ...(value !== null && value.length > DUMPED_BYTES_MAX
      ? [`… ${value.length - DUMPED_BYTES_MAX} more bytes: --raw has them all`]
      : []),
    problem === null ? 'message' : `message  none: ${printable(problem)}`,
    ...(problem === null ? [JSON.stringify(message, null, 2).split('\n').map(printable).join('\n')] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function toJson(letter: Letter, decoded: Decoded): unknown {
  const { topic, partition, offset, refusedAtMs, key, value, headers } = letter;
  return {
    topic,
    partition,
    offset,
    refusedAt: instant(refusedAtMs),
    key: key?.toString() ?? null,
    headers: Object.fromEntries(Object.entries(headers).map(([name, bytes]) => [name, bytes.toString()])),
    valueBase64: value?.toString('base64') ?? null,
    ...decoded,
  };
}

/** Resolves when whoever reads our output has taken it. */
async function writeBytes(bytes: Buffer): Promise<void> {
  const source = Readable.from([bytes]);
  source.pipe(process.stdout, { end: false });
  await finished(source);
}
