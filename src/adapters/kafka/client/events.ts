/** What happens inside the Kafka adapter that an operator may want to read of or count. Topics and groups without namespace. */
export type KafkaEvent =
  | {
      readonly kind: 'rebalanced';
      readonly group: string;
      /** How many share the partitions; known only to the member that shares them out. */
      readonly members?: number;
      /** How many of them this member holds now. */
      readonly partitions: number;
      /** From noticing that the group changes to holding them. */
      readonly seconds: number;
    }
  /** This member was silent, or slow to let go, for so long that others may have its partitions. */
  | { readonly kind: 'lost'; readonly group: string }
  /**
   * Records from `fromOffset` up to `toOffset` were never seen: deleted before they were read. A `toOffset` before
   * `fromOffset`: the partition ends before what was to be read next, so it was replaced, and is read from its beginning.
   */
  | {
      readonly kind: 'offset_gap';
      readonly topic: string;
      readonly partition: number;
      readonly fromOffset: number;
      readonly toOffset: number;
    }
  | {
      readonly kind: 'retried';
      readonly what: string;
      /** Failures in a row. */
      readonly attempt: number;
      readonly delayMs: number;
      readonly error: unknown;
    }
  /** Records are waiting, but none was handed over or finished for too long. The consumer crashes. */
  | {
      readonly kind: 'stalled';
      /** Null: read without a group. */
      readonly group: string | null;
      readonly topics: readonly string[];
      readonly seconds: number;
      /** The handler does not come back from a batch; else nothing comes to it. */
      readonly inHandler: boolean;
    };
