/** Where a store stands in time. */
export type StoreCalendar = {
  /** IANA name */
  readonly timeZone: string;
  /** Local minutes after midnight at which the business day begins; sales before it belong to the day before. */
  readonly businessDayStartMinutes: number;
};
