// `lake review` as a process, in a git repository of its own.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { inPlace, openBase } from '../cli/base';
import { ended, lake, type Ran, ROOT, spawnLake, temporaryDir } from './support/lake';
import { childrenOf, untilGone } from './support/processes';

const dir = realpathSync(temporaryDir('review-command'));
const repository = join(dir, 'repository');
const shop = join(repository, 'lakehouses', 'shop');
const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], {
    cwd: repository,
    encoding: 'utf8',
  });
const edit = (file: string, from: string, to: string) => {
  const text = readFileSync(join(shop, file), 'utf8');
  expect(text).toContain(from);
  writeFileSync(join(shop, file), text.replace(from, to));
};

beforeAll(() => {
  cpSync(join(ROOT, 'examples', 'shop'), shop, { recursive: true });
  git('init', '--quiet', '--initial-branch', 'main');
  writeFileSync(join(repository, 'package-lock.json'), '{}');
  git('add', '.');
  git('commit', '--quiet', '--message', 'base');
  mkdirSync(join(repository, 'node_modules', 'a'), { recursive: true });
  // What main has by now is no change of this branch.
  git('switch', '--quiet', '--create', 'change');
  git('switch', '--quiet', 'main');
  edit('jobs/daily_revenue.sql', '-- Orders and', '-- On main, orders and');
  git('commit', '--quiet', '--all', '--message', 'on main');
  git('switch', '--quiet', 'change');
  edit('lakehouse.ts', "    meanOrder: decimal(12, 2, 'What was paid for one, in euros and cents.'),\n", '');
  edit('jobs/customer_orders.sql', 'c.city,', 'c.cities AS city,');
  edit(
    'lakehouse.ts',
    'inputs: [customerTrusted, orderTrusted]',
    'inputs: [customerTrusted, orderTrusted, paymentLanding]',
  );
});

describe('of a change that breaks', () => {
  const comment = join(dir, 'comment.md');
  const summary = join(dir, 'summary.md');
  let ran: Ran;
  beforeAll(async () => {
    const args = ['review', '--base', 'main', '--github', '--comment', comment, '--fail-on', 'breaking'];
    ran = await lake(args, { GITHUB_STEP_SUMMARY: summary }, shop);
  });

  test('the gate fails, and the comment is the summary of the job too', () => {
    expect({ status: ran.status, stderr: ran.stderr }).toEqual({ status: 1, stderr: '' });
    expect(readFileSync(comment, 'utf8')).toMatch(/^<!-- lake review -->\n\n### 🛑 Breaking\n/);
    expect(readFileSync(summary, 'utf8')).toBe(readFileSync(comment, 'utf8'));
  });

  test('annotations stand where the fault is, by paths of the repository', () => {
    const lineOf = (file: string, text: string) =>
      readFileSync(join(shop, file), 'utf8')
        .split('\n')
        .findIndex((line) => line.includes(text)) + 1;
    const annotations = ran.stdout.trim().split('\n');
    const at = (file: string, line: number) => `file=lakehouses/shop/${file},line=${line}::`;
    expect(annotations).toContainEqual(
      expect.stringContaining(
        `::error ${at('jobs/customer_orders.sql', lineOf('jobs/customer_orders.sql', 'c.cities'))}`,
      ),
    );
    expect(annotations).toContainEqual(
      expect.stringMatching(
        new RegExp(
          `^::error ${at('lakehouse.ts', lineOf('lakehouse.ts', "name: 'daily_revenue'"))}daily_revenue\\.columns\\.meanOrder is column 4`,
        ),
      ),
    );
    expect(annotations).toContainEqual(
      expect.stringMatching(/^::warning .*the job customer_orders may now read payment_landing$/),
    );
    for (const line of annotations) expect(line).toMatch(/^::(?:error|warning) file=[^:,]+,line=\d+::/);
  });

  test('what main got since is no part of it, nor is a value of a person', () => {
    const text = readFileSync(comment, 'utf8');
    expect(text).not.toMatch(/comments or white space/);
    expect(text).not.toMatch(/@example|@[a-z]/);
  });

  test('nothing of it stays', () => {
    expect(git('worktree', 'list').trim().split('\n')).toHaveLength(1);
    expect(git('status', '--porcelain', '--untracked-files=all')).not.toMatch(/^\?\?.*lake/m);
  });
});

test('for other tools it is JSON, and a gate that nothing passes by lets it end well', async () => {
  const { status, stdout } = await lake(
    ['review', '--base', 'HEAD', '--json', '--fail-on', 'access'],
    {},
    join(ROOT, 'examples', 'shop'),
  );
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ base: 'HEAD', verdict: 'safe' });
});

test.each([
  [['--base', 'nowhere'], 'git knows no such commit'],
  [['--preview', 'dev'], 'give STACK=FILE'],
  [['--preview', 'dev=lakehouse.ts'], 'not what "pulumi preview --json" prints'],
])('%j is a wrong call', async (args, why) => {
  const { status, stderr } = await lake(['review', ...args], {}, shop);
  expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining(why) });
});

test('the base has the packages of the same lock file, and goes whole', async () => {
  const place = await inPlace(repository, async (at) => {
    const base = await openBase(shop, 'main', join(at, 'base'));
    expect(base.commit).toBe(git('merge-base', 'main', 'HEAD').trim());
    expect(existsSync(join(at, 'base', 'node_modules', 'a'))).toBe(true);
    return at;
  });
  expect(existsSync(place)).toBe(false);
  expect(existsSync(join(repository, 'node_modules', 'a'))).toBe(true);
});

test("this repository's base runs its own code", () =>
  inPlace(ROOT, async (at) => {
    const base = await openBase(ROOT, 'HEAD', join(at, 'base'));
    writeFileSync(join(at, 'base', 'cli', 'lake.js'), "process.stdout.write('another');\n");
    expect(await base.lake(['describe', '--json'])).toMatchObject({ stdout: 'another' });
  }));

describe('of a review that is cut off', () => {
  const worktrees = () => git('worktree', 'list', '--porcelain').match(/^worktree .*/gm) ?? [];

  /** Ends a review once it has a worktree; where that is. */
  async function cutOff(signal: NodeJS.Signals): Promise<string> {
    const child = spawnLake(['review', '--base', 'main'], {}, shop);
    const end = ended(child);
    while (worktrees().length < 2) await pause(20);
    const place = dirname((worktrees()[1] as string).slice('worktree '.length));
    const programs = childrenOf(child.pid);
    child.kill(signal);
    await end;
    await untilGone(programs);
    expect(child.signalCode).toBe(signal);
    return place;
  }

  test.each(['SIGINT', 'SIGTERM'] as const)('nothing stays after %s', async (signal) => {
    expect(existsSync(await cutOff(signal))).toBe(false);
    expect(worktrees()).toHaveLength(1);
  });

  test('what stays of one that is killed, the next one removes', async () => {
    const place = await cutOff('SIGKILL');
    expect(existsSync(place)).toBe(true);
    await inPlace(repository, async (next) => {
      expect(existsSync(place)).toBe(false);
      expect(worktrees()).toHaveLength(1);
      // One that goes on stays.
      await openBase(shop, 'main', join(next, 'base'));
      await inPlace(repository, async () => expect(worktrees()).toHaveLength(2));
    });
  });
});
