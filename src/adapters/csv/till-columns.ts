/** Which columns of a file of till lines hold what, with the shapes they come in: one column of time, or two. */
import { ForetillError } from '../../errors.ts';
import { resolveColumns } from './columns.ts';
import type { Columns } from './columns.ts';
import { TILL_FIELDS } from './till-source.ts';
import type { TillSource } from './till-source.ts';

/** Throws INPUT_INVALID or USAGE when what is needed cannot be found. */
export function tillColumns(header: readonly string[], source: TillSource): Columns {
  const columns = new Map(resolveColumns(header, TILL_FIELDS, source.map));
  const time = header.findIndex((name) => /^time$/i.test(name));
  if (columns.get('time') === time && columns.has('date')) {
    columns.set('clock', time);
    columns.delete('time');
  }
  if (!columns.has('time') && !columns.has('date')) throw missing('time', 'when it was sold', header);
  if (source.storeId === null && !columns.has('store')) {
    throw missing('store', 'in which shop; or --store NAME when it is all one shop', header);
  }
  return columns;
}

function missing(field: string, meaning: string, header: readonly string[]): ForetillError {
  return new ForetillError(
    'INPUT_INVALID',
    `No column was found for ${field} (${meaning}). The file has the columns: ${header.join(', ')}.`,
    { remedy: `Say which column it is: --map ${field}=Column.` },
  );
}
