import { expect, test } from 'vitest';
import { holdsCardNumber } from '../../src/sales/card-data.ts';

// Numbers that the card schemes publish for tests.
test.each([
  '4111111111111111',
  '4222222222222',
  '5555555555554444',
  '2223000048400011',
  '378282246310005',
  '6011111111111117',
  '3530111333300000',
  '30569309025904',
  '6304000000000000000',
  '4111 1111 1111 1111',
  '4111-1111-1111-1111',
  'paid with 4111111111111111.',
  'x4111111111111111y',
  '1234 and 5555 5555 5555 4444',
])('%s is card data', (text) => {
  expect(holdsCardNumber(text)).toBe(true);
});

test.each([
  '',
  'cash',
  '4111111111111112',
  '411111111111',
  '41111111111111111111',
  '0000000000000000',
  '1489305600009',
  '20170312102033',
  '4111  1111  1111  1111',
  '1041453',
  '550e8400-e29b-41d4-a716-446655440000',
])('%s is none', (text) => {
  expect(holdsCardNumber(text)).toBe(false);
});
