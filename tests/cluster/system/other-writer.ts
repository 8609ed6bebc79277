/** A till of another release: it writes tickets by a schema of its own, a version of ours. */
import type { Schema } from 'avsc';
import { avroType } from '../../../src/adapters/avro/avro-type.ts';
import { loadSubjects } from '../../../src/adapters/avro/schema-files.ts';
import { names } from '../../../src/adapters/kafka/client/names.ts';
import type { OutgoingRecord } from '../../../src/pipeline/log.ts';
import type { TransactionMessage } from '../../../src/sales/transaction-message.ts';
import { registerForeign, TRANSACTIONS } from '../registry-fixture.ts';
import type { ClusterSystem } from './cluster-system.ts';

export type Field = { readonly name: string; readonly type: unknown; readonly default?: unknown };
export type RecordSchema = { readonly name: string; readonly fields: readonly Field[] };

export type Writer = {
  /** Of its schema in the registry. */
  readonly id: number;
  /** `more`: what its schema has beyond ours. */
  record(message: TransactionMessage, more?: object): OutgoingRecord & { readonly refused: false };
};

/** Its schema is entered in the registry under our subject, by the rule that is in force there. */
export async function otherWriter(
  { environment }: ClusterSystem,
  change: (ours: RecordSchema) => RecordSchema,
): Promise<Writer> {
  const subject = (await loadSubjects()).find(({ name }) => name === TRANSACTIONS);
  const schema = change(subject?.current as unknown as RecordSchema);
  const { prefix } = names(environment['FORETILL_NAMESPACE'] ?? '');
  const id = await registerForeign(prefix + TRANSACTIONS, schema);
  const type = avroType(schema as unknown as Schema);
  const header = Buffer.alloc(5);
  header.writeInt32BE(id, 1);
  return {
    id,
    record: (message, more = {}) => ({
      key: Buffer.from(message.store_id),
      value: Buffer.concat([header, type.toBuffer({ ...message, ...more })]),
      refused: false,
    }),
  };
}
