/** `foretill backtest` as people meet it, and the reference's figures where its data are. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { all } from '../adapters/csv/texts.ts';
import { openTable } from '../../src/adapters/csv/open-table.ts';
import { createEngine } from '../../src/models/engine.ts';
import { createRandom } from '../../src/simulator/random.ts';

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const SHARED = fileURLToPath(new URL('../../../shared', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'foretill-backtest-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

type Outcome = { readonly code: number | null; readonly out: string; readonly err: string };
type Row = Readonly<Record<string, string | number | null>>;

function backtest(...args: readonly string[]): Promise<Outcome> {
  const child = spawn(process.execPath, [CLI, 'backtest', ...args], { cwd: dir });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })));
}

async function rowsOf(...args: readonly string[]): Promise<readonly Row[]> {
  const { code, out, err } = await backtest(...args, '--json');
  expect([code, code === 0 ? '' : err]).toEqual([0, '']);
  return JSON.parse(out) as Row[];
}

function file(name: string, contents: string | Buffer): string {
  writeFileSync(join(dir, name), contents);
  return name;
}

/** Two shops, twelve weeks of days. */
const SALES = (() => {
  const random = createRandom('backtest-command');
  const lines = ['unique_id,ds,y,promo'];
  for (const shop of ['north', 'south']) {
    for (let day = 0; day < 84; day++) {
      const date = new Date(Date.UTC(2024, 0, 1 + day)).toISOString().slice(0, 10);
      const promo = day % 10 === 0 ? 1 : 0;
      lines.push(`${shop},${date},${random.poisson(8 + 4 * (day % 7) + 20 * promo)},${promo}`);
    }
  }
  return `${lines.join('\n')}\n`;
})();
const GOOD = file('sales.csv', SALES);

test('a table for people: models, the ratio to the yardstick, times', async () => {
  const { code, out, err } = await backtest(GOOD, '--origins', '2', '--by-step');
  expect(code).toBe(0);
  expect(out).toMatch(/^sales: 2 series, 2 origins, horizon 14, seasons 7, MASE by season 7\n/);
  const lines = out.split('\n');
  expect(lines[2]).toMatch(
    /^model +MASE +rel +RMSSE .* wQL +cov80 +cov95 +width80 +width95 +seconds +us\/update$/,
  );
  expect(lines[3]).toMatch(/^Foretill( +-?\d+(\.\d+)?){16}$/);
  expect(lines[4]).toMatch(/^SeasonalNaive +\d\.\d{3} +1\.000 /);
  expect(new Set(lines.slice(2, 5).map(({ length }) => length)).size).toBe(1);
  expect(lines.filter((line) => /^Foretill +\d+ +\d/.test(line))).toHaveLength(14);
  expect(err).toMatch(/^Reading sales\.csv: done, 168 rows\n/);
  expect(err).toMatch(/Backtest of sales: done, 2 models\n$/);
});

test('JSON by the names of the reference’s columns, and the same again from a packed file by other names', async () => {
  const [row, yardstick] = await rowsOf(GOOD, '--origins', '2', '--step', '7', '--known', 'promo');
  expect(Object.keys(row!).join()).toBe(
    'dataset,model,n_series,origins,MASE,MASE_med,RMSSE,sMAPE,WAPE,RMSE,MAE,MAPE,bias_pct,wQL,cov80,cov95,wall_s,' +
      'cpu_s,cpu_ms_per_fit,note,rel_MASE_vs_SN_same_series,width80,width95,us_per_update',
  );
  expect(yardstick).toMatchObject({ model: 'SeasonalNaive', rel_MASE_vs_SN_same_series: 1 });
  const packed = SALES.replace('unique_id,ds,y', 'shop;day;sold').replaceAll(',', ';');
  const columns = ['--id', 'shop', '--time', 'day', '--target', 'sold', '--freq', 'D', '--season', '7'];
  const name = file('sales.csv.gz', gzipSync(packed.replaceAll(',', ';').replace('promo', 'offer')));
  const [again] = await rowsOf(
    name,
    ...columns,
    '--origins',
    '2',
    '--step',
    '7',
    '--known',
    'offer',
    '--threads',
    '1',
  );
  for (const key of ['MASE', 'RMSSE', 'sMAPE', 'WAPE', 'wQL', 'cov80', 'width95'])
    expect(again![key]).toBe(row![key]);
});

test('steps in JSON stand in their model', async () => {
  const rows = await rowsOf(GOOD, '--horizon', '3', '--by-step');
  expect(rows.map(({ by_step: steps }) => (steps as unknown as Row[]).map(({ step }) => step))).toEqual([
    [1, 2, 3],
    [1, 2, 3],
  ]);
});

test('a split column instead of origins', async () => {
  const parts = SALES.split('\n').map((line, i) => {
    if (line === '') return line;
    if (i === 0) return `${line},part`;
    return `${line},${(i - 1) % 84 < 77 ? 'train' : 'test'}`;
  });
  const [split] = await rowsOf(file('split.csv', parts.join('\n')), '--split-column', 'part');
  const [last] = await rowsOf(GOOD, '--horizon', '7');
  expect([split!['MASE'], split!['wQL']]).toEqual([last!['MASE'], last!['wQL']]);
});

test('every forecast, by the names that forecasters know', async () => {
  const seasons = { granularity: 'day', season: 7, shortSeason: 7 } as const;
  const expert = createEngine({ ...seasons, horizon: 3, probabilities: [0.5] }).experts.at(-1)!.name;
  const args = ['--horizon', '3', '--origins', '2', '--levels', '80', '--models', `Foretill,${expert}`];
  await rowsOf(GOOD, ...args, '--out', 'f.csv');
  await rowsOf(GOOD, ...args, '--out', 'f.csv.gz');
  expect(gunzipSync(readFileSync(join(dir, 'f.csv.gz'))).toString()).toBe(
    readFileSync(join(dir, 'f.csv'), 'utf8'),
  );
  const { header, batches } = await openTable(join(dir, 'f.csv'));
  const rows = await all(batches);
  expect(header.join()).toBe(
    'unique_id,ds,cutoff,y,Foretill,Foretill-lo-80,Foretill-hi-80,' +
      `SeasonalNaive,SeasonalNaive-lo-80,SeasonalNaive-hi-80,${expert}`,
  );
  expect(rows).toHaveLength(2 * 2 * 3);
  expect(rows[0]!.fields.slice(0, 3)).toEqual(['north', '2024-03-19', '2024-03-18']);
  expect(rows.at(-1)!.fields.slice(0, 3)).toEqual(['south', '2024-03-24', '2024-03-21']);
  const sold = new Map(SALES.split('\n').map((line) => [line.split(',', 2).join(), line.split(',')[2]]));
  for (const { fields } of rows) {
    expect(fields[3]).toBe(sold.get(`${fields[0]},${fields[1]}`));
    const [mean, low, high] = fields.slice(4, 7).map(Number) as [number, number, number];
    expect(low <= mean && mean <= high).toBe(true);
  }
});

test('bad rows are told, the good ones beside them count', async () => {
  const text = `${SALES}north,2024-03-25,many,0\nnorth,2024-03-24,5,0\nnorth,2024-03-26\n`;
  const { code, out, err } = await backtest(file('bad.csv', text), '--json');
  expect(code).toBe(0);
  expect((JSON.parse(out) as Row[])[0]!['MASE']).toBe((await rowsOf(GOOD))[0]!['MASE']);
  expect(err).toContain('3 rows with problems:\n  line 170, column y: "many" is no number\n');
  expect(err).toContain('  line 171, column ds: the same bucket of north is on line 85, which counts\n');
  expect(err).toContain('  line 172: it has 2 columns, the header has 4\n');
});

test('what is left out or not made use of is said', async () => {
  const text = `${SALES.replaceAll(/\n\w+,2024-02-0[3-5],[^\n]*/g, '')}east,2024-01-01,3,0\n`;
  const { code, err } = await backtest(
    file('gaps.csv', text),
    '--season',
    '7,80',
    '--models',
    'online,heavy',
  );
  expect(code).toBe(0);
  expect(err).toContain('note: 1 of 3 series are too short and left out\n');
  expect(err).toContain('note: 6 buckets are missing between rows');
  expect(err).toContain("note: the engine's cycle is 7; it makes no use of season 80\n");
  expect(err).toContain('note: no MASE: ');
  expect(err).toContain('note: this version has no heavy models yet; the others run\n');
});

describe('what is wrong is said in words, with an exit code', () => {
  test.each<readonly [string, readonly string[], number, RegExp]>([
    ['no file', [], 2, /There is nothing to test on/],
    ['a file that is not there', ['nowhere.csv'], 3, /no file nowhere\.csv/],
    [
      'a column that is not there',
      [GOOD, '--target', 'z'],
      2,
      /sales\.csv has no column "z"[\s\S]*unique_id, ds, y, promo/,
    ],
    ['a covariate that is not there', [GOOD, '--known', 'rain'], 2, /no column "rain"/],
    [
      'a model that is none',
      [GOOD, '--models', 'oracle'],
      2,
      /no model "oracle"[\s\S]*Models are Foretill, /,
    ],
    ['nothing but what is not there yet', [GOOD, '--models', 'heavy'], 2, /no heavy models yet/],
    ['another frequency', [GOOD, '--freq', 'h'], 2, /lie apart by D[\s\S]*Use --freq D/],
    ['too long a horizon', [GOOD, '--horizon', '84'], 3, /the longest has 84 buckets, and this needs 85/],
    ['no test rows', [GOOD, '--split-column', 'promo'], 3, /No series has both rows called "test"/],
    ['a season of nothing', [GOOD, '--season', '0'], 2, /whole number from 1/],
    ['a level of everything', [GOOD, '--levels', '80,100'], 2, /per cents between 0 and 100/],
    ['origins and a split', [GOOD, '--origins', '2', '--split-column', 'promo'], 2, /cannot be used with/],
    ['nowhere to write', [GOOD, '--out', 'nowhere/f.csv'], 2, /cannot write to the directory nowhere/],
    ['a directory to write', [GOOD, '--out', '.'], 2, /is a directory/],
    ['a protocol and a file', [GOOD, '--protocol', 'p.json'], 2, /names its data itself/],
    ['a protocol and a horizon', ['--protocol', 'p.json', '--horizon', '3'], 2, /cannot be used with/],
    ['a protocol that is not there', ['--protocol', 'p.json'], 3, /no protocol p\.json/],
    ['a protocol that is none', ['--protocol', GOOD], 3, /sales\.csv is not JSON/],
  ])('%s', async (_, args, exit, message) => {
    const { code, out, err } = await backtest(...args);
    expect([code, out]).toEqual([exit, '']);
    expect(err).toMatch(message);
    expect(err).not.toMatch(/\n +at /);
  });

  test('a protocol whose data are others', async () => {
    const protocol = {
      dataset: 'sales',
      file: GOOD,
      sha256: '00',
      frequency: 'D',
      horizon: 7,
      origins: 1,
      step_between_origins: 7,
      season_of_models: 7,
      MSTL_seasons: [7],
      seasonal_naive_season: 7,
      mase_season: 7,
      known_future_covariates: ['promo'],
    };
    const path = (json: unknown) => file('protocol_sales.json', JSON.stringify(json));
    const { code, err } = await backtest('--protocol', path(protocol), '--root', '.');
    expect(code).toBe(3);
    expect(err).toContain('sales.csv is not the file that the protocol was measured on');
    const rows = await rowsOf('--protocol', path({ ...protocol, sha256: undefined }), '--root', '.');
    const plain = await rowsOf(GOOD, '--horizon', '7');
    const told = await rowsOf(GOOD, '--horizon', '7', '--known', 'promo');
    expect(rows[0]!['MASE']).toBe(told[0]!['MASE']);
    expect(rows[0]!['MASE']).toBeLessThan(plain[0]!['MASE'] as number);
  });
});

/** Figures that are not a matter of machine or version. */
const COMPARED = /^(n_series|origins|H|MASE.*|RMSSE|sMAPE|WAPE.*|RMSE.*|MAE|MAPE|bias_pct|wQL.*|cov.*)$/;

describe.skipIf(!existsSync(join(SHARED, 'reference')))(
  'the reference’s SeasonalNaive, to its last digit',
  () => {
    test.each([
      'm4_hourly',
      'walmart_weekly',
      'cj_daily',
      'cj_hourly',
      'cj_intermittent',
      'preq_walmart_weekly',
      'preq_cj_daily',
    ])('%s', async (set) => {
      const protocol = join(SHARED, 'reference', `protocol_${set}.json`);
      const [found] = await rowsOf('--protocol', protocol, '--root', SHARED, '--models', 'SeasonalNaive');
      const { header, batches } = await openTable(join(SHARED, 'reference', `dev_${set}.csv`));
      const rows = (await all(batches)).map(({ fields }) => fields);
      const expected = rows.find((fields) => fields[1]!.startsWith('SeasonalNaive'))!;
      const compared = header.flatMap((name, i) =>
        COMPARED.test(name) ? [[name, Number(expected[i])] as const] : [],
      );
      expect(compared.length).toBeGreaterThan(9);
      expect(compared.map(([name]) => [name, found![name]])).toEqual(compared);
    });
  },
);
