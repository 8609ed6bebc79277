import { holdsCardNumber } from './card-data.ts';
import type { Problem, RejectReason } from './transaction.ts';

const PROBLEMS_MAX = 20;
const QUOTED_CHARACTERS_MAX = 40;

/**
 * What is wrong with one transaction: all of it, at most 20 problems and one a place (the first is the cause, what
 * follows from it at the same place is noise). Card data comes first and is never crowded out: whoever handles the
 * refused bytes must know.
 */
export class Problems {
  readonly list: Problem[] = [];

  add(reason: RejectReason, path: string, message: string): void {
    if (this.list.some((problem) => problem.path === path)) return;
    if (reason === 'card_data') this.list.unshift({ reason, path, message });
    else this.list.push({ reason, path, message });
    if (this.list.length > PROBLEMS_MAX) this.list.pop();
  }

  get some(): boolean {
    return this.list.length > 0;
  }
}

/** A received value as it may be shown in a message: short, printable, and never a card number. */
export function quote(text: string): string {
  if (holdsCardNumber(text)) return '"…"';
  const shown = text.toWellFormed().replace(/\p{Cc}/gu, '\uFFFD');
  return shown.length > QUOTED_CHARACTERS_MAX ? `"${shown.slice(0, QUOTED_CHARACTERS_MAX)}…"` : `"${shown}"`;
}
