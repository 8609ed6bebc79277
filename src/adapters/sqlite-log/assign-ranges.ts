/**
 * Kafka's range assignor: each topic's partitions are cut into as many runs as there are members that read the topic,
 * earlier members getting the longer ones. Partition n of two topics with as many partitions goes to the same member.
 *
 * @example 5 partitions and members a, b: a gets 0, 1, 2 and b gets 3, 4
 */
export function assignRanges<Member extends { readonly topics: readonly string[] }, Place>(
  members: readonly Member[],
  placesOf: (topic: string) => readonly Place[],
): Map<Member, Place[]> {
  const assignment = new Map<Member, Place[]>(members.map((member) => [member, []]));
  for (const topic of new Set(members.flatMap((member) => member.topics))) {
    const places = placesOf(topic);
    const readers = members.filter((member) => member.topics.includes(topic));
    const share = Math.floor(places.length / readers.length);
    const longer = places.length % readers.length;
    readers.forEach((member, index) => {
      const from = index * share + Math.min(index, longer);
      assignment.get(member)?.push(...places.slice(from, from + share + (index < longer ? 1 : 0)));
    });
  }
  return assignment;
}
