/** The status for people: a line for each part, then what to type to use it. */
import type { PartStatus, StackStatus } from './status.ts';

export function statusText({ dir, parts, environment, storePasswordFile }: StackStatus): string {
  const lines = parts.map(partLine);
  const exports = Object.entries(environment).map(([name, value]) => `  export ${name}=${value}`);
  if (environment['CLICKHOUSE_URL'] !== undefined)
    exports.push(`  export FORETILL_STORE_PASSWORD="$(cat ${quoted(storePasswordFile)})"`);
  const use = exports.length === 0 ? [] : ['', 'To use it:', ...exports];
  return [`Stack in ${dir}`, ...lines, ...use, ''].join('\n');
}

function partLine(part: PartStatus): string {
  const title = `  ${part.title.padEnd(16)}`;
  if (part.lacking !== null) return `${title}not available: ${part.lacking}`;
  if (!part.running) return `${title}not running`;
  return `${title}${part.ready ? 'ready' : 'not answering'}  ${part.address}  pid ${part.pid}  ${part.log}`;
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
