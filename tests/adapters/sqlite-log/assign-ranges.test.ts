import { describe, expect, it } from 'vitest';
import { assignRanges } from '../../../src/adapters/sqlite-log/assign-ranges.ts';

const TOPICS: Record<string, string[]> = {
  t: ['t0', 't1', 't2', 't3', 't4'],
  u: ['u0', 'u1', 'u2', 'u3', 'u4'],
  one: ['one0'],
};

describe('assignRanges', () => {
  it.each([
    ['one member', [['t']], [['t0', 't1', 't2', 't3', 't4']]],
    [
      'two members',
      [['t'], ['t']],
      [
        ['t0', 't1', 't2'],
        ['t3', 't4'],
      ],
    ],
    ['three members', [['t'], ['t'], ['t']], [['t0', 't1'], ['t2', 't3'], ['t4']]],
    ['more members than partitions', [['one'], ['one']], [['one0'], []]],
    [
      'topics side by side',
      [
        ['t', 'u'],
        ['t', 'u'],
      ],
      [
        ['t0', 't1', 't2', 'u0', 'u1', 'u2'],
        ['t3', 't4', 'u3', 'u4'],
      ],
    ],
    ['members with other topics', [['one'], ['t', 'one']], [['one0'], ['t0', 't1', 't2', 't3', 't4']]],
    ['nobody', [], []],
  ])('to %s', (_, subscriptions, expected) => {
    const members = subscriptions.map((topics) => ({ topics }));
    const assignment = assignRanges(members, (topic) => TOPICS[topic] ?? []);
    expect(members.map((member) => assignment.get(member))).toEqual(expected);
  });
});
