// A table, a job and a query come by the pages that say how, and no test has to be edited: those that look at the
// whole definition run on a copy of the project that has them.
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ended, ROOT, temporaryDir } from './support/lake';

const copy = join(temporaryDir('extend'), 'project');
const run = (command: string, ...args: string[]) =>
  ended(spawn(process.execPath, [join(copy, command), ...args], { cwd: copy, env: process.env }));

const PAGE = readFileSync(join(ROOT, 'docs', 'add-a-job.md'), 'utf8');
/** What the page has in a block of a language, the one that holds a text. */
function block(language: string, holds: string): string {
  const blocks = [...PAGE.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))];
  const found = blocks.find(([, text = '']) => text.includes(holds))?.[1];
  if (found === undefined) throw new Error(`docs/add-a-job.md has no ${language} with ${holds}`);
  return found;
}

/** Changes a file of the copy; each text has to be there. */
function edit(file: string, ...changes: readonly (readonly [from: string, to: string])[]) {
  const path = join(copy, file);
  let text = readFileSync(path, 'utf8');
  for (const [from, to] of changes) {
    if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
    text = text.replace(from, () => to);
  }
  writeFileSync(path, text);
}

beforeAll(() => {
  mkdirSync(copy);
  for (const entry of readdirSync(ROOT).filter((name) => !/^(?:node_modules|\..*)$/.test(name)))
    cpSync(join(ROOT, entry), join(copy, entry), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));

  const zone = block('ts', 'tables: [machineLearningCurated, dailyActivity]');
  const job = zone.slice(zone.indexOf('    stedi.job('), zone.lastIndexOf('  ],'));
  edit(
    'pipeline/curated.ts',
    ['import { day, expectation, ', 'import { date, day, double, expectation, int, '],
    ['export const curated =', `${block('ts', 'export const dailyActivity')}\nexport const curated =`],
    ['machineLearningCurated],\n  jobs: [', `machineLearningCurated, dailyActivity],\n  jobs: [\n${job}`],
  );
  writeFileSync(join(copy, 'jobs', 'daily_activity.sql'), block('sql', 'FROM machine_learning_curated'));
  writeFileSync(join(copy, 'jobs', 'daily_activity.cases.yaml'), block('yaml', 'cases:'));
  edit(
    'pipeline/queries.ts',
    [
      'export const consentCheck =',
      "export const busiestDays = namedQuery('busiest_days', {\n  day: date('The day.'),\n  readings: int('Its training rows.'),\n});\n\nexport const consentCheck =",
    ],
    ['= [\n', '= [\n  busiestDays,\n'],
  );
  writeFileSync(
    join(copy, 'queries', 'busiest_days.sql'),
    '-- The days with the most training rows.\nSELECT t.day AS day, t.readings AS readings FROM daily_activity t ORDER BY t.readings DESC, t.day\n',
  );
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

test('the tests of resources, costs, the catalog and the queries pass as they are', async () => {
  const suites = [
    'components/lakehouse',
    'cost',
    'cli/cost',
    'engines/cases',
    'engines/aws/catalog-drift',
    'tests/queries',
  ];
  const { status, stderr } = await run('node_modules/jest/bin/jest.js', '--maxWorkers=1', ...suites);
  if (status !== 0) throw new Error(stderr);
});
