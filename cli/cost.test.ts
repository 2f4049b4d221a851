import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lake, lakehouseIn, type Ran, temporaryDir } from '../tests/support/lake';

const dir = temporaryDir('cost');

/** This lakehouse, with Pulumi's files of its own. */
function project(name: string, files: Readonly<Record<string, string>>): string {
  const root = lakehouseIn(join(dir, name));
  for (const [file, text] of Object.entries(files)) writeFileSync(join(root, file), text);
  return root;
}

const cost = (root: string, ...args: string[]): Promise<Ran> =>
  lake(['cost', ...args], { FORCE_COLOR: '0' }, root);

const good = project('good', {
  'Pulumi.yaml': 'name: shop\nruntime: nodejs\n',
  'Pulumi.dev.yaml': 'config:\n  aws:region: us-east-1\n',
  'Pulumi.prod.yaml': `encryptionsalt: v1:abc
config:
  aws:region: eu-central-1
  aws:profile: of no matter
  other:encryption: of no matter
  shop:pseudonymKey:
    secure: v1:cipher
  shop:encryption: kms
  shop:start: cron(0 3 * * ? *)
  shop:zones:
    curated:
      oldVersionDays: 90
  shop:jobs:
    maxWorkers: 5
  shop:network: {}
  shop:auditTrail: true
  shop:alerts:
    email:
      secure: v1:cipher
`,
  'Pulumi.empty.yaml': '',
  'Pulumi.bad.yaml': 'config:\n  shop:encryption: rot13\n  shop:zones:\n    attic: {}\n',
  'Pulumi.broken.yaml': 'config: {\n  canary: [',
  'Pulumi.list.yaml': '- config\n',
  'Pulumi.word.yaml': 'config: word\n',
});

test('prints a line of each class, the total, and what it assumes', async () => {
  const { status, stdout, stderr } = await cost(good, '--stack', 'prod');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const [first, blank, header, ...rest] = stdout.split('\n');
  expect(first).toMatch(/^shop-prod by the prices of us-east-1 of \d{4}-\d\d-\d\d:$/);
  expect(blank).toBe('');
  expect(header).toMatch(/^class +a month +USD$/);
  const end = rest.indexOf('');
  // What stands there is worked out in cost/estimate.test.ts.
  const usd = expect.stringMatching(/^(?:< 1|\d+)$/);
  const lines = rest.slice(0, end).map((line) => line.split(/ {2,}/));
  expect(lines).toEqual([
    ['Glue jobs', expect.stringMatching(/^31 runs of \d+ jobs, [\d.]+ DPU-hours$/), usd],
    ['Glue crawler', '1 crawl, 0.33 DPU-hours', '< 1'],
    ['Table optimizers', expect.stringMatching(/^\d+ tables, [\d.]+ DPU-hours$/), usd],
    ['Athena', '200 queries, 20 GB scanned', '< 1'],
    ...['S3 storage', 'S3 requests', 'CloudWatch logs', 'CloudWatch metrics', 'CloudWatch alarms'].map(
      (name) => [name, expect.any(String), usd],
    ),
    ['SNS e-mails', '10 e-mails', '0'],
    ...['Secrets Manager', 'KMS', 'VPC endpoints', 'CloudTrail'].map((name) => [
      name,
      expect.any(String),
      usd,
    ]),
    ['total', usd],
  ]);
  const assumptions = rest.slice(end + 1, -1);
  expect(assumptions[0]).toMatch(/^- The stack is in eu-central-1, and these are prices of us-east-1/);
  expect(assumptions.every((line) => line.startsWith('- '))).toBe(true);
});

test('prints JSON, and nothing else', async () => {
  const { status, stdout, stderr } = await cost(
    good,
    '--stack',
    'dev',
    '--json',
    '--runs',
    '10',
    '--landing-gb',
    '0.5',
    '--queries',
    '0',
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const found = JSON.parse(stdout);
  expect(Object.keys(found)).toEqual(['stack', 'lines', 'total', 'prices', 'assumptions', 'usage']);
  expect(found.usage).toMatchObject({ runs: 10, landingGigabytes: 0.5, queries: 0 });
  expect(found.lines[0]).toEqual({
    class: 'Glue jobs',
    what: expect.stringMatching(/^10 runs of /),
    monthly: expect.any(Number),
  });
  expect(found.lines.find((line: { class: string }) => line.class === 'Athena').monthly).toBe(0);
});

test('a stack without configuration has the defaults', async () => {
  const { status, stdout } = await cost(good, '--stack', 'empty');
  expect(status).toBe(0);
  expect(stdout).toContain('\n- The stack names no region, ');
});

const STACKS = 'bad, broken, dev, empty, list, prod, word';
test.each([
  [
    ['--stack', 'nosuch'],
    2,
    `lake: no stack "nosuch", as there is no Pulumi.nosuch.yaml; there are ${STACKS}\n`,
  ],
  [['--stack', '../good/Pulumi'], 2, /^lake: no stack "..\/good\/Pulumi"/],
  [
    ['--stack', 'prod', '--runs', '3'],
    2,
    /^lake: --runs is for a stack without a schedule; this one runs by cron/,
  ],
  [[], 2, /required option '--stack <name>'/],
  [['--stack', 'dev', '--runs', '-1'], 2, /whole number from 0/],
  [['--stack', 'dev', '--queries', 'x'], 2, /whole number from 0/],
  [['--stack', 'dev', '--landing-gb', '-1'], 2, /number of gigabytes/],
  [['--stack', 'dev', '--landing-gb', 'Infinity'], 2, /number of gigabytes/],
  [
    ['--stack', 'bad'],
    1,
    /^lake: The configuration of stack bad has 2 faults:\n {2}encryption: is "rot13".*\n {2}zones.attic: is no setting/,
  ],
  [['--stack', 'broken'], 1, /^lake: Pulumi\.broken\.yaml: .*at line \d+(?!.*canary)/],
  [['--stack', 'list'], 1, 'lake: Pulumi.list.yaml: is no group of keys and values\n'],
  [['--stack', 'word'], 1, 'lake: Pulumi.word.yaml: config is no group of settings\n'],
])('%j ends with %i', async (args, status, said) => {
  const ran = await cost(good, ...args);
  expect({ status: ran.status, stdout: ran.stdout }).toEqual({ status, stdout: '' });
  if (typeof said === 'string') expect(ran.stderr).toBe(said);
  else expect(ran.stderr).toMatch(said);
});

test('says where Pulumi’s files are missing', async () => {
  const none = project('none', {});
  const alone = project('alone', { 'Pulumi.dev.yaml': '' });
  const nameless = project('nameless', { 'Pulumi.dev.yaml': '', 'Pulumi.yaml': 'runtime: nodejs\n' });
  expect(await cost(none, '--stack', 'dev')).toEqual({
    status: 2,
    stdout: '',
    stderr: 'lake: no stack "dev", as there is no Pulumi.dev.yaml; there is none\n',
  });
  const { status, stderr } = await cost(alone, '--stack', 'dev');
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: expect.stringMatching(/^lake: open .*Pulumi\.yaml failed with ENOENT/),
  });
  expect((await cost(nameless, '--stack', 'dev')).stderr).toBe(
    "lake: Pulumi.yaml: has no name; it is the project's\n",
  );
});
