import { describe, expect, test } from 'vitest';
import { names } from '../../../src/adapters/kafka/client/names.ts';

describe('a namespace', () => {
  test('comes before every name on the wire, and nowhere else', () => {
    const north = names('north');
    expect(north.wire('retail.sales.bucket.v1')).toBe('north.retail.sales.bucket.v1');
    expect(north.local('north.retail.sales.bucket.v1')).toBe('retail.sales.bucket.v1');
    expect(north.prefix).toBe('north.');
  });

  test('hides what is not in it, also where one name begins like another', () => {
    for (const other of ['retail.sales.bucket.v1', 'south.a', 'northern.a', 'north'])
      expect(names('north').local(other)).toBeNull();
  });

  test('that is empty changes nothing', () => {
    expect(names('').wire('a')).toBe('a');
    expect(names('').local('north.a')).toBe('north.a');
  });

  test.each(['a b', 'größe', 'a/b', 'x'.repeat(249)])('with "%s" makes no name that Kafka takes', (name) => {
    expect(() => names('n').wire(name)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });

  test.each(['.', '..'])('without one "%s" is no name', (name) => {
    expect(() => names('').wire(name)).toThrow(/takes no topic or group named/);
  });
});
