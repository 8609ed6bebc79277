import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { resolveConfig } from '../../src/config.ts';
import { ForetillError } from '../../src/errors.ts';
import type { ErrorCode } from '../../src/errors.ts';
import type { Log } from '../../src/pipeline/log.ts';
import type { RoleDeps } from '../../src/roles/role-deps.ts';
import { holdOf, PartitionLost, steadfast } from '../../src/roles/steadfast.ts';
import type { Troubles } from '../../src/roles/steadfast.ts';
import { createTelemetry } from '../../src/telemetry/telemetry.ts';

const PLACE = { topic: 'tickets', partition: 3 };

/** A log whose appends end as told, one after the other; then they succeed. */
function bench(outcomes: (ErrorCode | Error)[], onAttempt: (attempt: number) => void = () => {}) {
  let attempts = 0;
  const append: Log['append'] = async () => {
    const outcome = outcomes[attempts];
    attempts += 1;
    onAttempt(attempts);
    if (outcome === undefined) return [];
    throw typeof outcome === 'string' ? failure(outcome) : outcome;
  };
  const config = resolveConfig({ outageRetryMs: 1, outageRetryMsMax: 2 });
  const deps = {
    log: { append },
    store: {},
    codec: {},
    config,
    clock: systemClock,
    telemetry: createTelemetry({ level: 'silent' }),
  } as unknown as RoleDeps;
  const troubles: Troubles = new Map();
  let held = true;
  const hold = holdOf(PLACE, () => held);
  const outside = steadfast(deps, hold, { role: 'ingest', troubles });
  return {
    hold,
    outside,
    troubles,
    attempts: () => attempts,
    lose: () => (held = false),
  };
}

function failure(code: ErrorCode): ForetillError {
  return new ForetillError(code, `${code}.`, { remedy: 'Wait.' });
}

describe('an outage', () => {
  const passing: ErrorCode[] = ['LOG_UNAVAILABLE', 'STORE_UNAVAILABLE', 'SCHEMA_UNKNOWN'];
  test.each(passing)('%s is waited out, however often it fails', async (code) => {
    const { outside, attempts, troubles } = bench(Array<ErrorCode>(30).fill(code));
    await outside.log.append('t', []);
    expect(attempts()).toBe(31);
    expect(troubles.size).toBe(0);
  });

  test('is told while it lasts', async () => {
    const seen: (string | undefined)[] = [];
    const { outside, troubles } = bench(['LOG_UNAVAILABLE', 'LOG_UNAVAILABLE'], () =>
      seen.push(troubles.get(3)?.message),
    );
    await outside.log.append('t', []);
    expect(seen).toEqual([undefined, 'LOG_UNAVAILABLE.', 'LOG_UNAVAILABLE.']);
  });

  const final: (ErrorCode | Error)[] = [
    'DISK_FULL',
    'STORE_REJECTED',
    'INPUT_INVALID',
    new Error('a defect'),
  ];
  test.each(final)('%s is none: it is handed on at once', async (outcome) => {
    const { outside, attempts } = bench([outcome]);
    await expect(outside.log.append('t', [])).rejects.toThrow();
    expect(attempts()).toBe(1);
  });
});

describe('a partition', () => {
  test('that is not held any more has nothing done in its name', async () => {
    const { outside, attempts, lose } = bench([]);
    lose();
    await expect(outside.log.append('t', [])).rejects.toThrow(PartitionLost);
    expect(attempts()).toBe(0);
  });

  test('that is lost in an outage is given up', async () => {
    const { outside, attempts, lose } = bench(Array<ErrorCode>(9).fill('LOG_UNAVAILABLE'), (attempt) => {
      if (attempt === 3) lose();
    });
    await expect(outside.log.append('t', [])).rejects.toThrow(PartitionLost);
    expect(attempts()).toBe(3);
  });

  test('that is given up waits for nothing, not even for what is under way', async () => {
    const { outside, hold } = bench([]);
    const waiting = outside.persist(() => new Promise(() => {}));
    hold.giveUp();
    await expect(waiting).rejects.toThrow('tickets/3 is not held any more');
    expect(hold.lasts()).toBe(false);
  });

  test('has an outage handed on by what is to be tried once', async () => {
    const { outside } = bench([]);
    await expect(outside.once(async () => Promise.reject(failure('LOG_UNAVAILABLE')))).rejects.toThrow(
      'LOG_',
    );
  });
});
