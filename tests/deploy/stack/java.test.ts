import { expect, test } from 'vitest';
import { javaMajor } from '../../../deploy/stack/java.ts';

test.each([
  ['openjdk version "17.0.15" 2025-04-15', 17],
  ['Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version "21" 2023-09-19', 21],
  ['java version "25-ea" 2025-09-16', 25],
  ['java version "1.8.0_392"', 8],
  ['no such thing', 0],
])('%s is Java %i', (printed, expected) => {
  expect(javaMajor(printed)).toBe(expected);
});
