/** Which column holds which field: by name, by another name that people use for it, or as the user said. */
import { ForetillError } from '../../errors.ts';

export type Field = {
  readonly name: string;
  /** Other column names that mean the same. Case, blanks, `_` and `-` do not matter. */
  readonly aliases: readonly string[];
  readonly required: boolean;
  /** A few words for the message when it is missing. */
  readonly meaning: string;
};

/** Place of each field's column in a row. */
export type Columns = ReadonlyMap<string, number>;

/**
 * Throws USAGE for a mapping that names an unknown field or column, and INPUT_INVALID when required columns are
 * missing: it says what was seen, what is needed and how to map it.
 */
export function resolveColumns(
  header: readonly string[],
  fields: readonly Field[],
  given: Readonly<Record<string, string>>,
): Columns {
  const columns = new Map<string, number>();
  for (const [name, column] of Object.entries(given))
    columns.set(name, mappedColumn(header, fields, name, column));
  const taken = new Set(columns.values());
  const wanted = header.map(normal);
  for (const field of fields) {
    if (columns.has(field.name)) continue;
    const at = [field.name, ...field.aliases]
      .map((alias) => wanted.indexOf(normal(alias)))
      .find((index) => index !== -1 && !taken.has(index));
    if (at === undefined) continue;
    columns.set(field.name, at);
    taken.add(at);
  }
  const missing = fields.filter((field) => field.required && !columns.has(field.name));
  if (missing.length > 0) throw missingColumns(header, missing);
  return columns;
}

/** The value of a field in a row, without blanks around it; empty when the file has no such column. */
export function valueOf(row: readonly string[], columns: Columns, field: string): string {
  const at = columns.get(field);
  return at === undefined ? '' : (row[at] ?? '').trim();
}

/** `field=Column` options as a record; throws USAGE for one without `=`. */
export function parseMappings(options: readonly string[]): Record<string, string> {
  const given: Record<string, string> = {};
  for (const option of options) {
    const at = option.indexOf('=');
    if (at < 1) {
      throw new ForetillError('USAGE', `--map ${option} has no "=".`, {
        remedy: 'Write --map field=Column, e.g. --map sku=ItemNo.',
      });
    }
    given[option.slice(0, at).trim()] = option.slice(at + 1).trim();
  }
  return given;
}

function mappedColumn(
  header: readonly string[],
  fields: readonly Field[],
  name: string,
  column: string,
): number {
  if (!fields.some((field) => field.name === name)) {
    throw new ForetillError('USAGE', `--map ${name}=${column}: there is no field "${name}".`, {
      remedy: `Fields are: ${fields.map((field) => field.name).join(', ')}.`,
    });
  }
  const at = header.findIndex((seen) => normal(seen) === normal(column));
  if (at !== -1) return at;
  throw new ForetillError('USAGE', `--map ${name}=${column}: the file has no column "${column}".`, {
    remedy: `Its columns are: ${header.join(', ')}.`,
  });
}

function missingColumns(header: readonly string[], missing: readonly Field[]): ForetillError {
  const needed = missing.map((field) => `${field.name} (${field.meaning})`).join(', ');
  const example = `--map ${missing[0]?.name ?? 'field'}=${header[0] === undefined || header[0] === '' ? 'Column' : header[0]}`;
  return new ForetillError(
    'INPUT_INVALID',
    `No column was found for ${needed}. The file has the columns: ${header.map((name) => name.slice(0, 40)).join(', ')}.`,
    { remedy: `Say which column it is, e.g. ${example.slice(0, 80)}; or check that this is the right file.` },
  );
}

function normal(name: string): string {
  return name.toLowerCase().replaceAll(/[\s_-]/g, '');
}
