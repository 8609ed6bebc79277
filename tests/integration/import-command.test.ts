/** The command line as people meet it: the right words and exit codes for good and bad input, never a stack trace. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { lockDataDir } from '../../src/adapters/data-dir-lock.ts';

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'foretill-cli-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

type Outcome = { readonly code: number | null; readonly out: string; readonly err: string };

function foretill(...args: readonly string[]): Promise<Outcome> {
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd: dir,
    env: { ...process.env, FORETILL_DIR: join(dir, 'data') },
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })));
}

function file(name: string, text: string): string {
  writeFileSync(join(dir, name), text);
  return name;
}

const GOOD =
  'store,ticket,time,sku,quantity,amount\nA,1,2024-05-01T09:30,x,1,2.00\nA,1,2024-05-01T09:30,y,two,2.00\n';

describe('help', () => {
  test.each([
    [[]],
    [['--help']],
    [['demo', '--help']],
    [['run', '--help']],
    [['import', '--help']],
    [['produce', '--help']],
    [['backtest', '--help']],
    [['topics', '--help']],
    [['migrate', '--help']],
    [['doctor', '--help']],
    [['dlq', '--help']],
  ])('%j', async (args) => {
    const { code, out } = await foretill(...args);
    expect(code).toBe(0);
    expect(out).toMatch(/Usage: foretill/);
    expect(out).toMatch(args.length > 1 ? /Examples:/ : /Exit codes:/);
  });
});

describe('what is wrong is said in words, with an exit code', () => {
  const cases: readonly (readonly [string, readonly string[], number, RegExp])[] = [
    ['an unknown command', ['improt'], 2, /unknown command 'improt'/],
    ['an unknown option', ['import', 'x.csv', '--colour'], 2, /unknown option/],
    ['an unknown kind', ['import', 'x.csv', '--kind', 'poems'], 2, /Allowed choices/],
    ['a missing file', ['import', 'nowhere.csv'], 3, /no file nowhere\.csv[\s\S]*what to do:/],
    ['an empty file', ['import', file('empty.csv', '')], 3, /is empty[\s\S]*what to do:/],
    ['text named gzip', ['import', file('text.csv.gz', 'a,b\n1,2\n')], 3, /not gzip data[\s\S]*what to do:/],
    [
      'an unknown file without --kind',
      ['import', file('other.csv', 'a,b\n1,2\n')],
      2,
      /columns: a, b[\s\S]*--kind/,
    ],
    [
      'missing columns',
      ['import', file('poor.csv', 'store,sku\nA,x\n'), '--kind', 'transactions'],
      3,
      /ticket \(which lines[\s\S]*store, sku[\s\S]*--map ticket=/,
    ],
    [
      'a mapping to no column',
      ['import', file('good.csv', GOOD), '--kind', 'transactions', '--map', 'sku=Artikel'],
      2,
      /no column "Artikel"/,
    ],
    [
      'an unknown zone',
      ['import', file('good.csv', GOOD), '--kind', 'transactions', '--zone', 'Mars'],
      2,
      /time zone "Mars"/,
    ],
    [
      'no good row',
      [
        'import',
        file('bad.csv', 'store,ticket,time,sku\nA,1,never,x\n'),
        '--kind',
        'transactions',
        '--dry-run',
      ],
      3,
      /line 2, column time: "never"/,
    ],
    ['neither file nor --simulate', ['produce'], 2, /either a file or --simulate/],
    [
      'no system there',
      ['produce', '--simulate', '--url', 'http://127.0.0.1:9'],
      10,
      /No system answers[\s\S]*foretill run/,
    ],
    ['an impossible port', ['run', '--port', '70000'], 2, /0 to 65535/],
    [
      'an address for others without a token',
      ['run', '--host', '0.0.0.0', '--port', '0'],
      2,
      /no token is set[\s\S]*FORETILL_TOKEN/,
    ],
    [
      'a file as data directory',
      ['topics', '--dir', file('file.txt', 'x')],
      4,
      /cannot be used[\s\S]*what to do:/,
    ],
    ['a demo of a missing file', ['demo', '--data', 'nowhere.csv', '--port', '0'], 3, /no file/],
    [
      '--fresh on what is no demo',
      ['demo', '--fresh', '--dir', '.', '--port', '0'],
      2,
      /not the directory of a demonstration/,
    ],
  ];
  test.each(cases)('%s', async (_name, args, code, message) => {
    const outcome = await foretill(...args);
    expect(outcome.err).toMatch(message);
    expect(outcome.err).not.toMatch(/^\s+at /m);
    expect(outcome.code).toBe(code);
  });

  test('a port that is taken', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const outcome = await foretill('demo', '--port', String(port), '--dir', 'demo');
    server.close();
    expect(outcome).toMatchObject({ code: 5, err: expect.stringMatching(/is taken[\s\S]*--port/) });
  });

  test('a directory that is in use, and by whom', async () => {
    const lock = await lockDataDir(join(dir, 'used'), { command: 'foretill run' });
    const outcome = await foretill(
      'import',
      file('good.csv', GOOD),
      '--kind',
      'transactions',
      '--dir',
      'used',
    );
    await lock.release();
    expect(outcome).toMatchObject({
      code: 4,
      err: expect.stringMatching(new RegExp(`in use by process ${process.pid}`)),
    });
  });
});

describe('what is right', () => {
  test('good rows load, bad ones are named, and the summary counts both', async () => {
    const args = [
      'import',
      file('good.csv', GOOD),
      '--kind',
      'transactions',
      '--dir',
      'fine',
      '--currency',
      'EUR',
      '--zone',
      'Europe/Berlin',
    ];
    const outcome = await foretill(...args);
    expect(outcome.code).toBe(0);
    expect(outcome.out).toMatch(/2 rows of transactions[\s\S]*good\s+1 rows[\s\S]*bad\s+1 rows/);
    expect(outcome.err).toContain('line 3, column quantity: "two" is no number');
    const again = await foretill(...args, '--json');
    expect(JSON.parse(again.out)).toMatchObject({
      rows: 2,
      good: 1,
      bad: 1,
      duplicates: 1,
      problems: [{ line: 3, column: 'quantity' }],
    });
  });

  test('another currency in the same directory is refused', async () => {
    const outcome = await foretill(
      'import',
      file('good.csv', GOOD),
      '--kind',
      'transactions',
      '--dir',
      'fine',
      '--currency',
      'USD',
      '--zone',
      'Europe/Berlin',
    );
    expect(outcome).toMatchObject({ code: 2, err: expect.stringMatching(/"EUR", this needs "USD"/) });
  });

  test('events go into the log of a directory that is not in use', async () => {
    const sent = await foretill(
      'produce',
      '--simulate',
      '--count',
      '40',
      '--rate',
      '100000',
      '--dir',
      'log',
      '--json',
    );
    expect([sent.code, JSON.parse(sent.out)]).toMatchObject([0, { sent: 40, refused: 0 }]);
    const { out } = await foretill('topics', '--dir', 'log', '--json');
    const { topics } = JSON.parse(out) as { topics: { name: string; partitions: { end: number }[] }[] };
    const ends =
      topics.find(({ name }) => name === 'retail.pos.transaction.v1')?.partitions.map(({ end }) => end) ?? [];
    expect(ends.reduce((sum, end) => sum + end, 0)).toBe(40);
  });

  test('doctor and migrate', async () => {
    const migrated = await foretill('migrate', '--dir', 'log', '--json');
    expect(JSON.parse(migrated.out)).toMatchObject({
      migrations: expect.arrayContaining([{ name: '001-transactions.sql', applied: expect.any(String) }]),
    });
    const examined = await foretill('doctor', '--dir', 'log', '--port', '0', '--json');
    expect(JSON.parse(examined.out)).toMatchObject({
      findings: expect.arrayContaining([expect.objectContaining({ check: 'Log and tables', ok: true })]),
    });
  });
});
