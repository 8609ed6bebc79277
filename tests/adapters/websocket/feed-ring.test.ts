import { expect, test } from 'vitest';
import { createFeedRing } from '../../../src/adapters/websocket/feed-ring.ts';

function filled(size: number, keys: readonly (string | null)[]) {
  const ring = createFeedRing(size);
  const made = keys.map((key, index) =>
    ring.append({ type: 'nowcast', series: null, key, body: () => `{"n":${index + 1}}` }),
  );
  return { ring, made };
}

const cases: [string, number, (string | null)[], (number | undefined)[], number[]][] = [
  ['holds all while there is room', 3, ['a', 'b'], [1, 2, undefined], []],
  ['forgets the oldest', 3, ['a', 'b', 'c', 'd'], [undefined, 2, 3, 4], []],
  ['marks what a later message replaces', 4, ['a', 'b', 'a'], [1, 2, 3], [1]],
  ['marks each but the last', 4, ['a', 'a', 'a'], [1, 2, 3], [1, 2]],
  ['never marks what has no key', 4, [null, null], [1, 2], []],
  ['works with room for one', 1, ['a', 'b', 'b'], [undefined, undefined, 3], []],
];
test.each(cases)('%s', (_, size, keys, places, replaced) => {
  const { ring, made } = filled(size, keys);
  expect(places.map((_place, index) => ring.at(index + 1)?.seq)).toEqual(places);
  expect(made.filter((message) => message.replaced).map(({ seq }) => seq)).toEqual(replaced);
  expect(ring.lastSeq).toBe(keys.length);
});

test('bytes are made once and bear the type and the number', () => {
  let calls = 0;
  const message = createFeedRing(2).append({
    type: 'forecast',
    series: null,
    key: null,
    body: () => {
      calls += 1;
      return '{"series":"day/units/total"}';
    },
  });
  expect(message.bytes()).toBe(message.bytes());
  expect(calls).toBe(1);
  expect(JSON.parse(message.bytes().toString())).toEqual({
    type: 'forecast',
    seq: 1,
    series: 'day/units/total',
  });
});
