/** Kafka's own client, for what only it writes: the frames of Java's compression libraries. */
import { spawn } from 'node:child_process';
import { fetchArtifacts } from '../../deploy/stack/artifacts.ts';

export type JavaBatch = {
  readonly brokers: readonly string[];
  readonly wireTopic: string;
  readonly codec: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
};

/** One record a line, in one batch as far as they fit. */
export async function produceWithJava(
  { brokers, wireTopic, codec }: JavaBatch,
  lines: readonly string[],
): Promise<void> {
  const { java, kafkaClassPath } = await fetchArtifacts();
  const to = ['--bootstrap-server', brokers.join(','), '--topic', wireTopic];
  const how = [
    '--compression-codec',
    codec,
    '--batch-size',
    '200000',
    '--timeout',
    '500',
    '--max-memory-bytes',
    '33554432',
  ];
  const program = ['-Xmx128m', '-cp', kafkaClassPath, 'org.apache.kafka.tools.ConsoleProducer'];
  const child = spawn(java, [...program, ...to, ...how], { stdio: ['pipe', 'ignore', 'pipe'] });
  const said: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
  child.stdin.end(lines.map((line) => `${line}\n`).join(''));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`The Java client ended with ${code}: ${Buffer.concat(said).toString()}`);
}
