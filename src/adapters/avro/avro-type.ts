import avro from 'avsc';
import type { Schema, Type } from 'avsc';

/** An Avro type as we use them everywhere: optional values bare (not wrapped), records without methods. */
export function avroType(schema: Schema): Type {
  return avro.Type.forSchema(schema, { wrapUnions: 'never', omitRecordMethods: true });
}
