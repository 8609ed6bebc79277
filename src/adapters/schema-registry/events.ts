/** What the registry's adapter tells of itself; whoever opens it decides what is logged and counted. */
import type { ForetillError } from '../../errors.ts';

export type RegistryEvent =
  /** A subject is ready to be written. `registered`: versions that the registry did not have before. */
  | { kind: 'published'; subject: string; id: number; from: 'registry' | 'cache'; registered: number }
  /** The start is waiting for the registry, which cannot be asked and whose answer is not in the cache. */
  | { kind: 'waiting'; subject: string; waitedMs: number; error: ForetillError }
  /** A look-up failed and will be repeated after `delayMs`. */
  | { kind: 'retried'; id: number; attempt: number; delayMs: number; error: ForetillError }
  /** The registry was asked for an id. 'unreadable': it has the id, but for nothing that we can read (`why`). */
  | {
      kind: 'looked_up';
      id: number;
      outcome: 'found' | 'unknown' | 'unreadable' | 'failed';
      seconds: number;
      why?: string;
    }
  /** A file of the cache was ignored; it is written anew when its schema is next fetched. */
  | { kind: 'cache_damaged'; file: string; why: string }
  /** The cache could not be written: we go on, but a restart will need the registry. */
  | { kind: 'cache_unwritable'; file: string; error: unknown }
  /** The registry gave an id a second time: it was set up anew, and nothing cached holds any more. */
  | { kind: 'cache_cleared'; subject: string; id: number };
