// A source, a table, a job and a query come by the pages that say how, and no test has to be edited: those that look
// at the whole definition run on a copy of the project that has them.
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ended, ROOT, temporaryDir } from './support/lake';

const copy = join(temporaryDir('extend'), 'project');
const run = (command: string, ...args: string[]) =>
  ended(spawn(process.execPath, [join(copy, command), ...args], { cwd: copy, env: process.env }));

/** What a page has in a block of a language, the one that holds a text. */
function block(page: string, language: string, holds: string): string {
  const text = readFileSync(join(ROOT, 'docs', page), 'utf8');
  const blocks = [...text.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))];
  const found = blocks.find(([, code = '']) => code.includes(holds))?.[1];
  if (found === undefined) throw new Error(`docs/${page} has no ${language} with ${holds}`);
  return found;
}
const ofJob = (language: string, holds: string) => block('add-a-job.md', language, holds);
const ofTable = (language: string, holds: string) => block('add-a-table.md', language, holds);

/** The line of a zone's tables, which is taken from a page as it is printed there. */
const TABLES = /^ {2}tables: \[.*\],$/m;
const tablesIn = (text: string) => TABLES.exec(text)?.[0] ?? '';

/** Changes a file of the copy; each text has to be there. */
function edit(file: string, ...changes: readonly (readonly [from: string | RegExp, to: string])[]) {
  const path = join(copy, file);
  let text = readFileSync(path, 'utf8');
  for (const [from, to] of changes) {
    const before = text;
    text = text.replace(from, () => to);
    if (text === before) throw new Error(`${file} has no ${from}`);
  }
  writeFileSync(path, text);
}

beforeAll(() => {
  mkdirSync(copy);
  for (const entry of readdirSync(ROOT).filter((name) => !/^(?:node_modules|\..*)$/.test(name)))
    cpSync(join(ROOT, entry), join(copy, entry), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));

  edit(
    'pipeline/landing.ts',
    ['export const landing =', `${ofTable('ts', 'export const deviceLanding')}\nexport const landing =`],
    [TABLES, tablesIn(ofTable('ts', 'tables: ['))],
  );
  const zone = ofJob('ts', 'tables: [');
  const job = zone.slice(zone.indexOf('    stedi.job('), zone.lastIndexOf('  ],'));
  edit(
    'pipeline/curated.ts',
    ['import { day, expectation, ', 'import { date, day, double, expectation, int, '],
    ['export const curated =', `${ofJob('ts', 'export const dailyActivity')}\nexport const curated =`],
    [TABLES, tablesIn(zone)],
    ['\n  jobs: [\n', `\n  jobs: [\n${job}`],
  );
  writeFileSync(join(copy, 'jobs', 'daily_activity.sql'), ofJob('sql', 'FROM machine_learning_curated'));
  writeFileSync(join(copy, 'jobs', 'daily_activity.cases.yaml'), ofJob('yaml', 'cases:'));
  edit(
    'pipeline/queries.ts',
    [
      'export const consentCheck =',
      "export const busiestDays = namedQuery('busiest_days', {\n  day: date('The day.'),\n  readings: int('Its training rows.'),\n});\n\nexport const consentCheck =",
    ],
    ['= [\n', '= [\n  busiestDays,\n'],
  );
  writeFileSync(join(copy, 'queries', 'busiest_days.sql'), ofJob('sql', 'FROM daily_activity'));
});

test('lake check takes them, and a run makes the table', async () => {
  const checked = await run('cli/lake.js', 'check');
  expect([checked.status, checked.stderr]).toEqual([0, '']);
  const lake = join(copy, 'lake');
  expect(await run('cli/lake.js', 'run', '--lake', lake)).toMatchObject({ status: 0 });
  const { stdout } = await run('cli/lake.js', 'query', 'busiest_days', '--lake', lake, '--format', 'json');
  expect(JSON.parse(stdout)[0]).toEqual({
    day: expect.stringMatching(/^\d{4}-/),
    readings: expect.any(Number),
  });
});

test('a run reads the files of the new source, and stops where it has none', async () => {
  const data = join(copy, 'data');
  expect(await run('cli/lake.js', 'sample', '--out', data, '--customers', '20')).toMatchObject({ status: 0 });
  const landing = join(data, 'device', 'landing');
  rmSync(landing, { recursive: true, force: true });
  const lake = join(copy, 'lake-of-files');
  expect(await run('cli/lake.js', 'run', '--data', data, '--lake', lake)).toMatchObject({
    status: 1,
    stderr: expect.stringContaining(`device_landing: no file in ${landing}`),
  });
  mkdirSync(landing, { recursive: true });
  writeFileSync(join(landing, 'devices.json'), ofTable('json', '"serial"'));
  const { status, stdout } = await run('cli/lake.js', 'run', '--data', data, '--lake', lake, '--json');
  expect(status).toBe(0);
  expect(JSON.parse(stdout).tables).toContainEqual(
    expect.objectContaining({ table: 'device_landing', read: 1, quarantined: 0, written: 1 }),
  );
});

test('the tests of resources, costs, the catalog and the queries pass as they are', async () => {
  const suites = [
    'components/lakehouse',
    'cost',
    'cli/cost',
    'engines/cases',
    'engines/lineage',
    'engines/aws/catalog-drift',
    'tests/queries',
  ];
  const { status, stderr } = await run('node_modules/jest/bin/jest.js', '--maxWorkers=1', ...suites);
  if (status !== 0) throw new Error(stderr);
});
