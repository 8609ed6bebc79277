/** Rows as CSV (RFC 4180, with a heading), under the names forecasters know: `unique_id, ds, y`. */

export type CsvValue = string | number | null;

export function toCsv(columns: readonly string[], rows: readonly (readonly CsvValue[])[]): string {
  const lines = [columns, ...rows].map((row) => row.map(cell).join(','));
  return `${lines.join('\r\n')}\r\n`;
}

/**
 * Columns of a forecast's intervals: `foretill-lo-80` and `foretill-hi-80` for the pair of probabilities 0.1 and 0.9,
 * `foretill-median` for 0.5. A probability without its counterpart gives no column.
 */
export function intervalColumns(probabilities: readonly number[]): { name: string; place: number }[] {
  const columns: { name: string; place: number }[] = [];
  for (const [place, probability] of probabilities.entries()) {
    if (probability === 0.5) columns.push({ name: 'foretill-median', place });
    if (probability >= 0.5) continue;
    const counterpart = probabilities.findIndex((other) => Math.abs(other - (1 - probability)) < 1e-9);
    if (counterpart === -1) continue;
    const level = Number(((1 - 2 * probability) * 100).toFixed(4));
    columns.push(
      { name: `foretill-lo-${level}`, place },
      { name: `foretill-hi-${level}`, place: counterpart },
    );
  }
  return columns;
}

/** A text that a spreadsheet would take for a formula is marked as text. */
function cell(value: CsvValue): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
