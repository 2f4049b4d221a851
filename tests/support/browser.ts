// Chromium, to open pages from disk with no network.
import { existsSync, readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
);
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** Whether there is a Chromium; if not, it is said. */
export function hasBrowser(): boolean {
  if (CHROMIUM !== undefined) return true;
  const reason = 'there is no Chromium; on Debian and Ubuntu: sudo apt install chromium';
  process.stderr.write(`tests in a browser are skipped: ${reason}\n`);
  return false;
}

/** Without its sandbox, which root may not use. */
export const launch = (): Promise<Browser> =>
  chromium.launch({ executablePath: CHROMIUM as string, args: ['--no-sandbox'] });

export interface Opened {
  readonly page: Page;
  /** What the console was told, and what the page asked for besides itself. */
  readonly complaints: string[];
}

/** Opens a file with the network off. */
export async function openFile(
  browser: Browser,
  file: string,
  { scheme = 'light', width = 1300 }: { readonly scheme?: 'light' | 'dark'; readonly width?: number } = {},
): Promise<Opened> {
  const context = await browser.newContext({
    colorScheme: scheme,
    viewport: { width, height: 900 },
    offline: true,
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  const url = pathToFileURL(file).href;
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    if (request.url().replace(/#.*/, '') !== url) complaints.push(`asked for ${request.url()}`);
  });
  await page.goto(url);
  await page.evaluate(AXE);
  return { page, complaints };
}

/** Goes to a place in the page. */
export async function goTo(page: Page, id: string): Promise<void> {
  await page.evaluate((hash) => {
    (globalThis as unknown as { location: { hash: string } }).location.hash = hash;
  }, id);
  // A browser tells of a new address a little later.
  await page.waitForFunction(`document.querySelector('main').dataset.place === ${JSON.stringify(id)}`);
}

/** What axe finds, each with an element that has it. */
export const violations = (page: Page): Promise<string[]> =>
  page.evaluate(`axe.run().then(({ violations }) => violations.map((v) => v.id + ': ' + v.nodes[0].html))`);
