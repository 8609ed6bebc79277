/**
 * A namespace sets a tenant apart on shared brokers: a prefix of every topic and group on the wire, which nothing above
 * the adapters sees.
 *
 * @example names('north').wire('retail.sales.bucket.v1') // 'north.retail.sales.bucket.v1'
 */
import { ForetillError } from '../../../errors.ts';

export type Names = {
  /** In front of every name on the wire, also of a subject in the schema registry. */
  readonly prefix: string;
  /** Of a topic or a group; CONFIG_INVALID for a name that Kafka does not take. */
  wire(name: string): string;
  /** Null: not of this namespace. Without a namespace every topic is, those of other tenants included. */
  local(wireName: string): string | null;
};

export function names(namespace: string): Names {
  const prefix = namespace === '' ? '' : `${namespace}.`;
  return {
    prefix,
    wire(name) {
      if (isKafkaName(prefix + name)) return prefix + name;
      throw new ForetillError('CONFIG_INVALID', `Kafka takes no topic or group named "${prefix}${name}".`, {
        remedy: `Use 1 to ${NAME_LENGTH_MAX} letters, digits, ".", "_" or "-".`,
      });
    },
    local: (wireName) => (wireName.startsWith(prefix) ? wireName.slice(prefix.length) : null),
  };
}

/** org.apache.kafka.common.internals.Topic.validate; we hold groups to the same rule. */
export function isKafkaName(name: string): boolean {
  return /^[A-Za-z0-9._-]+$/.test(name) && name.length <= NAME_LENGTH_MAX && name !== '.' && name !== '..';
}

const NAME_LENGTH_MAX = 249;
