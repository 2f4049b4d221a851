// What a stranger does who has nothing but the package: from an empty folder to a query on own tables and a preview.
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ended, type Ran, ROOT, temporaryDir } from './support/lake';
import { PSEUDONYM_KEY, stackIn, withPulumi } from './support/pulumi';

const dir = temporaryDir('package');
const home = join(dir, 'home');
const shop = join(home, 'shop');

function inFolder(cwd: string, command: string, ...args: readonly string[]): Promise<Ran> {
  // npm tells its scripts of the project that runs them, which is this one.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
  return ended(spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] }));
}

async function succeed(cwd: string, command: string, ...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await inFolder(cwd, command, ...args);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`);
  return stdout;
}

/** What the page has in blocks of a language, in its order. */
const PAGE = readFileSync(join(ROOT, 'docs', 'your-own.md'), 'utf8');
const blocks = (language: string) =>
  [...PAGE.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    ([, code = '']) => code,
  );
const [install = '', first = '', further = ''] = blocks('sh');

const shell = (cwd: string, commands: string) => succeed(cwd, 'bash', '-euc', commands);

beforeAll(async () => {
  mkdirSync(home);
  await succeed(ROOT, 'npm', 'pack', '--silent', '--pack-destination', home);
  await shell(home, install.replaceAll('npm install', 'npm install --prefer-offline --no-audit --no-fund'));
});

test('what it has is of no lakehouse, and no test', async () => {
  const files = readdirSync(join(home, 'node_modules', 'typed-lakehouse'), { recursive: true }).map(String);
  expect(files.filter((file) => /\.test\.|arbitraries|stedi|customer_trusted/.test(file))).toEqual([]);
});

test('the lakehouse that it makes is checked, tested, run and asked', async () => {
  const printed = await shell(shop, first);
  expect(printed).toMatch(/^order_trusted: \d+ cases, 0 failed$/m);
  expect(printed).toMatch(/^Published run /m);
  expect(printed).toMatch(/^\(10 rows\)$/m);
});

test('a table of its own comes as the page says', async () => {
  const [table = '', entries = ''] = blocks('ts');
  const file = join(shop, 'lakehouse.ts');
  const text = readFileSync(file, 'utf8');
  const [before = '', after = ''] = text.split('export default');
  const [start = '', rest = ''] = after.split(/^ {6}tables: \[dailyRevenue\],\n {6}jobs: \[\n/m);
  expect(rest).not.toBe('');
  writeFileSync(file, `${before}${table}\nexport default${start}${entries}${rest}`);
  writeFileSync(join(shop, 'jobs', 'customer_revenue.sql'), blocks('sql').join(''));
  writeFileSync(join(shop, 'jobs', 'customer_revenue.cases.yaml'), blocks('yaml').join(''));
  expect(await shell(shop, further)).toMatch(/^\(3 rows\)$/m);
});

test('a case that no longer holds is named with its rows', async () => {
  const file = join(shop, 'jobs', 'daily_revenue.cases.yaml');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace('revenue: 20 ', 'revenue: 21 '));
  const { status, stdout, stderr } = await inFolder(shop, 'npx', '--no-install', 'lake', 'test');
  writeFileSync(file, text);
  expect({ status, stdout }).toEqual({
    status: 1,
    stdout: expect.stringMatching(/^daily_revenue: 3 cases, 1 failed$/m),
  });
  expect(stderr).toMatch(/daily_revenue\.cases\.yaml: adds up the orders of a day\n +missing .*"revenue":21/);
  expect(stderr).toMatch(/^ +unexpected .*"revenue":20/m);
});

test('its types say what a definition may be', async () => {
  const tsc = ['--project', shop, '--types', 'node', '--typeRoots', join(ROOT, 'node_modules', '@types')];
  const program = join(ROOT, 'node_modules', 'typescript-7', 'bin', 'tsc');
  const text = readFileSync(join(shop, 'lakehouse.ts'), 'utf8');
  const wrong = join(shop, 'wrong.ts');
  writeFileSync(wrong, text.replace("keys: [['day']]", "keys: [['dya']]"));
  const { status, stdout } = await inFolder(shop, process.execPath, program, ...tsc);
  rmSync(wrong);
  expect({ status, stdout }).toEqual({
    status: 1,
    stdout: expect.stringMatching(/^wrong\.ts.*"dya"' is not assignable/),
  });
  // Of the lakehouse itself nothing.
  expect(stdout.match(/error TS/g)).toHaveLength(1);
});

test('no file is written over', async () => {
  const { status, stderr } = await inFolder(home, 'npx', '--no-install', 'lake', 'init', 'shop');
  expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining('shop/lakehouse.ts') });
});

withPulumi('on the real engine', () => {
  test.each([
    ['what lake init made', shop],
    ['the shop of the docs', join(ROOT, 'examples', 'shop')],
  ])('%s is deployed by its rules, and has no changes afterwards', async (_, program) => {
    const stack = await stackIn({
      program,
      modules: join(shop, 'node_modules'),
      secrets: { pseudonymKey: PSEUDONYM_KEY },
    });
    const { status, stdout, stderr, violations } = await stack.up({ policyPack: join(shop, 'policy') });
    if (status !== 0) throw new Error(stdout + stderr);
    expect(violations).toEqual([]);
    expect(await stack.preview({ expectNoChanges: true })).toMatchObject({ status: 0 });
    const { jobs } = await stack.outputs();
    expect(jobs).toMatchObject({ daily_revenue: 'shop-dev-daily_revenue' });
  });
});
