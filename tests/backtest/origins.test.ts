import { expect, test } from 'vitest';
import { originsOf } from '../../src/backtest/origins.ts';
import type { OriginRule } from '../../src/backtest/origins.ts';

const last = (count: number, step: number): OriginRule => ({ kind: 'last', count, step });
const fifth: OriginRule = { kind: 'prequential', share: 0.2 };
const split: OriginRule = { kind: 'split' };

test.each<readonly [string, OriginRule, number, number, number, readonly number[]]>([
  ['one origin, the horizon before the end', last(1, 14), 100, 100, 14, [86]],
  ['four origins, two weeks apart', last(4, 14), 365, 365, 14, [309, 323, 337, 351]],
  ['steps shorter than the horizon', last(3, 1), 20, 20, 5, [13, 14, 15]],
  ['just long enough', last(2, 5), 11, 11, 5, [1, 6]],
  ['too short', last(2, 5), 10, 10, 5, []],
  // T = ⌊0.2·365⌋ = 73: origins 292 … 358, as the reference's protocol says (67 of them).
  ['prequential', fifth, 365, 365, 7, Array.from({ length: 67 }, (_, k) => 292 + k)],
  ['prequential, the last part shorter than the horizon', fifth, 20, 20, 7, []],
  ['split', split, 20, 15, 5, [15]],
  ['split without test rows', split, 20, 20, 5, []],
  ['split without rows before', split, 20, 0, 5, []],
])('%s', (_, rule, length, trainLength, horizon, expected) => {
  expect(originsOf(rule, { y: { length }, trainLength }, horizon)).toEqual(expected);
});
