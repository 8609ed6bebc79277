/**
 * The one catalogue of operating errors: what may go wrong outside of our code, whether trying again can help,
 * and the exit code a command ends with. A broken invariant is not here: it is an assertion that ends the
 * process, and replay heals it.
 */
const CATALOGUE = {
  USAGE: { retryable: false, exitCode: 2, status: 400 },
  CONFIG_INVALID: { retryable: false, exitCode: 2, status: 500 },
  INPUT_INVALID: { retryable: false, exitCode: 3, status: 422 },
  INPUT_NOT_FOUND: { retryable: false, exitCode: 3, status: 404 },
  DATA_DIR_LOCKED: { retryable: false, exitCode: 4, status: 503 },
  DATA_DIR_UNUSABLE: { retryable: false, exitCode: 4, status: 503 },
  ADDRESS_IN_USE: { retryable: false, exitCode: 5, status: 503 },
  ADDRESS_NEEDS_TOKEN: { retryable: false, exitCode: 2, status: 500 },
  DISK_FULL: { retryable: true, exitCode: 6, status: 507 },
  LOG_UNAVAILABLE: { retryable: true, exitCode: 7, status: 503 },
  LOG_CORRUPT: { retryable: false, exitCode: 7, status: 503 },
  STORE_UNAVAILABLE: { retryable: true, exitCode: 8, status: 503 },
  STORE_REJECTED: { retryable: false, exitCode: 8, status: 500 },
  STORE_SCHEMA_NEWER: { retryable: false, exitCode: 8, status: 500 },
  SCHEMA_UNKNOWN: { retryable: true, exitCode: 9, status: 503 },
  NOT_READY: { retryable: true, exitCode: 10, status: 503 },
} as const;

export type ErrorCode = keyof typeof CATALOGUE;

/** What a command ends with that has told of this itself. */
export function exitCodeOf(code: ErrorCode): number {
  return CATALOGUE[code].exitCode;
}

/**
 * An error an operator or user can act on. `message` says what happened and where, `remedy` what to do.
 * `retryable` tells whether the same call may succeed later without anyone changing anything.
 */
export class ForetillError extends Error {
  readonly code: ErrorCode;
  readonly remedy: string;

  constructor(code: ErrorCode, message: string, options: { remedy: string; cause?: unknown }) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'ForetillError';
    this.code = code;
    this.remedy = options.remedy;
  }

  get retryable(): boolean {
    return CATALOGUE[this.code].retryable;
  }

  get exitCode(): number {
    return exitCodeOf(this.code);
  }

  /** The HTTP status that says the same. */
  get status(): number {
    return CATALOGUE[this.code].status;
  }
}
