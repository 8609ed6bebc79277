/**
 * When what was read is written: a source that has much to write at once, one that has little at the next tick with what
 * comes until then; a few sources at a time, the one that was written longest ago first. What is read while a source is
 * being written waits, and is then written together.
 */
import type { Source } from './source.ts';
import { joinWork } from './work.ts';
import type { Work } from './work.ts';

export type Writer = {
  /** Enters what is to be written after what waits already. */
  add(source: Source, work: Work): void;
  /** No more should be read of it until it is being written. */
  isFull(source: Source): boolean;
  /** Writes whatever waits, as far as the limit on writes at once allows. */
  writeAll(): void;
  /** Resolves when everything read has been written, or writing has ended for good. */
  landed(): Promise<void>;
};

export function createWriter(
  sources: ReadonlyMap<number, Source>,
  options: {
    /** Records that are much for one source. */
    readonly fullRecords: number;
    /** Sources written at once. */
    readonly inFlightMax: number;
    /** Never rejects. */
    readonly write: (source: Source, work: Work) => Promise<void>;
    /** Writing has begun: there is room again. */
    readonly onRoom: (source: Source) => void;
    /** Nothing more is to be begun. */
    readonly hasFailed: () => boolean;
  },
): Writer {
  let turns = 0;

  const isFull = ({ waiting }: Source): boolean => waiting !== null && waiting.records >= options.fullRecords;
  const flights = (): Promise<void>[] => [...sources.values()].flatMap(({ flight }) => flight ?? []);

  function write(source: Source): void {
    const { waiting } = source;
    if (waiting === null || source.flight !== null || options.hasFailed()) return;
    if (flights().length >= options.inFlightMax) return;
    source.waiting = null;
    turns += 1;
    source.turn = turns;
    source.flight = options.write(source, waiting).finally(() => {
      source.flight = null;
      writeInTurn(isFull);
    });
    options.onRoom(source);
  }

  function writeInTurn(wanted: (source: Source) => boolean): void {
    for (const source of [...sources.values()].sort((a, b) => a.turn - b.turn))
      if (wanted(source)) write(source);
  }

  const writeAll = (): void => writeInTurn(() => true);

  return {
    isFull,
    writeAll,
    add(source, work) {
      source.waiting = source.waiting === null ? work : joinWork(source.waiting, work);
      if (isFull(source)) write(source);
    },
    async landed() {
      for (;;) {
        writeAll();
        const waitedFor = flights();
        if (waitedFor.length === 0) return;
        await Promise.race(waitedFor);
      }
    },
  };
}
