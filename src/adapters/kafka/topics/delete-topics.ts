/** Deletes topics and the groups that read them: for a demonstration that begins anew, and nothing else. */
import { Kafka } from 'kafkajs';
import type { KafkaLimits } from '../../../config.ts';
import type { KafkaAddress } from '../client/address.ts';
import { clientSettings } from '../client/client-settings.ts';
import { kafkaError } from '../client/kafka-errors.ts';
import { names } from '../client/names.ts';

/** Those that do not exist are passed over. Rejects when a group still has members, or with LOG_UNAVAILABLE. */
export async function deleteTopics(
  address: KafkaAddress,
  limits: KafkaLimits,
  doomed: { readonly topics: readonly string[]; readonly groups: readonly string[] },
): Promise<void> {
  const { wire } = names(address.namespace);
  const admin = new Kafka(clientSettings(address, limits)).admin();
  try {
    await admin.connect();
    const { groups } = await admin.listGroups();
    const groupIds = groups.map(({ groupId }) => groupId);
    const doomedGroups = doomed.groups.map(wire).filter((group) => groupIds.includes(group));
    if (doomedGroups.length > 0) await admin.deleteGroups(doomedGroups);
    const present = await admin.listTopics();
    const topics = doomed.topics.map(wire).filter((topic) => present.includes(topic));
    if (topics.length > 0) await admin.deleteTopics({ topics });
  } catch (error) {
    throw kafkaError(error, { address });
  } finally {
    await admin.disconnect();
  }
}
