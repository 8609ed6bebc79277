/**
 * `npm test`: every check and every test this machine can run, one after another, and loudly what it could not.
 * With CI=true what is missing is a failure: nothing that matters may be skipped there.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

type Step = {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly needs?: Need;
};
/** Something a machine may lack; `enable` says how to get it. */
type Need = { readonly what: string; readonly found: boolean; readonly enable: string };

const CHROMIUM: Need = {
  what: 'Chromium (tests of the page in a real browser)',
  found: ['/usr/bin/chromium', '/usr/bin/chromium-browser', process.env['CHROMIUM'] ?? ''].some(
    (path) => path !== '' && existsSync(path),
  ),
  enable: 'apt-get install chromium, or set CHROMIUM to the path of a Chromium or Chrome',
};

const STEPS: readonly Step[] = [
  { name: 'format', command: ['oxfmt', '--check'] },
  { name: 'lint', command: ['oxlint', '--type-aware', '--deny-warnings'] },
  { name: 'types', command: ['tsc'] },
  { name: 'dead code', command: ['knip'] },
  { name: 'unit tests', command: ['vitest', 'run', '--project', 'unit'] },
  { name: 'integration tests', command: ['vitest', 'run', '--project', 'integration'] },
  { name: 'system tests', command: ['vitest', 'run', '--project', 'system'] },
  { name: 'browser tests', command: ['vitest', 'run', '--project', 'browser'], needs: CHROMIUM },
];

const ci = process.env['CI'] === 'true';
const outcomes = STEPS.map((step) => ({ step, ...run(step) }));
summarise();

function run({ name, command: [program, ...args], needs }: Step): {
  outcome: 'passed' | 'failed' | 'skipped';
  seconds: number;
} {
  console.log(`\n── ${name} ──`);
  if (needs !== undefined && !needs.found) {
    console.log(`${ci ? 'FAILED' : 'SKIPPED'}: this machine has no ${needs.what}.`);
    return { outcome: ci ? 'failed' : 'skipped', seconds: 0 };
  }
  const startedMs = performance.now();
  // On the PATH of an npm script the project's own tools and its own Node come first.
  const { status, error } = spawnSync(program, args, { stdio: 'inherit' });
  if (error !== undefined)
    console.error(`${program} could not be started: ${error.message}. Run it through: npm test`);
  return { outcome: status === 0 ? 'passed' : 'failed', seconds: (performance.now() - startedMs) / 1000 };
}

function summarise(): void {
  console.log('\n── summary ──');
  for (const { step, outcome, seconds } of outcomes) {
    console.log(`${outcome.toUpperCase().padEnd(8)} ${step.name} (${seconds.toFixed(0)} s)`);
  }
  for (const { step, outcome } of outcomes) {
    if (step.needs === undefined || step.needs.found || outcome === 'passed') continue;
    console.log(
      `\n!!! ${step.name} did not run: no ${step.needs.what}.\n    To run them: ${step.needs.enable}.`,
    );
  }
  const count = (outcome: string): number => outcomes.filter((each) => each.outcome === outcome).length;
  console.log(`\n${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`);
  process.exitCode = count('failed') === 0 ? 0 : 1;
}
