import { describe, expect, it } from 'vitest';
import { Lease } from '../../../src/adapters/kafka/group/lease.ts';

/** A twentieth of each is kept as a margin: 950 and 2,850 ms. */
const LIMITS = { sessionTimeoutMs: 1_000, rebalanceTimeoutMs: 3_000 };

type Step =
  | readonly [at: number, 'looks', holds: boolean]
  | readonly [sent: number, 'heard' | 'rebalancing']
  | readonly [at: number, 'lost'];

const CASES: readonly (readonly [string, readonly Step[]])[] = [
  [
    'lasts for the session, less the margin',
    [
      [949, 'looks', true],
      [950, 'looks', false],
    ],
  ],
  [
    'is counted from when the last answered heartbeat was sent',
    [
      [500, 'heard'],
      [1449, 'looks', true],
      [1450, 'looks', false],
    ],
  ],
  [
    'is not shortened by an answer that comes late',
    [
      [500, 'heard'],
      [100, 'heard'],
      [1449, 'looks', true],
    ],
  ],
  [
    'is not revived by a heartbeat',
    [
      [950, 'looks', false],
      [940, 'heard'],
      [950, 'looks', false],
    ],
  ],
  [
    'is over when the coordinator says so',
    [
      [100, 'lost'],
      [100, 'looks', false],
      [110, 'heard'],
      [111, 'looks', false],
    ],
  ],
  [
    'ends with the rebalance time-out, counted from the last heartbeat before the group changed',
    [
      [500, 'heard'],
      [1000, 'rebalancing'],
      [1900, 'rebalancing'],
      [2800, 'rebalancing'],
      [3349, 'looks', true],
      [3350, 'looks', false],
    ],
  ],
  [
    'ends with the session also while the group changes',
    [
      [500, 'rebalancing'],
      [1449, 'looks', true],
      [1450, 'looks', false],
    ],
  ],
  [
    'does not go back to normal: only a new seat is one',
    [
      [900, 'rebalancing'],
      [1800, 'heard'],
      [2700, 'heard'],
      [2849, 'looks', true],
      [2850, 'looks', false],
    ],
  ],
];

describe('a lease', () => {
  it.each(CASES)('%s', (_, steps) => {
    const lease = new Lease(LIMITS, 0);
    for (const [at, what, holds] of steps) {
      if (what === 'looks') expect(lease.lasts(at)).toBe(holds);
      else if (what === 'lost') lease.lose();
      else lease.heard(at, what === 'rebalancing');
    }
  });
});
