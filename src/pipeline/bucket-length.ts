import { DAY_MS, HOUR_MS } from '../sales/durations.ts';
import type { Granularity } from '../sales/series.ts';

/**
 * From one bucket's name to the next. Days are named by their date at midnight UTC, so they are always 24 hours apart,
 * however long the business day itself lasts.
 */
export const BUCKET_MS: Readonly<Record<Granularity, number>> = { hour: HOUR_MS, day: DAY_MS };
