/** Settings laid over the defaults: names and types are those of the defaults, at every depth. */
import { ForetillError } from './errors.ts';

/** Any part of `T`. A list is given as a whole. */
export type PartOf<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [Name in keyof T]?: PartOf<T[Name]> }
    : T;

/**
 * `overrides` laid over `defaults`, group by group; lists are replaced. All numbers are whole and not negative, as those
 * of the defaults are. Throws CONFIG_INVALID with the path of what is unknown or of another type; `source` is who says so.
 *
 * @example layOver({ feed: { a: 1, b: 2 } }, { feed: { b: 3 } }, 'Configuration') // { feed: { a: 1, b: 3 } }
 */
export function layOver<T extends object>(defaults: T, overrides: PartOf<T>, source: string): T {
  return layOverAt('', defaults, overrides, source) as T;
}

function layOverAt(path: string, standard: unknown, given: unknown, source: string): unknown {
  const wanted = wantedFor(standard);
  if (!wanted.accepts(given)) {
    const found = `${path === '' ? 'what there is' : path} is ${shown(given)}`;
    throw invalid(`${source}: ${found} instead of ${wanted.words}`, 'Correct it, or leave it out.');
  }
  if (!isGroup(standard)) return given;
  const laid = { ...standard };
  for (const [name, value] of Object.entries(given as Group)) {
    const inner = path === '' ? name : `${path}.${name}`;
    if (!Object.hasOwn(standard, name)) {
      throw invalid(
        `${source}: there is no setting "${inner}"`,
        `${path === '' ? 'Settings' : `Settings of ${path}`} are: ${Object.keys(standard).join(', ')}.`,
      );
    }
    // Code may leave a setting open; JSON has no such value.
    if (value !== undefined) laid[name] = layOverAt(inner, standard[name], value, source);
  }
  return laid;
}

type Wanted = { readonly words: string; readonly accepts: (value: unknown) => boolean };

function wantedFor(standard: unknown): Wanted {
  if (typeof standard === 'number')
    return {
      words: 'a whole number, 0 or more',
      accepts: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
    };
  if (typeof standard === 'string') return { words: 'a text', accepts: (value) => typeof value === 'string' };
  if (Array.isArray(standard))
    return {
      words: 'a list of texts',
      accepts: (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
    };
  return { words: 'a group of settings', accepts: isGroup };
}

type Group = Readonly<Record<string, unknown>>;

function isGroup(value: unknown): value is Group {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const SHOWN_CHARACTERS_MAX = 60;

function shown(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? typeof value);
  return text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}…` : text;
}

function invalid(message: string, remedy: string): ForetillError {
  return new ForetillError('CONFIG_INVALID', `${message}.`, { remedy });
}
