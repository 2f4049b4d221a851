import { appendFileSync, cpSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { catalogueOf, lakeCatalogue, NOTHING } from '../cli/docs/catalogue';
import { pageOf, pageParts } from '../cli/docs/file';
import type { Catalogue } from '../cli/docs/page/data';
import { entriesOf, search } from '../cli/docs/page/model';
import { loadProject } from '../engines/project';
import { goTo, hasBrowser, launch, openFile, violations } from './support/browser';
import { engineOf, lake, lakehouseIn, ROOT, temporaryDir } from './support/lake';

const dir = temporaryDir('docs');
const LAKE = join(dir, 'lake');
const PAGE = join(LAKE, 'docs.html');
const project = loadProject(ROOT);
let catalogue: Catalogue;

beforeAll(async () => {
  const ran = await lake(['run', '--lake', LAKE]);
  expect(ran.stdout).toContain(`npx lake docs --open --lake ${LAKE}`);
  const made = await lake(['docs', '--lake', LAKE]);
  expect(made).toMatchObject({ status: 0, stdout: expect.stringContaining(PAGE), stderr: '' });
  catalogue = await lakeCatalogue(project, engineOf(LAKE));
});

const tableOf = (name: string) => catalogue.tables.find((table) => table.name === name);

test('the page has a place for everything and 400 KB at most, and is its owner’s', () => {
  expect(statSync(PAGE).size).toBeLessThan(400 * 1024);
  expect(statSync(PAGE).mode & 0o777).toBe(0o600);
  expect(catalogue.tables.map(({ name }) => name)).toEqual([...project.definition.pipeline.tables.keys()]);
});

test('the lake runs on with the page in it', async () => {
  const ran = await lake(['run', '--lake', LAKE, '--only', 'customer_trusted']);
  expect(ran).toMatchObject({ status: 0 });
  expect(statSync(PAGE).size).toBeGreaterThan(0);
});

test('columns that hold personal data have counts, those that do not have values too', () => {
  const profile = tableOf('customer_trusted')?.profile;
  expect(Object.keys(profile?.email ?? {})).toEqual(['nulls', 'distinct']);
  expect(profile?.registrationDate).toMatchObject({ nulls: 0, least: expect.stringMatching(/^20/) });
  const sum = profile?.registrationDate?.histogram?.reduce((total, [, n]) => total + n, 0);
  expect(sum).toBe(tableOf('customer_trusted')?.published?.rows);
  // A source's rows are also of people who agreed to nothing.
  for (const column of Object.values(tableOf('customer_landing')?.profile ?? {}))
    expect(Object.keys(column)).toEqual(['nulls', 'distinct']);
  expect(Object.keys(tableOf('machine_learning_curated')?.profile?.subject ?? {})).toEqual([
    'nulls',
    'distinct',
  ]);
});

test('declared sections show the rows of their query without its personal columns', () => {
  const [flow, , ambiguous] = catalogue.sections;
  expect(flow?.rows.map(([stage]) => stage?.[0])).toEqual(['1', '2', '3', '4']);
  expect(ambiguous).toMatchObject({ hidden: ['serialNumber'] });
  expect(ambiguous?.rows.length).toBeGreaterThan(0);
  for (const row of ambiguous?.rows ?? []) expect(row).toHaveLength(ambiguous?.columns.length ?? 0);
});

test('a lake that is empty has a page, of the definition', async () => {
  const { sections, runs, tables } = await lakeCatalogue(project, engineOf(join(dir, 'nothing')));
  expect({ sections, runs }).toEqual({ sections: [], runs: [] });
  expect(tables.some(({ published }) => published)).toBe(false);
});

test('the page of the definition alone, which the program deploys, is the same each time', async () => {
  const made = async () => pageOf(await catalogueOf(project, NOTHING), await pageParts());
  const page = await made();
  expect(page).toContain('machine_learning_curated');
  expect(await made()).toBe(page);
});

test('what is wrong with a stack or a job is told, and missing in the page', async () => {
  const work = lakehouseIn(join(dir, 'faulty'));
  rmSync(join(work, 'jobs'));
  cpSync(join(ROOT, 'jobs'), join(work, 'jobs'), {
    recursive: true,
    filter: (path) => !path.includes('runner'),
  });
  appendFileSync(join(work, 'jobs', 'customers_curated.sql'), ' AND nowhere = 1');
  writeFileSync(join(work, 'Pulumi.yaml'), 'name: stedi\n');
  writeFileSync(join(work, 'Pulumi.good.yaml'), 'config: {}\n');
  writeFileSync(join(work, 'Pulumi.bad.yaml'), 'config: {"stedi:nosuch": 1}\n');
  const out = join(dir, 'faulty.html');
  const { status, stderr } = await lake(['docs', '--lake', LAKE, '--out', out], {}, work);
  expect(status).toBe(0);
  expect(stderr).toMatch(/^lake: warning: The configuration of stack bad has 1 fault:\n {2}nosuch: /);
  expect(stderr).toMatch(/\nlake: warning: the SQL of customers_curated does not bind.*\n$/);
  const page = readFileSync(out, 'utf8');
  expect(page).toMatch(/"stack":"bad","fault":"[^"]*nosuch/);
  expect(page).toMatch(/"stack":"good","total":\d/);
});

test('the search has every word that is asked for, names before texts', () => {
  const entries = entriesOf(catalogue);
  expect(search(entries, 'customer_trusted')[0]?.id).toBe('table/customer_trusted');
  expect(search(entries, 'E-mail CUSTOMER_trusted').map(({ id }) => id)).toContain(
    'table/customer_trusted/email',
  );
  expect(search(entries, 'email nosuchword')).toEqual([]);
  expect(search(entries, ' ')).toEqual([]);
});

test('what is in the data cannot become HTML', async () => {
  const evil = '</script><img src=x onerror=alert(1)>';
  const page = pageOf({ ...catalogue, description: evil, name: evil }, await pageParts());
  expect(page).not.toContain('<img');
});

(hasBrowser() ? describe : describe.skip)('in a browser without a network', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser.close());

  test('every table, job, query and run is reached, and nothing is complained of', async () => {
    const { page, complaints } = await openFile(browser, PAGE);
    const places = await page.$$eval('nav a', (links) =>
      links.map((link) => String(link.getAttribute('href')).slice(1)),
    );
    const { tables, jobs, queries } = catalogue;
    for (const [kind, all] of Object.entries({ table: tables, job: jobs, query: queries }))
      expect(places).toEqual(expect.arrayContaining(all.map(({ name }) => `${kind}/${name}`)));
    for (const place of [...places, ...catalogue.runs.map(({ runId }) => `run/${runId}`)]) {
      await goTo(page, place);
      expect(await page.title()).toContain(place.split('/')[1] ?? place);
      // Every link of every view leads somewhere.
      const links = await page.$$eval('main a', (all) =>
        all.map((link) => String(link.getAttribute('href')).slice(1)),
      );
      for (const link of new Set(links.map((id) => id.split('/').slice(0, 2).join('/'))))
        expect([...places, ...catalogue.runs.map(({ runId }) => `run/${runId}`)]).toContain(link);
    }
    await goTo(page, 'table/nosuch');
    expect(await page.textContent('main')).toContain('Nothing has this name');
    expect(complaints).toEqual([]);
  });

  test.each([
    ['light', 1300],
    ['dark', 1300],
    ['light', 400],
    ['dark', 400],
  ] as const)(
    'axe finds nothing, and nothing is wider than the window: %s, %i pixels',
    async (scheme, width) => {
      const { page } = await openFile(browser, PAGE, { scheme, width });
      const views = [
        'overview',
        'table/machine_learning_curated',
        'table/accelerometer_landing',
        'job/customer_trusted',
      ];
      for (const place of [
        ...views,
        'query/counts',
        'runs',
        `run/${catalogue.runs[0]?.runId}`,
        'costs',
        'glossary',
      ]) {
        await goTo(page, place);
        expect([place, ...(await violations(page))]).toEqual([place]);
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      }
    },
  );

  test('by the keyboard: / searches, arrows choose, Enter opens a column, whose link can be sent', async () => {
    const { page } = await openFile(browser, PAGE);
    await page.keyboard.press('/');
    await page.keyboard.type('customer_trusted email');
    await page.keyboard.press('ArrowDown');
    const chosen = await page.evaluate('document.activeElement.getAttribute("href")');
    expect(chosen).toBe('#table/customer_trusted/email');
    await page.keyboard.press('Enter');
    await page.waitForFunction('location.hash === "#table/customer_trusted/email"');
    expect(await page.textContent('tr.here')).toContain('E-mail address');
    expect(await page.isVisible('#results')).toBe(false);
  });

  test('by the keyboard: a table in the graph shows what it is made of and what is made of it', async () => {
    const { page } = await openFile(browser, PAGE);
    const dimmed = () =>
      page.$$eval('.node.dim', (nodes) =>
        nodes.map((node) => (node as unknown as { dataset: { id: string } }).dataset.id),
      );
    const drawn = (nodes: number) =>
      page.waitForFunction(`document.querySelectorAll('.node').length === ${nodes}`);
    await page.focus('.node a[href="#table/step_trainer_landing"]');
    await page.waitForSelector('.node.dim');
    expect((await dimmed()).toSorted()).toEqual(
      [
        'accelerometer_landing',
        'accelerometer_trusted',
        'customer_landing',
        'customer_trusted',
        'customers_curated',
      ].map((name) => `table/${name}`),
    );
    await page.keyboard.press('Enter');
    await page.waitForFunction('document.querySelector("h1").textContent === "step_trainer_landing"');
    // Here only what belongs together is drawn.
    await drawn(3);
    await page.keyboard.press('Tab');
    await page.click('text=larger');
    const width = () => page.$eval('.canvas svg', (svg) => Number(svg.getAttribute('width')));
    const large = await width();
    await page.click('text=smaller');
    expect(await width()).toBeLessThan(large);
    await goTo(page, 'overview');
    await page.check('[data-queries]');
    await drawn(catalogue.tables.length + catalogue.queries.length);
  });
});

test('a page of another lakehouse, which has no sections and no stack', async () => {
  const shop = loadProject(join(ROOT, 'examples', 'shop'));
  const file = join(dir, 'shop.html');
  writeFileSync(
    file,
    pageOf(await lakeCatalogue(shop, engineOf(join(dir, 'no-shop'), shop.jobs)), await pageParts()),
  );
  expect(readFileSync(file, 'utf8')).toContain('daily_revenue');
});
