// The flowcharts of reviews, drawn by Mermaid in Chromium without a network.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import type { Description } from '../review/description';
import { lineageSection } from '../review/lineage';
import { lineOf } from '../review/text';
import { hasBrowser, launch } from './support/browser';
import { described, HOSTILE, job, table } from './support/descriptions';
import { ROOT } from './support/lake';

const chartOf = (base: Description, head: Description) => lineageSection(base, head).chart as string;

/** A table of each name, of which the first is what the others are made from. */
const star = (names: readonly string[]) => {
  const [first = '', ...others] = names;
  const jobs = Object.fromEntries(others.map((name) => [name, job({ inputs: [first] })]));
  return chartOf(
    described({ tables: {} }),
    described({ tables: Object.fromEntries(names.map((name) => [name, table()])), jobs }),
  );
};

/** Of comments that tests/review.test.ts holds. */
const ofShop = [
  ...readFileSync(join(ROOT, 'tests', '__snapshots__', 'review.test.ts.snap'), 'utf8')
    .replaceAll('\\`', '`')
    .matchAll(/^exports\[`(.*) 1`\]|^```mermaid\n([^`]+)\n```$/gm),
].reduce<[name: string, chart: string][]>((charts, [, name, chart]) => {
  if (name !== undefined) charts.push([name, '']);
  else (charts.at(-1) as [string, string])[1] = chart as string;
  return charts;
}, []);

(hasBrowser() ? describe : describe.skip)('Mermaid draws', () => {
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  beforeAll(async () => {
    browser = await launch();
    page = await (
      await browser.newContext({ offline: true, viewport: { width: 1300, height: 900 } })
    ).newPage();
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => complaints.push(`asked for ${request.url()}`));
    await page.addScriptTag({ path: require.resolve('mermaid/dist/mermaid.min.js') });
  });
  afterAll(() => browser.close());

  /** Labels of the nodes, and how many edges there are. */
  const drawn = (chart: string) =>
    page.evaluate(`(async () => {
      mermaid.initialize({ startOnLoad: false });
      const { svg } = await mermaid.render('chart', ${JSON.stringify(chart)});
      document.body.innerHTML = svg;
      const all = (what) => [...document.querySelectorAll(what)];
      return {
        labels: all('.nodeLabel').map((label) => label.textContent.trim()),
        edges: all('path.flowchart-link').length,
        foreign: all('svg :is(script, a, img, iframe)').length,
      };
    })()`) as Promise<{ labels: string[]; edges: number; foreign: number }>;

  test.each(ofShop.filter(([, chart]) => chart !== ''))('%s', async (_name, chart) => {
    const { labels, edges } = await drawn(chart);
    expect(labels).toEqual([...chart.matchAll(/^ {2}n\d+[[(]"(.*)"/gm)].map(([, name]) => name));
    expect(edges).toBe(chart.match(/ --> /g)?.length ?? 0);
  });

  test('names of any kind, as they are', async () => {
    const { labels, edges, foreign } = await drawn(star(HOSTILE));
    expect({ edges, foreign }).toEqual({ edges: HOSTILE.length - 1, foreign: 0 });
    expect(labels).toEqual(HOSTILE.map((name) => lineOf(name, 100).trim()));
  });

  test('as many edges as a review shows', async () => {
    const names = Array.from({ length: 501 }, (_, i) => `table_${i}`);
    expect((await drawn(star(names))).edges).toBe(500);
  });

  test('and is heard of nothing else', () => expect(complaints).toEqual([]));
});
