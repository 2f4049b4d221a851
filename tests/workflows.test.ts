import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { CLI_VERSION, NOT_DEPLOYED, PROJECT } from '../deployments/deployments-of';
import { STACKS } from '../deployments/settings';

interface Step {
  readonly id?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly env?: Record<string, unknown>;
  readonly with?: Record<string, unknown>;
}
interface Job {
  readonly needs?: string;
  readonly if?: string;
  readonly environment?: string;
  readonly permissions?: Record<string, string>;
  readonly concurrency?: unknown;
  readonly strategy?: { readonly 'fail-fast': boolean; readonly matrix: { readonly include: unknown } };
  readonly 'timeout-minutes'?: number;
  readonly steps: readonly Step[];
}
interface Workflow {
  readonly on: Record<string, unknown>;
  readonly permissions: unknown;
  readonly concurrency?: unknown;
  readonly jobs: Record<string, Job>;
}

const ROOT = join(__dirname, '..');
const FOLDER = join(ROOT, '.github/workflows');
const FILES = readdirSync(FOLDER);
const textOf = (file: string) => readFileSync(join(FOLDER, file), 'utf8');
const load = (file: string): Workflow => parse(textOf(file));

const preview = load('preview.yml');
const deploy = load('deploy.yml');
const cloud = [preview.jobs.preview, deploy.jobs.dev, deploy.jobs.prod].map((job) => present(job));

/** GitHub's spelling of an expression. */
const expression = (text: string) => `\${{ ${text} }}`;

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('missing in the workflow');
  return value;
}

/** The one step of a job that uses an action. */
function step(job: Job, action: string): Step {
  const steps = job.steps.filter(({ uses }) => uses?.startsWith(`${action}@`));
  expect(steps).toHaveLength(1);
  return present(steps[0]);
}

const jobsOf = (file: string) => Object.entries(load(file).jobs).map(([name, job]) => ({ file, name, job }));
const ALL_JOBS = FILES.flatMap(jobsOf);

describe('all workflows', () => {
  test.each(ALL_JOBS)('$file: $name ends by itself', ({ job }) => {
    expect(job['timeout-minutes']).toBeGreaterThan(0);
    // GitHub's own end of a job is after six hours.
    expect(job['timeout-minutes']).toBeLessThan(360);
  });

  test.each(ALL_JOBS)('$file: $name uses actions of one release each, and that of all others', ({ job }) => {
    const uses = job.steps.flatMap((step) => step.uses ?? []);
    expect(uses.length).toBeGreaterThan(0);
    for (const action of uses) {
      expect(action).toMatch(/^[\w-]+\/[\w-]+@v\d+\.\d+\.\d+$/);
      const [name] = action.split('@');
      const everywhere = ALL_JOBS.flatMap((one) => one.job.steps.flatMap((step) => step.uses ?? []));
      expect(new Set(everywhere.filter((one) => one.startsWith(`${name}@`)))).toEqual(new Set([action]));
    }
  });

  test.each(ALL_JOBS)('$file: $name asks for no token where scripts of packages run', ({ file, job }) => {
    const { permissions } = load(file);
    const rights = job.permissions ?? permissions;
    // `write-all`, or no word of it, may be more.
    expect(typeof rights).toBe('object');
    if ((rights as Record<string, string>)['id-token'] !== 'write') return;
    const scripts = job.steps.flatMap(({ run }) => run ?? []).join('\n');
    const installs = scripts.match(/\b(?:npm|npx|yarn|pnpm|pip)\b.*/g) ?? [];
    expect(installs.filter((one) => one !== 'npm ci --ignore-scripts')).toEqual([]);
  });

  test('Dependabot looks after the actions and the packages', () => {
    const { updates } = parse(readFileSync(join(ROOT, '.github/dependabot.yml'), 'utf8'));
    const kept = updates.map((one: Record<string, string>) => `${one['package-ecosystem']} ${one.directory}`);
    expect(kept).toEqual(expect.arrayContaining(['github-actions /', 'npm /', 'pip /']));
  });

  test.each(FILES)("%s runs no stranger's code with this repository's rights", (file) => {
    const { on } = load(file);
    expect(
      Object.keys(on).filter(
        (event) => !['push', 'pull_request', 'schedule', 'workflow_dispatch'].includes(event),
      ),
    ).toEqual([]);
  });

  // No workflow has a secret: all credentials come from OIDC, and the token of the run is an action's default.
  test.each(FILES)('%s names no secret and prints no credential', (file) => {
    expect(textOf(file)).not.toMatch(/secrets\s*[.[]|github\.token|GITHUB_TOKEN/);
    const scripts = jobsOf(file).flatMap(({ job }) => job.steps.flatMap(({ run }) => run ?? []));
    // A value of the event put into a script would be run as code; `env` passes it as data.
    for (const script of scripts)
      expect(script).not.toMatch(/\$\{\{|ACCESS_TOKEN|AWS_|^\s*(env|printenv|export|set)\b/m);
  });
});

test('the long random runs have a time of their own, and no push waits for them', () => {
  const soak = load('soak.yml');
  expect(soak.on).toMatchObject({ schedule: [{ cron: expect.any(String) }] });
  expect(soak.on).not.toHaveProperty('push');
  expect(Object.values(soak.jobs).flatMap(({ steps }) => steps.map(({ run }) => run))).toContain(
    'npm run test:soak',
  );
});

describe('what previews and deployments share', () => {
  test('only the rights that a job needs', () => {
    expect([preview.permissions, deploy.permissions]).toEqual([{}, {}]);
    expect(cloud.map(({ permissions }) => permissions)).toEqual([
      { contents: 'read', 'id-token': 'write', 'pull-requests': 'write' },
      { contents: 'read', 'id-token': 'write' },
      { contents: 'read', 'id-token': 'write' },
    ]);
  });

  test('steps in this order: credentials come last', () => {
    for (const { steps } of cloud)
      expect(steps.map(({ uses, run, id }) => uses?.split('@')[0] ?? id ?? run)).toEqual([
        'actions/checkout',
        'actions/setup-node',
        'npm ci --ignore-scripts',
        'config',
        'aws-actions/configure-aws-credentials',
        'pulumi/auth-actions',
        'pulumi/actions',
      ]);
  });

  test('a checkout leaves no token behind, and Node comes with the cache', () => {
    for (const job of cloud) {
      expect(step(job, 'actions/checkout').with).toEqual({ 'persist-credentials': false });
      expect(step(job, 'actions/setup-node').with).toEqual({ 'node-version': 24, cache: 'npm' });
    }
  });

  test('roles come from variables of the repository, the region from the stack', () => {
    const inputs = cloud.map((job) => step(job, 'aws-actions/configure-aws-credentials').with);
    const roleOf = (role: string, session: string) => ({
      'role-to-assume': expression(role),
      'role-session-name': `${PROJECT}-${session}-${expression('github.run_id')}`,
      'aws-region': expression('steps.config.outputs.region'),
    });
    expect(inputs).toEqual([
      roleOf('matrix.role', `${expression('matrix.stack')}-preview`),
      roleOf('vars.AWS_DEV_DEPLOY_ROLE_ARN', 'dev-deploy'),
      roleOf('vars.AWS_PROD_DEPLOY_ROLE_ARN', 'prod-deploy'),
    ]);
    expect(cloud.map(({ steps }) => steps.find(({ id }) => id === 'config')?.env)).toEqual([
      { STACK: expression('matrix.stack') },
      { STACK: 'dev' },
      { STACK: 'prod' },
    ]);
  });

  test('Pulumi Cloud is asked by OIDC', () => {
    for (const job of cloud)
      expect(step(job, 'pulumi/auth-actions').with).toEqual({
        organization: expression('vars.PULUMI_ORG'),
        'requested-token-type': 'urn:pulumi:token-type:access_token:organization',
      });
  });

  test('every step of Pulumi has the policy pack and the same CLI as Pulumi Deployments', () => {
    const steps = ALL_JOBS.flatMap(({ job }) => job.steps).filter(({ uses }) =>
      uses?.startsWith('pulumi/actions@'),
    );
    // The tests' own step installs the CLI, and asks nobody for anything.
    const [operating, installing] = [true, false].map((operates) =>
      steps.filter(({ with: inputs }) => (inputs?.command !== undefined) === operates),
    );
    expect(operating).toHaveLength(cloud.length);
    for (const { with: inputs } of operating ?? [])
      expect(inputs).toMatchObject({ policyPacks: 'policy', 'pulumi-version': CLI_VERSION, diff: true });
    expect(installing).not.toEqual([]);
    for (const { with: inputs } of installing ?? [])
      expect(inputs).toEqual({ 'pulumi-version': CLI_VERSION });
  });
});

describe('the step that reads the region', () => {
  const [script, ...others] = new Set(cloud.map(({ steps }) => steps.find(({ id }) => id === 'config')?.run));

  /** Runs the script on a stack's file; `require` finds the packages through NODE_PATH, as the folder has none. */
  function run(stackFile: string): string {
    const folder = mkdtempSync(join(tmpdir(), 'region-'));
    try {
      writeFileSync(join(folder, 'Pulumi.dev.yaml'), stackFile);
      const output = join(folder, 'output');
      execFileSync('bash', ['-e', '-c', present(script)], {
        cwd: folder,
        env: { ...process.env, NODE_PATH: join(ROOT, 'node_modules'), STACK: 'dev', GITHUB_OUTPUT: output },
        encoding: 'utf8',
        stdio: 'pipe',
      });
      return readFileSync(output, 'utf8');
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  test('is the same in all jobs', () => expect(others).toEqual([]));

  test("takes the stack's", () =>
    expect(run('config:\n  aws:region: "eu-central-1" # here\n')).toBe('region=eu-central-1\n'));

  test.each(['config:\n  other: 1\n', '{}\n'])('stops without one: %j', (file) => {
    expect(() => run(file)).toThrow(
      expect.objectContaining({ stdout: '::error::Pulumi.dev.yaml has no aws:region; set it\n' }),
    );
  });

  const stackFile = (stack: string) => join(ROOT, `Pulumi.${stack}.yaml`);
  test.each(STACKS)('finds one in Pulumi.%s.yaml', (stack) => {
    expect(run(readFileSync(stackFile(stack), 'utf8'))).toMatch(/^region=[a-z]+-[a-z-]+-\d\n$/);
  });
});

describe('preview', () => {
  const job = present(cloud[0]);

  test('runs for every pull request of this repository, and for no fork', () => {
    // No filter by path: a required check that never starts would keep a pull request from being merged.
    expect(preview.on).toEqual({ pull_request: null });
    expect(Object.keys(preview.jobs)).toEqual(['preview']);
    expect(job.if).toBe(
      "github.event.pull_request.head.repo.full_name == github.repository && vars.PULUMI_ORG != ''",
    );
  });

  test('shows every stack, each with a role that is not the one that deploys', () => {
    expect(job.strategy).toEqual({
      'fail-fast': false,
      matrix: {
        include: STACKS.map((stack) => ({
          stack,
          role: expression(`vars.AWS_${stack.toUpperCase()}_PREVIEW_ROLE_ARN`),
        })),
      },
    });
  });

  test('only previews, and comments with the diff', () => {
    expect(step(job, 'pulumi/actions').with).toEqual({
      command: 'preview',
      'stack-name': `${expression('vars.PULUMI_ORG')}/${PROJECT}/${expression('matrix.stack')}`,
      'pulumi-version': CLI_VERSION,
      policyPacks: 'policy',
      diff: true,
      'comment-on-pr': true,
      'edit-pr-comment': true,
      'always-include-summary': true,
      'suppress-progress': true,
    });
  });

  test('a newer push ends the older preview', () => {
    expect(preview.concurrency).toEqual({
      group: `preview-${expression('github.event.pull_request.number')}`,
      'cancel-in-progress': true,
    });
  });
});

describe('deploy', () => {
  const { dev, prod } = deploy.jobs;

  test('runs for main alone, and ignores what Pulumi Deployments ignores', () => {
    expect(deploy.on).toEqual({ push: { branches: ['main'], 'paths-ignore': NOT_DEPLOYED } });
  });

  test('rests where Pulumi Deployments deploys', () => {
    expect(Object.values(deploy.jobs).map((job) => job.if)).toEqual(
      Array(2).fill("vars.DEPLOY_WITH == 'actions'"),
    );
  });

  test('prod comes after dev, and behind its environment', () => {
    expect(Object.keys(deploy.jobs)).toEqual(['dev', 'prod']);
    expect({ needs: dev?.needs, environment: dev?.environment }).toEqual({});
    expect({ needs: prod?.needs, environment: prod?.environment }).toEqual({
      needs: 'dev',
      environment: 'prod',
    });
  });

  test('no update is killed, and prod does not hold up dev', () => {
    expect(deploy.concurrency).toBeUndefined();
    expect([dev?.concurrency, prod?.concurrency]).toEqual(
      STACKS.map((stack) => ({ group: `deploy-${stack}`, 'cancel-in-progress': false })),
    );
  });

  test.each(STACKS)('%s is updated', (stack) => {
    expect(step(present(deploy.jobs[stack]), 'pulumi/actions').with).toEqual({
      command: 'up',
      'stack-name': `${expression('vars.PULUMI_ORG')}/${PROJECT}/${stack}`,
      'pulumi-version': CLI_VERSION,
      policyPacks: 'policy',
      diff: true,
      'comment-on-summary': true,
      'suppress-progress': true,
    });
  });
});

const project = join(ROOT, 'Pulumi.yaml');
test('all speak of the same project', () => {
  expect(parse(readFileSync(project, 'utf8')).name).toBe(PROJECT);
});
