/**
 * `npm test`: every check and test that this machine can run, one after another, and at the end what was found. What a
 * machine lacks is skipped and said loudly, with how to enable it; with CI=true it is a failure instead.
 *
 * Ends with the line `N passed, N failed` (and `, N skipped`).
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ForetillError } from '../src/errors.ts';
import { canFetch, MAVEN_REMEDY } from './stack/artifacts.ts';
import { findProgram } from './stack/find-program.ts';
import { findJava } from './stack/java.ts';
import { PARTS } from './stack/parts.ts';

type Counts = { passed: number; failed: number; skipped: number };
type Step = {
  readonly name: string;
  readonly command: readonly string[];
  readonly counts: (code: number) => Counts;
};
const REAL_TILL_LINES = '../shared/data/completejourney_transactions.csv.gz';
const REFERENCE = '../shared/reference';

type Lack = { readonly what: string; readonly skips: string; readonly remedy: string };

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const strict = process.env['CI'] === 'true' || process.env['CI'] === '1';
const reports = mkdtempSync(join(tmpdir(), 'foretill-tests-'));
const chromium = findChromium();
const clusterLacks = await lackingForCluster();
const lacks = [...lacking(), ...clusterLacks, ...lackingBeside(), ...lackingParts()];

const steps: readonly Step[] = [
  check('format', ['oxfmt', '--check']),
  check('lint', ['oxlint', '--type-aware', '--deny-warnings']),
  check('types', ['tsc']),
  check('types of the page', ['tsc', '-p', 'src/ui']),
  check('dead code', ['knip']),
  project('unit'),
  project('integration'),
  ...(clusterLacks.length > 0 ? [] : [project('cluster')]),
  project('system'),
  ...(chromium === null ? [] : [project('browser')]),
];

process.exitCode = await main();

async function main(): Promise<number> {
  const total: Counts = { passed: 0, failed: 0, skipped: 0 };
  const failures: string[] = [];
  for (const step of steps) {
    const startedMs = performance.now();
    process.stdout.write(`\n── ${step.name} ──\n`);
    const counts = step.counts(await run(step.command));
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
    const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
    process.stdout.write(`${step.name}: ${line(counts)} (${seconds} s)\n`);
    if (counts.failed > 0) failures.push(step.name);
  }
  rmSync(reports, { recursive: true, force: true });
  total[strict ? 'failed' : 'skipped'] += lacks.length;
  report(failures);
  process.stdout.write(`${line(total)}\n`);
  return total.failed > 0 ? 1 : 0;
}

function report(failures: readonly string[]): void {
  process.stdout.write('\n');
  if (failures.length > 0) process.stdout.write(`FAILED: ${failures.join(', ')}\n`);
  for (const { what, skips, remedy } of lacks) {
    const verb = strict ? 'MISSING, a failure with CI=true' : 'SKIPPED';
    process.stdout.write(`${verb}: ${skips}, because this machine has no ${what}.\n  To enable: ${remedy}\n`);
  }
}

function line({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** A tool that is right or wrong as a whole. */
function check(name: string, command: readonly string[]): Step {
  return {
    name,
    command,
    counts: (code) => ({ passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 }),
  };
}

function project(name: string): Step {
  const file = join(reports, `${name}.json`);
  return {
    name: `${name} tests`,
    command: [
      'vitest',
      'run',
      '--project',
      name,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${file}`,
    ],
    counts: (code) => readReport(file, code),
  };
}

type Report = {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly numFailedTestSuites: number;
};

/** A run that failed without a failed test (a file that cannot be loaded, a rejection nobody awaits) is one failure. */
function readReport(file: string, code: number): Counts {
  if (!existsSync(file)) return { passed: 0, failed: code === 0 ? 0 : 1, skipped: 0 };
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
  const failed = Math.max(report.numFailedTests, code === 0 ? 0 : 1);
  return { passed: report.numPassedTests, failed, skipped: report.numPendingTests + report.numTodoTests };
}

function run(command: readonly string[]): Promise<number> {
  const [tool = '', ...args] = command;
  const bin = join(root, 'node_modules', '.bin');
  const child = spawn(join(bin, tool), args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
    env: {
      ...process.env,
      PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`,
      ...(chromium === null ? {} : { FORETILL_CHROMIUM: chromium }),
    },
  });
  return new Promise((resolve) => {
    child.on('error', (error) => {
      process.stderr.write(`${tool} could not be started: ${error.message}\n`);
      resolve(1);
    });
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

function lacking(): readonly Lack[] {
  const found: Lack[] = [];
  if (chromium === null) {
    found.push({
      what: 'Chromium',
      skips: 'tests of the live page in a browser',
      remedy:
        'install it (Debian, Ubuntu: apt-get install chromium), or name its program in FORETILL_CHROMIUM.',
    });
  }
  if (!existsSync(join(root, REAL_TILL_LINES))) {
    found.push({
      what: `real till lines (${REAL_TILL_LINES})`,
      skips: 'the test that totals equal those of a real file to the cent',
      remedy:
        'put transactions.csv.gz of The Complete Journey (dunnhumby) there; its terms keep it out of here.',
    });
  }
  if (!existsSync(join(root, REFERENCE))) {
    found.push({
      what: `reference sets and protocols (${REFERENCE})`,
      skips: 'the test that a backtest measures as other libraries were measured',
      remedy: 'put them there, with their data in ../shared/data; their terms keep them out of here.',
    });
  }
  return found;
}

/** What Kafka and the schema registry need. */
async function lackingForCluster(): Promise<readonly Lack[]> {
  const skips = 'tests on Kafka and a schema registry';
  const found: Lack[] = [];
  try {
    await findJava();
  } catch (error) {
    if (!(error instanceof ForetillError)) throw error;
    found.push({ what: 'Java 17 or later', skips, remedy: error.remedy });
  }
  if (!canFetch()) found.push({ what: 'Maven', skips, remedy: MAVEN_REMEDY });
  return found;
}

/** What the tests on Kafka do less without. */
function lackingBeside(): readonly Lack[] {
  if (findProgram(['kcat']) !== null) return [];
  return [
    {
      what: 'kcat',
      skips: 'the check that another Kafka client reads the forecasts of the demonstration',
      remedy: 'install it (Debian, Ubuntu: apt-get install kcat; macOS: brew install kcat).',
    },
  ];
}

/** What the local stack leaves out. */
function lackingParts(): readonly Lack[] {
  return PARTS.flatMap((part) => {
    const lacking = part.lacking();
    if (lacking === null) return [];
    const skips = `${part.title} in the tests of the local stack`;
    return [{ what: part.title, skips, remedy: lacking }];
  });
}

function findChromium(): string | null {
  const named = process.env['FORETILL_CHROMIUM'];
  const places = (process.env['PATH'] ?? '').split(delimiter);
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
  const candidates = [
    ...(named === undefined ? [] : [named]),
    ...names.flatMap((name) => places.map((place) => join(place, name))),
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
  ];
  return candidates.find((path) => existsSync(path)) ?? null;
}
