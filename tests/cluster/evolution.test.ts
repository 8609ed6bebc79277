/** Tills of three releases send at the same time, each by its own version of the schema: all count. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { names } from '../../src/adapters/kafka/client/names.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { isRefused } from '../simulation/traffic.ts';
import type { Sent } from '../simulation/traffic.ts';
import { askRegistry, TRANSACTIONS } from './registry-fixture.ts';
import { openClusterSystem, recordOf } from './system/cluster-system.ts';
import type { ClusterSystem } from './system/cluster-system.ts';
import { makeDays, UNTIL_MS } from './system/days.ts';
import { otherWriter } from './system/other-writer.ts';
import type { Field, RecordSchema } from './system/other-writer.ts';

const SEED = process.env['FORETILL_SEED'] ?? 'evolution';
/** Not known yet to the older release. */
const LATER_FIELDS = ['begin_time', 'tenders', 'attributes'];

let system: ClusterSystem;

beforeEach(async () => {
  system = await openClusterSystem({ seed: SEED });
});
afterEach(() => system.close());

test(`tickets of an older, our own and a newer release add up (seed ${SEED})`, async () => {
  const { sent, last } = makeDays(SEED, { perHour: 12, config: system.config });
  const older = await otherWriter(system, (ours) => ({
    ...ours,
    fields: ours.fields.filter(({ name }) => !LATER_FIELDS.includes(name)),
  }));
  const newer = await otherWriter(system, (ours) => ({
    ...ours,
    fields: [
      { name: 'loyalty_tier', type: ['null', 'string'], default: null },
      ...ours.fields.map((field) => (field.name === 'lines' ? withSerialNumbers(field) : field)),
    ],
  }));
  const random = createRandom('releases', SEED);
  const written = { older: 0, ours: 0, newer: 0 };
  const record = (each: Sent) => {
    const { message } = each;
    const refused = isRefused(each);
    const chance = random.uniform();
    if (message === null || chance < 1 / 3) {
      written.ours += 1;
      return recordOf(each, system.platform);
    }
    if (chance < 2 / 3) {
      written.older += 1;
      return { ...older.record(message), refused };
    }
    written.newer += 1;
    const lines = message.lines.map((line) => ({ ...line, serial_numbers: ['a', 'b'] }));
    return { ...newer.record(message, { loyalty_tier: 'gold', lines }), refused };
  };

  system.keep('ingest');
  system.keep('forecast');
  await system.append(sent.map(record));
  await system.send(last);
  await system.settled(UNTIL_MS);
  await system.judge([...sent, ...last], UNTIL_MS);

  expect(system.failures()).toEqual([]);
  expect(Math.min(...Object.values(written))).toBeGreaterThan(100);
  const { prefix } = names(system.environment['FORETILL_NAMESPACE'] ?? '');
  expect(await askRegistry(`/config/${prefix}${TRANSACTIONS}`)).toMatchObject({
    compatibilityLevel: 'BACKWARD',
  });
  expect(await askRegistry(`/subjects/${prefix}${TRANSACTIONS}/versions`)).toHaveLength(3);
});

/** The field that holds the lines, each with one more field in front. */
function withSerialNumbers(field: Field): Field {
  const type = field.type as { readonly items: RecordSchema };
  const serialNumbers = { name: 'serial_numbers', type: { type: 'array', items: 'string' }, default: [] };
  const items = { ...type.items, fields: [serialNumbers, ...type.items.fields] };
  return { ...field, type: { ...type, items } };
}
