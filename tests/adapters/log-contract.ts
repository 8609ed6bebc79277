/**
 * What any adapter of the log must do, told as tests. An adapter's own test file calls `describeLogContract` with a way
 * to open a log, which all tests share; names of topics and groups are unique, also among runs on one server.
 */
import { afterAll, beforeAll, describe } from 'vitest';
import { describeAppending } from './log-contract/appending.ts';
import { describeConsuming } from './log-contract/consuming.ts';
import { describeControl } from './log-contract/control.ts';
import { describeFailing } from './log-contract/failing.ts';
import { describeRebalancing } from './log-contract/rebalancing.ts';
import { describeTailing } from './log-contract/tailing.ts';
import { createBench } from './log-contract/bench.ts';
import type { LogContractOptions, OpenLog } from './log-contract/bench.ts';

export function describeLogContract(name: string, open: OpenLog, options: LogContractOptions = {}): void {
  const bench = createBench(options);
  describe(name, { timeout: 4 * bench.deadlineMs }, () => {
    beforeAll(async () => bench.set(await open()), 4 * bench.deadlineMs);
    afterAll(async () => bench.clear(), 4 * bench.deadlineMs);
    describeAppending(bench);
    describeConsuming(bench);
    describeControl(bench);
    describeFailing(bench);
    describeRebalancing(bench);
    describeTailing(bench);
  });
}
