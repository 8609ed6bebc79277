/**
 * The reading of a zone's clock asked straight from Intl, and nothing else: what the calendar's own tables are held
 * against.
 */
const formats = new Map<string, Intl.DateTimeFormat>();

/** `YYYY-MM-DD HH:mm:ss`: readings compare as text in the order of time. */
export function readClock(ms: number, timeZone: string): string {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
    formats.set(timeZone, format);
  }
  return format.format(ms);
}

export const ALL_ZONES: readonly string[] = Intl.supportedValuesOf('timeZone');

/** Zones that did something unusual since 2000. */
export const ODD_ZONES = [
  'America/Sao_Paulo',
  'America/Havana',
  'America/St_Johns',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'Asia/Kolkata',
  'Asia/Gaza',
  'Asia/Beirut',
  'Asia/Pyongyang',
  'Africa/Casablanca',
  'Africa/Juba',
  'America/Caracas',
  'Antarctica/Troll',
  'Europe/Istanbul',
  'Pacific/Apia',
  'Pacific/Chatham',
  'Pacific/Fakaofo',
  'America/New_York',
  'Europe/London',
] as const;
