/** What the log's thread is asked and answers. Everything here crosses threads: plain data only. */
import type { LogLimits } from '../../config.ts';
import type { ErrorCode } from '../../errors.ts';
import type { CommittedOffset, OffsetRange, TopicPartition, TopicSpec } from '../../pipeline/log.ts';

export type WorkerOptions = { readonly dir: string; readonly limits: LogLimits };

/** `ids` and `ends` by partition number; `end` is the next offset to be written. */
export type StoredTopic = {
  readonly spec: TopicSpec;
  readonly ids: readonly number[];
  readonly ends: readonly number[];
};

/** The records of one partition within the bytes of an append. */
export type Region = { readonly partitionId: number; readonly from: number; readonly to: number };

export type AppendRequest = {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly regions: readonly Region[];
  readonly appendedAtMs: number;
};

export type CommitRequest = {
  readonly group: string;
  readonly offsets: readonly (TopicPartition & CommittedOffset)[];
};

export type FetchRequest = {
  readonly partitionId: number;
  readonly offset: number;
  /** Stops after the row that reaches it. */
  readonly recordsMax: number;
};

/** Records of `bytes` count their offsets from the one asked for. `damagedAt`: no intact record follows `bytes`. */
export type Fetched = {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly nextOffset: number;
  readonly damagedAt: number | null;
};

export type MaintenanceSlice = {
  readonly done: boolean;
  readonly rowsExpired: number;
  readonly recordsCompacted: number;
  readonly pagesReturned: number;
  /** Partitions left uncompacted because a record is damaged. */
  readonly damaged: readonly (TopicPartition & { readonly offset: number })[];
};

type Operation<Request, Response> = { readonly request: Request; readonly response: Response };

export type Operations = {
  readonly append: Operation<AppendRequest, readonly number[]>;
  readonly commit: Operation<CommitRequest, null>;
  readonly fetch: Operation<FetchRequest, Fetched>;
  readonly ensureTopics: Operation<readonly TopicSpec[], readonly StoredTopic[]>;
  readonly committed: Operation<
    { readonly group: string; readonly topic: string },
    readonly (readonly [number, CommittedOffset])[]
  >;
  readonly ranges: Operation<readonly number[], readonly OffsetRange[]>;
  readonly maintain: Operation<{ readonly nowMs: number }, MaintenanceSlice>;
  readonly close: Operation<null, null>;
};

export type OperationName = keyof Operations;

/** Distributes over the names, so that `name` tells the type of `request`. */
export type RequestOf<Name extends OperationName = OperationName> = Name extends OperationName
  ? { readonly id: number; readonly name: Name; readonly request: Operations[Name]['request'] }
  : never;

export type Failure = { readonly code: ErrorCode; readonly message: string; readonly remedy: string };

export type Reply =
  | { readonly id: number; readonly ok: true; readonly response: unknown }
  | { readonly id: number; readonly ok: false; readonly failure: Failure };

/** The first message of the thread. */
export type Opened =
  | { readonly ok: true; readonly topics: readonly StoredTopic[] }
  | { readonly ok: false; readonly failure: Failure };
