import { gzipSync } from 'node:zlib';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openTable } from '../../../src/adapters/csv/open-table.ts';
import { all, fileOf } from './texts.ts';

const TEXT = 'name,n\nFrühstück,1\n';
const ROWS = [['Frühstück', '1']];

describe('files that can be read', () => {
  test.each([
    ['plain', Buffer.from(TEXT), 'rows.csv'],
    ['with a byte order mark', Buffer.from(`\uFEFF${TEXT}`), 'rows.csv'],
    ['gzip', gzipSync(TEXT), 'rows.csv.gz'],
    ['gzip by another name', gzipSync(TEXT), 'rows.txt'],
    ['UTF-16, as spreadsheets write it', Buffer.from(`\uFEFF${TEXT}`, 'utf16le'), 'rows.csv'],
  ])('%s', async (_name, contents, name) => {
    const table = await openTable(fileOf(contents, name));
    expect(table.header).toEqual(['name', 'n']);
    expect((await all(table.batches)).map(({ fields }) => fields)).toEqual(ROWS);
    expect(table.bytesRead()).toBe(table.bytesTotal);
  });
});

describe('files that cannot be read say so', () => {
  test.each<readonly [string, string | Buffer, string, string]>([
    ['empty', '', 'rows.csv', 'is empty'],
    ['only a header', 'a,b\n', 'rows.csv', 'holds no rows'],
    ['only a header and blank lines', 'a,b\n\n\n', 'rows.csv', 'holds no rows'],
    ['a workbook', Buffer.from('504b030414000600', 'hex'), 'rows.xlsx', 'a ZIP or Excel file, not CSV'],
    ['Parquet', Buffer.from('PAR1....'), 'rows.parquet', 'a Parquet file, not CSV'],
    ['named .gz and is not', TEXT, 'rows.csv.gz', 'is named .gz but is not gzip data'],
    ['binary', Buffer.from([1, 2, 0, 3, 0, 0]), 'rows.csv', 'is binary, not text'],
    ['gzip of nothing', gzipSync(''), 'rows.csv.gz', 'holds no text'],
  ])('%s', async (_name, contents, name, message) => {
    await expect(openTable(fileOf(contents, name))).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining(message),
      remedy: expect.stringMatching(/\w/),
    });
  });

  test('missing', async () => {
    await expect(openTable('/nowhere/rows.csv')).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' });
  });

  test('a directory', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'foretill-dir-'));
    await expect(openTable(dir)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('is not a file'),
    });
    rmdirSync(dir);
  });

  test.each([
    ['cut off', (bytes: Buffer) => bytes.subarray(0, Math.floor(bytes.length / 2)), 'ends in the middle'],
    [
      'damaged',
      (bytes: Buffer) =>
        Buffer.concat([bytes.subarray(0, 4_000), Buffer.alloc(200, 0x55), bytes.subarray(4_200)]),
      'damaged gzip data',
    ],
  ])('gzip that is %s', async (_name, damage, message) => {
    const text = `a,b\n${Array.from({ length: 50_000 }, (_, at) => `${at},${(at * 7_919) % 10_007}`).join('\n')}\n`;
    const path = fileOf(damage(gzipSync(text)), 'rows.csv.gz');
    const reading = openTable(path).then((table) => all(table.batches));
    await expect(reading).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining(message),
    });
  });
});
