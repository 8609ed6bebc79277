import type { StoreCalendar } from './calendar.ts';

/** What a transaction is judged against: settings, the stores, and when its record was written. */
export type ParseContext = {
  /** ISO 4217; the only currency accepted. */
  readonly currency: string;
  /**
   * The zone and business day of a store. `timeZone` is what the till says (a known zone) or undefined: it holds for
   * stores of which nothing else is known.
   */
  readonly calendarOf: (storeId: string, timeZone: string | undefined) => StoreCalendar;
  /** The timestamp of the record in the log, or of the request; never the reader's clock. */
  readonly recordTimestampMs: number;
  readonly futureSkewMsMax: number;
  readonly earliestTimeMs: number;
  readonly businessDateSkewDaysMax: number;
};
