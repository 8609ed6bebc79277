/** What may and what may not change in schemas/topics. Each check returns sentences for whoever changed something. */
import { isDeepStrictEqual } from 'node:util';
import type { Schema } from 'avsc';
import { avroType } from '../../src/adapters/avro/avro-type.ts';
import type { Subject } from '../../src/adapters/avro/schema-files.ts';

/** Why `reader` cannot read what `writer` wrote, or null when it can (BACKWARD compatibility). */
export function backwardProblem(reader: Schema, writer: Schema): string | null {
  try {
    avroType(reader).createResolver(avroType(writer));
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The current schema must read every version ever published, and be the latest of them. */
export function subjectProblems({ name, current, history }: Subject): string[] {
  const problems = history.flatMap((version, index) => {
    const why = backwardProblem(current, version);
    if (why === null) return [];
    return [
      `schemas/topics/${name}.avsc cannot read its version ${index + 1} (${why}). Undo the change: new fields need a ` +
        'default, fields are never renamed (add an alias) nor change their type, symbols are never removed.',
    ];
  });
  if (isDeepStrictEqual(current, history.at(-1))) return problems;
  const file = `schemas/topics/history/${name}/${history.length + 1}.avsc`;
  const remedy = `Publish it: copy it to ${file} and add that file's line to schemas/topics/history/SHA256SUMS.`;
  return [...problems, `schemas/topics/${name}.avsc differs from its latest published version. ${remedy}`];
}

/**
 * Published versions never change. `sums` is the text of SHA256SUMS, `files` the SHA-256 of every file in
 * schemas/topics/history by its path there.
 */
export function historyProblems(sums: string, files: ReadonlyMap<string, string>): string[] {
  const noted = new Map(sums.split('\n').filter(Boolean).map(noteOf));
  const changed = [...noted].flatMap(([path, sum]) => {
    if (files.get(path) === sum) return [];
    const what = files.has(path) ? 'was changed' : 'is gone';
    return [
      `schemas/topics/history/${path} ${what}: a published version stays as it is. Restore it and publish a new one.`,
    ];
  });
  const unnoted = [...files].flatMap(([path, sum]) =>
    noted.has(path)
      ? []
      : [`schemas/topics/history/${path} is not in SHA256SUMS. Add the line: ${sum}  ${path}`],
  );
  return [...changed, ...unnoted, ...gaps([...files.keys()])];
}

/** Versions count from 1, without a gap. */
function gaps(paths: readonly string[]): string[] {
  const versions = Map.groupBy(paths, (path) => path.slice(0, path.indexOf('/')));
  return [...versions].flatMap(([subject, files]) =>
    files.flatMap((_, index) => {
      const path = `${subject}/${index + 1}.avsc`;
      return files.includes(path)
        ? []
        : [`schemas/topics/history/${path} is missing: versions count from 1 without a gap.`];
    }),
  );
}

/** A line as `sha256sum` writes it: the sum, two spaces, the path. */
function noteOf(line: string): [string, string] {
  return [line.slice(66), line.slice(0, 64)];
}
