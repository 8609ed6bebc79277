import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startPageServer } from './page-server.ts';
import type { PageServerOptions } from './page-server.ts';

const CHROMIUM = process.env['FORETILL_CHROMIUM'] ?? '/usr/bin/chromium';
const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking'];
const TOKEN = 'correct-horse-battery';
const WIDTHS = [1280, 390];

let browser: Browser;
const closing: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  expect(existsSync(CHROMIUM), `no browser at ${CHROMIUM}: install chromium or set FORETILL_CHROMIUM`).toBe(
    true,
  );
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(() => browser.close());

/** The page of a chain; whatever goes wrong in it is collected in `errors`. */
async function openPage(options: PageServerOptions = {}, width = 1280) {
  const server = await startPageServer(options);
  closing.push(() => server.stop());
  const page = await browser.newPage({ viewport: { width, height: 900 }, locale: 'en-US' });
  closing.push(() => page.close());
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  await page.goto(server.url);
  return { server, page, errors };
}

function eventually(page: Page, read: () => Promise<string | null>) {
  page.setDefaultTimeout(15_000);
  return expect.poll(read, { timeout: 15_000, interval: 50 });
}

describe('the live page', () => {
  test.each(WIDTHS)('shows how today will end, and moves as sales come in (%i px)', async (width) => {
    const { server, page, errors } = await openPage({}, width);
    const sold = () => page.textContent('#tile-day [data-part="sold"]');
    await eventually(page, sold).toMatch(/^\$[\d,]+$/);
    await eventually(page, () => page.textContent('#tile-day h2')).toBe('Today, Friday, September 1');
    await eventually(page, () => page.textContent('#link')).toBe('Live');
    await eventually(page, () => page.textContent('#playing')).toContain('Simulated data');
    await eventually(page, () => page.textContent('#clock')).toContain('02:00 PM');
    await eventually(page, () => page.textContent('#tile-accuracy')).toContain(
      '81 of 100 days within the 80% band',
    );
    const before = await sold();
    server.advance(10 * 60_000);
    await eventually(page, sold).not.toBe(before);
    await eventually(page, () => page.textContent('#clock')).toContain('02:10 PM');
    // Nothing is wider than the screen.
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    expect(errors).toEqual([]);
  });

  test('draws history and forecast', async () => {
    const { page, errors } = await openPage();
    await page.waitForSelector('#chart canvas');
    const inked = `(() => {
      const canvas = document.querySelector('#chart canvas');
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      let painted = [0, 0];
      for (let i = 3; i < data.length; i += 4)
        if (data[i] > 0) painted[((i >> 2) % canvas.width) < canvas.width / 2 ? 0 : 1] += 1;
      return painted.every((count) => count > 5000) ? 'drawn' : painted.join();
    })()`;
    await eventually(page, () => page.evaluate<string>(inked)).toBe('drawn');
    await page.hover('#chart', { position: { x: 900, y: 150 } });
    await eventually(page, () => page.textContent('#readout')).toMatch(/expected \$\d+.* \(\$.* to \$.*\)/);
    await page.hover('#chart', { position: { x: 200, y: 150 } });
    await eventually(page, () => page.textContent('#readout')).toMatch(/sold \$\d/);
    expect(errors).toEqual([]);
  });

  test('finds a series by typing, with the keyboard alone', async () => {
    const { page } = await openPage();
    await page.focus('#node');
    await page.keyboard.type('store 4');
    await eventually(page, () => page.textContent('#node-list')).toMatch(/^Store 406/);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await eventually(page, () => page.textContent('#chart-title')).toBe('Store 429');
    await page.focus('#granularity [data-value="day"]');
    await page.keyboard.press('Enter');
    await eventually(page, () => page.getAttribute('#granularity [data-value="day"]', 'aria-pressed')).toBe(
      'true',
    );
    expect(page.url()).toContain('#day/revenue/store=429');
  });

  test('names from tills are text, never markup', async () => {
    const { page } = await openPage();
    await page.focus('#node');
    await page.keyboard.type('milk');
    await eventually(page, () => page.textContent('#node-list')).toContain('<b>&</b>');
    expect(await page.locator('#node-list b').count()).toBe(0);
  });

  test('lists every store, and a click shows its forecast', async () => {
    const { page } = await openPage();
    await eventually(page, async () => String(await page.locator('#stores tbody tr').count())).toBe('11');
    await page.getByRole('button', { name: '343', exact: true }).click();
    await eventually(page, () => page.textContent('#chart-title')).toBe('Store 343');
    await eventually(page, () => page.textContent('#stores tr[data-chosen="true"] td')).toBe('343');
  });

  test('brings an event about and ends it again', async () => {
    const { page } = await openPage();
    const promotion = page.getByRole('form', { name: 'Promotion' });
    await promotion.getByLabel('Where').selectOption('406');
    await promotion.getByRole('button', { name: 'Start' }).click();
    await eventually(page, () => page.textContent('#toasts')).toContain('Started: promotion');
    await eventually(page, () => page.textContent('#demo-active')).toContain('406');
    await page.getByRole('button', { name: 'Stop promotion' }).click();
    await eventually(page, () => page.textContent('#demo-active')).toBe('');
    await page.selectOption('#speed', '60');
    await eventually(page, () => page.textContent('#toasts')).toContain('60 times as fast');
  });

  test('shows how far learning has come, then begins', async () => {
    const { server, page } = await openPage({
      empty: true,
      warmStart: { done: 2190, total: 8760, what: 'hours of history' },
    });
    await eventually(page, () => page.textContent('#warm-text')).toBe('25%, hours of history');
    expect(await page.textContent('#tile-day [data-part="sold"]')).toBe('–');
    server.begin();
    await eventually(page, () => page.textContent('#tile-day [data-part="sold"]')).toMatch(/^\$/);
    await eventually(page, async () => String(await page.isVisible('#warm'))).toBe('false');
  });

  test('says what to do when there are no sales yet', async () => {
    const { page } = await openPage({ empty: true });
    await eventually(page, () => page.textContent('#banner')).toContain('POST /api/v1/transactions');
  });

  test('says that the connection is lost, and comes back by itself', async () => {
    const { server, page } = await openPage();
    await eventually(page, () => page.textContent('#link')).toBe('Live');
    const port = Number(new URL(server.url).port);
    await server.stop();
    await eventually(page, () => page.textContent('#link')).toContain('Connection lost');
    const again = await startPageServer({ port });
    closing.push(() => again.stop());
    await eventually(page, () => page.textContent('#link')).toBe('Live');
    again.advance(20 * 60_000);
    await eventually(page, () => page.textContent('#clock')).toContain('02:20 PM');
  });

  test('asks for the token where one is set, and never shows it in an address', async () => {
    const { page } = await openPage({ token: TOKEN });
    await page.fill('#token', 'wrong');
    await page.getByRole('button', { name: 'Log in' }).click();
    await eventually(page, async () => String(await page.isVisible('#wrong'))).toBe('true');
    await page.fill('#token', TOKEN);
    await page.getByRole('button', { name: 'Log in' }).click();
    await eventually(page, () => page.textContent('#tile-day [data-part="sold"]')).toMatch(/^\$/);
    expect(page.url()).not.toContain(TOKEN);
  });
});
