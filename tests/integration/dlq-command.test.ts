/** `foretill dlq` as people meet it, on the log of a directory. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCodec } from '../../src/adapters/avro/codec.ts';
import { lockDataDir } from '../../src/adapters/data-dir-lock.ts';
import { openSqliteLog } from '../../src/adapters/sqlite-log/sqlite-log.ts';
import type { SqliteLog } from '../../src/adapters/sqlite-log/sqlite-log.ts';
import { manualClock } from '../../src/clock.ts';
import { resolveConfig } from '../../src/config.ts';
import { TOPICS, topicSpecs } from '../../src/pipeline/topics.ts';
import { letterOf, LETTERS, START_MS } from '../commands/dlq/letters.ts';
import { sale } from '../sales/transactions.ts';
import { eventually } from './clickhouse/engine-fixture.ts';
import { readTopic } from '../read-topic.ts';

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const MANY = 300;
/** The command goes by the machine's clock, and letters do not stay for ever. */
const REFUSED_MS = Date.now();
const dir = mkdtempSync(join(tmpdir(), 'foretill-dlq-'));
const used = join(dir, 'data');
const codec = await createCodec();
const TICKET = codec.encode(TOPICS.transactions, sale({ transaction_id: 'T-1001', currency: 'XTS' }));
const NOISE = Buffer.from([0xff, 0x00, 0x1b, 0x5b, 0x32, 0x4a]);

type Outcome = {
  readonly code: number | null;
  readonly out: string;
  readonly bytes: Buffer;
  readonly err: string;
};

function start(...args: readonly string[]) {
  const child = spawn(process.execPath, [CLI, 'dlq', ...args], {
    cwd: dir,
    env: { ...process.env, FORETILL_DIR: used },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const out: Buffer[] = [];
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const outcome = new Promise<Outcome>((resolve) =>
    child.on('close', (code) => {
      const bytes = Buffer.concat(out);
      resolve({ code, bytes, out: bytes.toString(), err });
    }),
  );
  return { child, outcome, said: () => err };
}

function dlq(...args: readonly string[]): Promise<Outcome> {
  return start(...args).outcome;
}

async function withLog<T>(work: (log: SqliteLog) => Promise<T>): Promise<T> {
  const log = await openSqliteLog({ dir: join(used, 'log'), clock: manualClock(REFUSED_MS) });
  try {
    return await work(log);
  } finally {
    await log.close();
  }
}

beforeAll(async () => {
  await withLog(async (log) => {
    await log.ensureTopics(topicSpecs(resolveConfig()));
    await log.append(LETTERS, [
      letterOf({ value: TICKET }, { reason: 'currency_mismatch', message: 'currency "XTS" is not USD' }),
      letterOf({ value: NOISE, key: null }, { stage: 'decode', message: 'no \u001b[2J message' }),
      letterOf({ value: TICKET }, { reason: 'card_data', message: 'a card number' }),
      ...Array.from({ length: MANY }, (_, i) =>
        letterOf({ value: Buffer.from(String(i)), key: Buffer.from('bulk') }, { reason: 'time_too_old' }),
      ),
    ]);
  });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('help', () => {
  test.each([[['--help']], [['list', '--help']], [['show', '--help']], [['replay', '--help']]])(
    '%j has examples, and says when the log cannot be read',
    async (args) => {
      const { code, out } = await dlq(...args);
      expect(code).toBe(0);
      expect(out).toMatch(/Usage: foretill dlq[\s\S]*Examples:/);
      if (args.length > 1) expect(out).toMatch(/stop that first\. With Kafka it may go on/);
    },
  );
});

describe('what is wrong is said in words, with an exit code', () => {
  test.each<[string, readonly string[], number, RegExp]>([
    ['an unknown subcommand', ['lst'], 2, /unknown command 'lst'/],
    ['a limit that is none', ['list', '--limit', '0'], 2, /whole number from 1 to 10000/],
    ['a cursor that is none', ['list', '--before', 'x'], 2, /place of a letter/],
    [
      'two orders at once',
      ['list', '--oldest-first', '--before', `${LETTERS}/0/5`],
      2,
      /cannot be used with/,
    ],
    [
      'a page of the other order',
      ['list', '--after', `${LETTERS}/0/5`],
      2,
      /--after goes with --oldest-first/,
    ],
    ['a topic that is not there', ['list', '--topic', 'nowhere'], 3, /no dead-letter topic nowhere\.dlq/],
    ['a letter that is not there', ['show', LETTERS, '0', '9999'], 3, /There is no letter .*\/0\/9999/],
    ['a partition that is not there', ['show', LETTERS, '7', '0'], 3, /no such partition/],
    ['half a place', ['replay', LETTERS, '0'], 2, /topic, partition and offset, all three/],
    ['many letters and nobody to ask', ['replay'], 2, /302 letters would be put back\.[\s\S]*--yes/],
  ])('%s', async (_, args, code, message) => {
    const outcome = await dlq(...args);
    expect(outcome.err).toMatch(message);
    expect(outcome.err).not.toMatch(/^\s+at /m);
    expect(outcome.code).toBe(code);
  });

  test('a directory that is in use', async () => {
    const other = join(dir, 'used');
    const lock = await lockDataDir(other);
    const outcome = await dlq('list', '--dir', other);
    await lock.release();
    expect(outcome).toMatchObject({ code: 4, err: expect.stringMatching(/in use by process/) as string });
  });
});

describe('list', () => {
  test('shows the newest first, and where to go on', async () => {
    const { out } = await dlq('list', '--limit', '2');
    expect(out).toContain(`${LETTERS}/0/302, parse time_too_old, key bulk, 3 bytes`);
    expect(out.indexOf('/0/302,')).toBeLessThan(out.indexOf('/0/301,'));
    expect(out).toContain(`More: --before ${LETTERS}/0/301\n`);
  });

  test('has nothing in it that steers a terminal', async () => {
    const { out } = await dlq('list', '--stage', 'decode');
    expect(out).toContain(`${LETTERS}/0/1, decode malformed, no key, 6 bytes\n    no �[2J message\n`);
    expect(out).not.toContain('\u001b');
  });

  test('as JSON has the shape that its help describes', async () => {
    const { out } = await dlq('list', '--json', '--contains', 'T-1001');
    expect(JSON.parse(out)).toEqual({
      letters: [
        {
          topic: LETTERS,
          partition: 0,
          offset: 0,
          refusedAt: new Date(REFUSED_MS).toISOString(),
          stage: 'parse',
          reason: 'currency_mismatch',
          error: 'currency "XTS" is not USD',
          key: '406',
          valueBytes: TICKET.length,
          omitted: null,
          replays: 0,
          replayed: false,
          origin: {
            topic: TOPICS.transactions,
            partition: 1,
            offset: 7,
            timestamp: new Date(START_MS - 1).toISOString(),
          },
        },
      ],
      next: null,
    });
  });

  test('sums up', async () => {
    const { out } = await dlq('list', '--summary', '--json');
    const { summary, letters } = JSON.parse(out) as { summary: unknown[]; letters: number };
    const at = new Date(REFUSED_MS).toISOString();
    expect(letters).toBe(MANY + 3);
    expect(summary[0]).toEqual({
      topic: LETTERS,
      reason: 'time_too_old',
      letters: MANY,
      replayed: 0,
      oldest: at,
      newest: at,
    });
    expect((await dlq('list', '--summary')).out).toMatch(/time_too_old +300 [\s\S]*303 letters/);
  });
});

describe('show', () => {
  test('decodes what can be decoded', async () => {
    const { out } = await dlq('show', TOPICS.transactions, '0', '0');
    expect(out).toMatch(
      /foretill-reason: currency_mismatch[\s\S]*00000000 {2}00[\s\S]*"transaction_id": "T-1001"/,
    );
  });

  test('dumps what cannot, and says why', async () => {
    const { out } = await dlq('show', LETTERS, '0', '1');
    expect(out).toMatch(
      /key {6}\(none\)[\s\S]*ff 00 1b 5b 32 4a[\s\S]*message {2}none: the first byte is 255/,
    );
    expect(out).not.toContain('\u001b');
  });

  test('as JSON has everything', async () => {
    const { out } = await dlq('show', LETTERS, '0', '0', '--json');
    expect(JSON.parse(out)).toMatchObject({
      topic: LETTERS,
      offset: 0,
      key: '406',
      headers: { 'foretill-stage': 'parse', 'foretill-offset': '7' },
      valueBase64: TICKET.toString('base64'),
      message: { transaction_id: 'T-1001' },
      problem: null,
    });
    const card = JSON.parse((await dlq('show', LETTERS, '0', '2', '--json')).out) as unknown;
    expect(card).toMatchObject({
      valueBase64: null,
      message: null,
      problem: expect.stringMatching(/card_data/) as string,
    });
  });

  test('--raw gives the bytes', async () => {
    expect((await dlq('show', LETTERS, '0', '1', '--raw')).bytes).toEqual(NOISE);
  });
});

describe('replay', () => {
  test('tries before it does anything', async () => {
    const { out } = await dlq('replay', '--dry-run', '--json');
    expect(JSON.parse(out)).toMatchObject({
      dryRun: true,
      letters: MANY + 2,
      routes: expect.arrayContaining([
        { from: LETTERS, to: TOPICS.transactions, reason: 'time_too_old', letters: MANY },
      ]) as unknown,
      leftOut: { replayed: 0, withoutBytes: 1, elsewhere: 0 },
      replayed: 0,
    });
    const text = (await dlq('replay', '--dry-run', '--reason', 'card_data')).out;
    expect(text).toBe('0 letters would be put back.\nLeft out: 1 without a value: nothing to put back.\n');
    expect(await withLog((log) => readTopic(log, TOPICS.transactions))).toEqual([]);
  });

  test('puts one letter back without asking, once', async () => {
    const first = await dlq('replay', LETTERS, '0', '0');
    expect(first).toMatchObject({ code: 0, out: `1 of 1 letters put back, the last was ${LETTERS}/0/0.\n` });
    const again = await dlq('replay', LETTERS, '0', '0');
    expect(again.out).toBe(
      '0 of 0 letters put back.\nLeft out: 1 put back before (--again includes them).\n',
    );
    const [record, ...more] = await withLog((log) => readTopic(log, TOPICS.transactions));
    expect(more).toEqual([]);
    expect(record).toMatchObject({ key: Buffer.from('406'), value: TICKET });
    expect(Object.keys(record?.headers ?? {})).toEqual(['foretill-replays']);
    const { out } = await dlq('list', '--json', '--reason', 'currency_mismatch');
    expect(JSON.parse(out)).toMatchObject({ letters: [{ offset: 0, replayed: true }] });
    const pending = await dlq('list', '--pending', '--reason', 'currency_mismatch');
    expect(pending.out).toBe('No letters.\n');
  });

  test('stops at Ctrl-C, says how far it came, and goes on from there', async () => {
    const bulk = ['replay', '--reason', 'time_too_old', '--yes'] as const;
    const { child, outcome, said } = start(...bulk, '--rate', '50');
    await eventually('it is under way', () => /Putting letters back: \d+%/.test(said()), 60_000);
    child.kill('SIGINT');
    const stopped = await outcome;
    expect(stopped.code).toBe(0);
    const [, count] =
      /^(\d+) of 300 letters put back, the last was .*\n.*goes on from there\.\n$/.exec(stopped.out) ?? [];
    expect(Number(count)).toBeGreaterThan(0);
    expect(Number(count)).toBeLessThan(MANY);
    const rest = await dlq(...bulk, '--json');
    expect(JSON.parse(rest.out)).toMatchObject({
      letters: MANY - Number(count),
      replayed: MANY - Number(count),
      leftOut: { replayed: Number(count) },
      stopped: false,
    });
    const values = (await withLog((log) => readTopic(log, TOPICS.transactions))).map(({ value }) =>
      String(value),
    );
    expect(values.slice(1)).toEqual(Array.from({ length: MANY }, (_, i) => String(i)));
  });
});
