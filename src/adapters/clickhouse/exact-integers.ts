/**
 * 64-bit integers arrive as JSON numbers. A value beyond ±(2^53 − 1) cannot be held exactly, and JSON.parse rounds it
 * to a double that is itself beyond that limit: checking after parsing finds every one. Statements that need larger
 * values select them with toString().
 */
export type ColumnType = { readonly name: string; readonly type: string };

/** Of the columns, those that can hold 64-bit integers (also in arrays, tuples and nullables). */
export function wideIntegerColumns(columns: readonly ColumnType[]): string[] {
  return columns.filter(({ type }) => /\bU?Int(64|128|256)\b/.test(type)).map(({ name }) => name);
}

export function isExact(value: unknown): boolean {
  if (typeof value === 'number') return Number.isSafeInteger(value);
  if (Array.isArray(value)) return value.every(isExact);
  if (value !== null && typeof value === 'object') return Object.values(value).every(isExact);
  return true;
}
