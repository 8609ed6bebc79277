/**
 * Poison for the transaction topic: records that ingest must refuse, each for a known reason. Seeded, for any log and
 * any codec (the schema id in front of a message is the registry's own).
 *
 * @example
 * const source = poison({ seed: 'p-1', codec });                    // or kinds: ['bad_magic', 'truncated']
 * const { records, bad } = source.mixInto(clean, 0.01);             // 1 % of `records` is poison, at random places
 * await log.append(TOPICS.transactions, [...records, ...source.take(1_000).map(({ record }) => record)]);
 * // … when ingest has committed everything, and `letters` are all records of the dead-letter topic:
 * expect(letters.map(letterText).sort()).toEqual(bad.map(expectedLetterText).sort());
 *
 * Tickets that can be decoded end in March 2017 and name neither currency, zone nor business date, so that with any
 * settings of the chain nothing is wrong with them but what their kind says.
 */
import { createHash } from 'node:crypto';
import { createRandom } from '../src/simulator/random.ts';
import type { Random } from '../src/simulator/random.ts';
import type { Codec } from '../src/pipeline/codec.ts';
import type { LogRecord, OutgoingRecord } from '../src/pipeline/log.ts';
import { TOPICS } from '../src/pipeline/topics.ts';
import type { TransactionLineMessage, TransactionMessage } from '../src/sales/transaction-message.ts';
import type { RejectReason } from '../src/sales/transaction.ts';

export type Poison = {
  readonly kind: PoisonKind;
  readonly record: OutgoingRecord;
  readonly stage: 'decode' | 'parse';
  readonly reason: RejectReason;
  /** False: the letter must have no value. */
  readonly kept: boolean;
};

export type PoisonSource = {
  next(): Poison;
  take(count: number): Poison[];
  /** `share` of `records` (0 up to, not with, 1) is poison, at random places among the clean ones, whose order stays. */
  mixInto(clean: readonly OutgoingRecord[], share: number): { records: OutgoingRecord[]; bad: Poison[] };
};

type Made = { readonly key: Buffer | null; readonly value: Buffer | null };
type Bench = { readonly codec: Codec; readonly random: Random; readonly ticket: TransactionMessage };
type Kind = {
  readonly stage: Poison['stage'];
  readonly reason: RejectReason;
  readonly make: (bench: Bench) => Made;
  readonly kept?: false;
};

const QUANTITY_MAX = 1e9;
/** Found again in the bytes of a message, to be replaced there by what no encoder would write. */
const QUANTITY_MARK = 123_456_789;
const SKU_MARK = 'sku-with-a-mark';
const UNKNOWN_IDS = 5;

const KINDS = {
  null_value: { stage: 'decode', reason: 'malformed', make: () => ({ key: null, value: null }) },
  tombstone: { stage: 'decode', reason: 'malformed', make: (bench) => ({ key: keyOf(bench), value: null }) },
  no_bytes: { stage: 'decode', reason: 'malformed', make: (bench) => raw(bench, Buffer.alloc(0)) },
  bad_magic: {
    stage: 'decode',
    reason: 'malformed',
    make: (bench) => changed(bench, (bytes) => bytes.fill(1 + below(bench, 255), 0, 1)),
  },
  truncated: {
    stage: 'decode',
    reason: 'malformed',
    make: (bench) => changed(bench, (bytes) => bytes.subarray(0, below(bench, bytes.length))),
  },
  bytes_left_over: {
    stage: 'decode',
    reason: 'malformed',
    make: (bench) => changed(bench, (bytes) => Buffer.concat([bytes, noise(bench, 1 + below(bench, 40))])),
  },
  noise: {
    stage: 'decode',
    reason: 'malformed',
    make: (bench) => raw(bench, Buffer.concat([Buffer.from([7]), noise(bench, below(bench, 2_000))])),
  },
  json: {
    stage: 'decode',
    reason: 'malformed',
    make: (bench) => raw(bench, Buffer.from(JSON.stringify(bench.ticket))),
  },
  unknown_schema: {
    stage: 'decode',
    reason: 'unknown_schema',
    make: (bench) =>
      changed(bench, (bytes) => void bytes.writeInt32BE(2_000_000_000 + below(bench, UNKNOWN_IDS), 1)),
  },
  /** Whole and right, but a message of another topic. */
  foreign_schema: {
    stage: 'decode',
    reason: 'unknown_schema',
    make: (bench) => raw(bench, bench.codec.encode(TOPICS.buckets, BUCKET_MESSAGE)),
  },
  wrong_avro: {
    stage: 'decode',
    reason: 'malformed',
    make: (bench) =>
      changed(bench, (bytes) =>
        Buffer.concat([bytes.subarray(0, 5), Buffer.from(JSON.stringify(bench.ticket))]),
      ),
  },
  /** What a writer sends whose schema says double where ours says long. */
  not_a_number: {
    stage: 'decode',
    reason: 'malformed',
    make: (bench) => withQuantity(bench, Buffer.from([0, 0, 0, 0, 0, 0, 0xf8, 0x7f])),
  },
  /** 2^53 + 1 and up: no double holds it. */
  beyond_exact: {
    stage: 'decode',
    reason: 'out_of_range',
    make: (bench) => withQuantity(bench, varint(2n ** 53n + 1n + BigInt(below(bench, 1_000)))),
  },
  huge_quantity: {
    stage: 'parse',
    reason: 'out_of_range',
    make: (bench) => ofLine(bench, { quantity_thousandths: QUANTITY_MAX + 1 + below(bench, 1e15) }),
  },
  /** A negative quantity is what a line that is taken back has; beyond all measure it is none. */
  negative_quantity: {
    stage: 'parse',
    reason: 'out_of_range',
    make: (bench) => ofLine(bench, { quantity_thousandths: -QUANTITY_MAX - 1 - below(bench, 1e15) }),
  },
  huge_amount: {
    stage: 'parse',
    reason: 'out_of_range',
    make: (bench) => ofLine(bench, { net_amount_minor: 1e13 + 1 + below(bench, 1e15) }),
  },
  invalid_utf8: {
    stage: 'parse',
    reason: 'invalid_value',
    make: (bench) =>
      changed(bench, (bytes) => bytes.fill(0xff, bytes.indexOf(SKU_MARK), bytes.indexOf(SKU_MARK) + 3)),
  },
  control_characters: {
    stage: 'parse',
    reason: 'invalid_value',
    make: (bench) => ofLine(bench, { sku: 'bread\u0000\u001b[2J' }),
  },
  oversized_text: {
    stage: 'parse',
    reason: 'out_of_range',
    make: (bench) => ofLine(bench, { sku: 'x'.repeat(257 + below(bench, 100_000)) }),
  },
  too_many_lines: {
    stage: 'parse',
    reason: 'out_of_range',
    make: (bench) => {
      const [line] = bench.ticket.lines as [TransactionLineMessage];
      return encoded(bench, { lines: Array.from({ length: 2_001 }, () => ({ ...line, sku: 'x' })) });
    },
  },
  from_the_future: {
    stage: 'parse',
    reason: 'time_in_future',
    make: (bench) => encoded(bench, { end_time: Date.UTC(2100 + below(bench, 800), 0, 1) }),
  },
  from_the_past: {
    stage: 'parse',
    reason: 'time_too_old',
    make: (bench) => encoded(bench, { end_time: below(bench, Date.UTC(1999, 0, 1)) }),
  },
  foreign_currency: {
    stage: 'parse',
    reason: 'currency_mismatch',
    make: (bench) => encoded(bench, { currency: 'XTS' }),
  },
  unknown_zone: {
    stage: 'parse',
    reason: 'unknown_time_zone',
    make: (bench) => encoded(bench, { time_zone: 'Mars/Olympus' }),
  },
  foreign_business_date: {
    stage: 'parse',
    reason: 'business_date_mismatch',
    make: (bench) => encoded(bench, { business_date: '2016-01-01' }),
  },
  void_of_nothing: {
    stage: 'parse',
    reason: 'missing_field',
    make: (bench) => encoded(bench, { type: 'VOID' }),
  },
  /** The one kind whose bytes must not be kept. */
  card_number: {
    stage: 'parse',
    reason: 'card_data',
    kept: false,
    make: (bench) => encoded(bench, { attributes: { note: 'card 4111 1111 1111 1111' } }),
  },
} as const satisfies Readonly<Record<string, Kind>>;

export type PoisonKind = keyof typeof KINDS;
export const POISON_KINDS = Object.keys(KINDS) as readonly PoisonKind[];

export function poison(options: {
  readonly seed: string | number;
  readonly codec: Codec;
  readonly kinds?: readonly PoisonKind[];
}): PoisonSource {
  const { seed, codec, kinds = POISON_KINDS } = options;
  const random = createRandom('poison', seed);
  let serial = 0;

  function next(): Poison {
    serial += 1;
    // Each kind comes up in turn before chance decides, so that a short run has them all.
    const at = serial <= kinds.length ? serial - 1 : Math.floor(random.uniform() * kinds.length);
    const kind = kinds[at] as PoisonKind;
    const { stage, reason, make, ...rest }: Kind = KINDS[kind];
    const ticket = goodTicket(`poison-${seed}-${serial}`, random);
    return { kind, record: make({ codec, random, ticket }), stage, reason, kept: rest.kept ?? true };
  }

  return {
    next,
    take: (count) => Array.from({ length: count }, next),
    mixInto(clean, share) {
      const count = Math.round((clean.length * share) / (1 - share));
      const places = Array.from({ length: count }, () => Math.floor(random.uniform() * (clean.length + 1)));
      places.sort((a, b) => a - b);
      const records: OutgoingRecord[] = [];
      const bad: Poison[] = [];
      for (let at = 0; at <= clean.length; at += 1) {
        for (; places[bad.length] === at;) {
          const one = next();
          bad.push(one);
          records.push(one.record);
        }
        const good = clean[at];
        if (good !== undefined) records.push(good);
      }
      return { records, bad };
    },
  };
}

/** A letter as it must be, to be compared with `letterText` of those that are there. */
export function expectedLetterText({ record, stage, reason, kept }: Poison): string {
  return letterOf(record.key, kept ? record.value : null, stage, reason);
}

/** A record of the dead-letter topic: stage, reason, key and the hash of its bytes. */
export function letterText({ key, value, headers }: Pick<LogRecord, 'key' | 'value' | 'headers'>): string {
  return letterOf(key, value, String(headers['foretill-stage']), String(headers['foretill-reason']));
}

function letterOf(key: Buffer | null, value: Buffer | null, stage: string, reason: string): string {
  const bytes = value === null ? 'no value' : createHash('sha256').update(value).digest('hex');
  return `${stage} ${reason} ${key?.toString() ?? 'no key'} ${bytes}`;
}

/** One that would be taken. */
function goodTicket(id: string, random: Random): TransactionMessage {
  const store = `store-${Math.floor(random.uniform() * 20)}`;
  return {
    event_id: id,
    transaction_id: id,
    revision: 0,
    original_transaction_id: null,
    type: 'SALE',
    training: false,
    store_id: store,
    register_id: null,
    channel: 'store',
    begin_time: null,
    end_time: Date.UTC(2017, 2, 14, 13) + Math.floor(random.uniform() * 3_600_000),
    time_zone: null,
    business_date: null,
    currency: null,
    lines: [
      {
        line_id: null,
        sku: SKU_MARK,
        gtin: null,
        category_path: ['BREAD'],
        quantity_thousandths: QUANTITY_MARK,
        unit_of_measure: 'each',
        unit_price_minor: null,
        list_price_minor: null,
        discounts: [],
        net_amount_minor: 250,
        voided: false,
      },
    ],
    tenders: [],
    attributes: {},
  };
}

const BUCKET_MESSAGE = {
  source_topic: TOPICS.transactions,
  source_partition: 0,
  watermark_ms: null,
  kind: 'LIVE',
  open: [],
  amended: [],
  last_event_ms: null,
} as const;

function keyOf({ ticket }: Bench): Buffer {
  return Buffer.from(ticket.store_id);
}

function raw(bench: Bench, value: Buffer): Made {
  return { key: keyOf(bench), value };
}

function encoded(bench: Bench, change: Partial<TransactionMessage>): Made {
  return raw(bench, bench.codec.encode(TOPICS.transactions, { ...bench.ticket, ...change }));
}

function ofLine(bench: Bench, change: Partial<TransactionLineMessage>): Made {
  return encoded(bench, { lines: bench.ticket.lines.map((line) => ({ ...line, ...change })) });
}

/** The bytes of a good ticket, spoilt. */
function changed(bench: Bench, change: (bytes: Buffer) => Buffer | void): Made {
  const bytes = bench.codec.encode(TOPICS.transactions, bench.ticket);
  return raw(bench, change(bytes) ?? bytes);
}

function withQuantity(bench: Bench, quantity: Buffer): Made {
  const mark = varint(BigInt(QUANTITY_MARK));
  return changed(bench, (bytes) => {
    const at = bytes.indexOf(mark);
    return Buffer.concat([bytes.subarray(0, at), quantity, bytes.subarray(at + mark.length)]);
  });
}

/** As Avro writes a long: zigzag, seven bits a byte. */
function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let left = value >= 0n ? 2n * value : -2n * value - 1n;
  for (; left >= 128n; left /= 128n) bytes.push(Number(left % 128n) + 128);
  return Buffer.from([...bytes, Number(left)]);
}

function noise(bench: Bench, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => below(bench, 256)));
}

function below({ random }: Bench, limit: number): number {
  return Math.floor(random.uniform() * limit);
}
