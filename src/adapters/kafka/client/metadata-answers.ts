/**
 * kafkajs asks for the metadata of all topics of a cluster where it wants to know of the brokers alone (when a producer
 * or an admin client begins), and gives up when any partition of any topic has no leader: one broker away, and nobody in
 * the cluster can begin to write, whoever's partition it is. So: a partition without a leader is told of as one (leader
 * −1), and whoever wants to use that very partition fails, and tries again.
 */
import { createRequire } from 'node:module';

type Metadata = { readonly topicMetadata: readonly { readonly topicErrorCode: number }[] };
type Response = { parse: (answer: Metadata) => Promise<Metadata> };

const load = createRequire(import.meta.url);
const errors = load('kafkajs/src/protocol/error') as {
  failure(code: number): boolean;
  createErrorFromCode(code: number): Error;
};
const responses = [0, 1, 2, 3, 4, 5, 6].map(
  (version) => load(`kafkajs/src/protocol/requests/metadata/v${version}/response`) as Response,
);

/** For every client of this process. Doing it again changes nothing. */
export function tellOfLeaderlessPartitions(): void {
  for (const response of responses) response.parse = parse;
}

/** What is wrong with a topic as a whole, e.g. that there is none, is still an error. */
async function parse(answer: Metadata): Promise<Metadata> {
  const wrong = answer.topicMetadata.find(({ topicErrorCode }) => errors.failure(topicErrorCode));
  if (wrong !== undefined) throw errors.createErrorFromCode(wrong.topicErrorCode);
  return answer;
}
