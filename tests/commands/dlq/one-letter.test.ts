import { expect, test } from 'vitest';
import { oneLetter } from '../../../src/commands/dlq/one-letter.ts';
import { BUCKET_LETTERS, letterOf, LETTERS, openLetterLog } from './letters.ts';

test('the stretch of a letter is itself alone', async () => {
  const { log } = await openLetterLog();
  await log.append(LETTERS, [letterOf(), letterOf(), letterOf()]);
  expect(await oneLetter(log, { topic: 'retail.pos.transaction.v1', partition: 0, offset: 1 })).toEqual({
    topic: LETTERS,
    ranges: new Map([[0, { start: 1, end: 2 }]]),
  });
});

test.each([
  ['beyond the last', LETTERS, 0, 3, 'It has offsets 0 up to 2.'],
  ['of no partition', LETTERS, 1, 0, 'There is no such partition.'],
  ['where none has ever been', BUCKET_LETTERS, 0, 0, 'The partition is empty.'],
])('%s nothing lies, and what lies there is said', async (_name, topic, partition, offset, said) => {
  const { log } = await openLetterLog();
  await log.append(LETTERS, [letterOf(), letterOf(), letterOf()]);
  await expect(oneLetter(log, { topic, partition, offset })).rejects.toMatchObject({
    code: 'INPUT_NOT_FOUND',
    message: `There is no letter ${topic}/${partition}/${offset}.`,
    remedy: expect.stringContaining(said) as string,
  });
});
