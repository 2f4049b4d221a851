import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { strToU8, zipSync } from 'fflate';
import { parse } from 'yaml';
import { CLI_VERSION, NOT_DEPLOYED, PROJECT } from '../deployments/deployments-of';
import { STACKS } from '../deployments/settings';
import { MARKER as MARKER_OF_REVIEW, MOST_CHARACTERS } from '../review/markdown';

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
  readonly name: string;
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

/** The one that has this repository's rights for what a stranger's code wrote. */
const POSTER = 'post-review.yml';

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
    ).toEqual(file === POSTER ? ['workflow_run'] : []);
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
      { contents: 'read', 'id-token': 'write' },
      { contents: 'read', 'id-token': 'write' },
      { contents: 'read', 'id-token': 'write' },
    ]);
  });

  test('steps in this order: credentials come last', () => {
    for (const { steps } of cloud)
      expect(steps.slice(0, 7).map(({ uses, run, id }) => uses?.split('@')[0] ?? id ?? run)).toEqual([
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
    // Others install the CLI, and ask nobody for anything.
    const [operating, installing] = [true, false].map((operates) =>
      steps.filter(({ with: inputs }) => (inputs?.command !== undefined) === operates),
    );
    expect(operating).toHaveLength(2);
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
    expect(Object.keys(preview.jobs)).toEqual(['preview', 'review']);
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

  test('only previews, with the policies, and leaves what the comment is made of', () => {
    const steps = job.steps.slice(-2);
    expect(steps[0]?.run).toMatch(
      /^pulumi preview --stack "\$ORGANIZATION\/stedi-lakehouse\/\$STACK" --policy-pack policy --diff [^;&|]*--event-log "preview-\$STACK\.jsonl"$/,
    );
    expect(steps[0]?.env).toEqual({
      ORGANIZATION: expression('vars.PULUMI_ORG'),
      STACK: expression('matrix.stack'),
      PULUMI_DEBUG_COMMANDS: true,
    });
    expect(steps[1]?.with).toMatchObject({
      name: `preview-${expression('matrix.stack')}`,
      path: `preview-${expression('matrix.stack')}.jsonl`,
    });
  });

  test('is reviewed without a cloud, by whoever it comes from, and with no right but to read', () => {
    const review = present(preview.jobs.review);
    expect([review.if, review.permissions]).toEqual([expression('!cancelled()'), { contents: 'read' }]);
    expect(step(review, 'actions/checkout').with).toEqual({ 'persist-credentials': false, 'fetch-depth': 0 });
    expect(step(review, 'actions/download-artifact').with).toMatchObject({ pattern: 'preview-*' });
    expect(step(review, 'actions/upload-artifact').with).toMatchObject({ name: 'review', path: 'review' });
  });

  test('a newer push ends the older preview', () => {
    expect(preview.concurrency).toEqual({
      group: `preview-${expression('github.event.pull_request.number')}`,
      'cancel-in-progress': true,
    });
  });
});

describe('the script that calls the review', () => {
  const script = present(preview.jobs.review).steps.find(({ run }) => run?.includes('lake.js review'))?.run;
  const run = (files: Readonly<Record<string, string>>) => {
    const folder = mkdtempSync(join(tmpdir(), 'call-review-'));
    try {
      mkdirSync(join(folder, 'cli'));
      writeFileSync(
        join(folder, 'cli', 'lake.js'),
        'process.stdout.write(JSON.stringify(process.argv.slice(2)))',
      );
      for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
      const env = { ...process.env, BASE: 'origin/main', LINK: 'link', NUMBER: '12' };
      const args = execFileSync('bash', ['-e', '-c', present(script)], {
        cwd: folder,
        env,
        encoding: 'utf8',
      });
      expect(readFileSync(join(folder, 'review', 'number'), 'utf8')).toBe('12\n');
      return JSON.parse(args) as string[];
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  const always = [
    'review',
    '--base',
    'origin/main',
    '--github',
    '--comment',
    'review/comment.md',
    '--link',
    'link',
  ];

  test('gives it every preview that there is', () => {
    expect(run({})).toEqual(always);
    expect(run({ 'preview-dev.jsonl': '{}', 'preview-prod.jsonl': '{}', 'preview-a.jsonl': '' })).toEqual([
      ...always,
      ...['--preview', 'dev=preview-dev.jsonl', '--preview', 'prod=preview-prod.jsonl'],
    ]);
  });
});

describe('what posts the review', () => {
  const poster = load(POSTER);
  const { post } = poster.jobs;
  const script = String(step(present(post), 'actions/github-script').with?.script);
  const MARKER = '<!-- lake review -->';

  test('checks nothing out, and may do nothing but post', () => {
    expect(poster.on).toEqual({ workflow_run: { workflows: [preview.name], types: ['completed'] } });
    expect([poster.permissions, post?.permissions]).toEqual([
      {},
      { actions: 'read', 'pull-requests': 'write' },
    ]);
    expect(post?.steps).toHaveLength(1);
    expect(script).not.toMatch(/\$\{\{/);
  });

  /** Runs the script on an artifact; what it does to comments, and what it says. */
  async function posted(
    files: Readonly<Record<string, string>> | undefined,
    { comments = [] as object[], head = 'abc', size = 100 } = {},
  ) {
    const did: unknown[] = [];
    const zipped = zipSync(
      Object.fromEntries(Object.entries(files ?? {}).map(([name, text]) => [name, strToU8(text)])),
    );
    const act = (name: string) => async (request: { body: string }) => {
      did.push([name, request]);
    };
    const github = {
      paginate: async () => comments,
      rest: {
        actions: {
          listWorkflowRunArtifacts: async () => ({
            data: { artifacts: files ? [{ id: 1, size_in_bytes: size }] : [] },
          }),
          downloadArtifact: async () => ({ data: zipped.buffer }),
        },
        pulls: { get: async () => ({ data: { head: { sha: head } } }) },
        issues: { listComments: {}, createComment: act('create'), updateComment: act('update') },
      },
    };
    const context = {
      repo: { owner: 'o', repo: 'r' },
      payload: { workflow_run: { id: 7, head_sha: 'abc' } },
    };
    const core = { notice: (text: string) => did.push(text), setFailed: (text: string) => did.push(text) };
    const run = new Function('github', 'context', 'core', 'require', `return (async () => {${script}})()`);
    await run(github, context, core, require);
    return did;
  }
  const comment = `${MARKER}\n\ntext for @team`;
  const good = { number: '12\n', 'comment.md': comment };
  const body = comment.replace('@', '@\u200b');

  test('makes a comment, or renews its own', async () => {
    const own = { id: 3, user: { login: 'github-actions[bot]' }, body: `${MARKER} old` };
    const others = [
      { id: 1, user: { login: 'somebody' }, body: `${MARKER} old` },
      { id: 2, user: own.user, body: 'another' },
    ];
    expect(await posted(good, { comments: others })).toEqual([
      ['create', expect.objectContaining({ issue_number: 12, body })],
    ]);
    expect(await posted(good, { comments: [...others, own] })).toEqual([
      ['update', expect.objectContaining({ comment_id: 3, body })],
    ]);
  });

  test.each([
    ['no review', undefined, {}, /left no review/],
    ['a large artifact', good, { size: 300_000 }, /too large/],
    ['a long text', { ...good, 'comment.md': comment.padEnd(65_537, 'x') }, {}, /too long/],
    ['what is no number', { ...good, number: '12; rm -rf /' }, {}, /no number/],
    ['another commit', good, { head: 'def' }, /moved on/],
    ['what is no review', { ...good, 'comment.md': 'buy' }, {}, /is none/],
  ] as const)('posts nothing of %s', async (_name, files, more, why) => {
    expect(await posted(files, more)).toEqual([expect.stringMatching(why)]);
  });

  test('what unpacks to more than a comment ends it', async () => {
    await expect(posted({ ...good, 'comment.md': 'x'.repeat(1_000_000) })).rejects.toThrow(
      /ENOBUFS|maxBuffer/,
    );
  });

  test('takes the marks and the size that a review has', () => {
    expect(script).toContain(MARKER_OF_REVIEW);
    expect(script).toContain(`MOST_CHARACTERS = ${MOST_CHARACTERS}`);
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
