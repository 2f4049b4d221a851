// `lake` on a stack, as a process over HTTP, against a stand-in of Glue, CloudWatch Logs and S3.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Catalogue } from '../cli/docs/page/data';
import type { Found } from '../engines/findings';
import { lake as pipeline } from '../pipeline';
import { GlueStandIn } from './standin/glue';
import { AwsServer, awsEnvironment, jsonError } from './support/aws-server';
import { ended, hasTerminal, lake, spawnLake, spawnLakeOnTerminal, temporaryDir } from './support/lake';
import { outputsOf } from './support/stack';

const dir = temporaryDir('stack');
const OUTPUTS = join(dir, 'outputs.json');
const outputs = outputsOf(pipeline);
const JOBS = pipeline.jobs.map(({ name }) => name);
writeFileSync(OUTPUTS, JSON.stringify(outputs));
const STACK = ['--stack', 'dev', '--outputs', OUTPUTS];

let glue: GlueStandIn;
let server: AwsServer;
let env: Readonly<Record<string, string>>;
beforeEach(async () => {
  glue = new GlueStandIn(pipeline, outputs);
  // A job's run ends between two looks.
  glue.perRequest = 70_000;
  glue.pageSize = 100;
  server = new AwsServer(glue.handle);
  env = awsEnvironment(await server.start());
});
afterEach(() => server.stop());

const asked = () => new Set(server.requests.map(({ operation }) => operation));

describe('lake run --stack', () => {
  test('starts the workflow, and tells how it ended', async () => {
    const { status, stdout, stderr } = await lake(['run', ...STACK], env);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const id = glue.workflowRuns[0]?.id;
    expect(stdout).toMatch(`Run ${id} of the workflow stedi-lakehouse-dev was started.`);
    for (const name of pipeline.tables.keys()) expect(stdout).toContain(`${name}: 9 rows`);
    expect(stdout).toContain(`Published run ${id} in 300 s.`);
    expect(stdout).toContain('  stack       dev in us-east-1');
    expect(stdout).toContain('#/v2/etl-configuration/workflows/view/stedi-lakehouse-dev');
    expect(stdout).toContain(`npx lake query quarantine --stack dev --outputs ${OUTPUTS}`);
  });

  const FOUND: readonly [Found, Found] = [
    {
      ...{ table: 'accelerometer_landing', expectation: 'references_customer_landing', severity: 'warn' },
      ...{ failed: 3, affected: 3, samples: [{ user: '•••', timestamp: '2023-07-22 04:26:40.000', x: 0.5 }] },
    },
    {
      // Read by two jobs, told once.
      ...{ table: 'customer_landing', expectation: 'unique_email', severity: 'warn' },
      ...{ failed: 2, affected: 5, samples: [{ email: '•••', records: '3' }] },
    },
  ];
  const WARNINGS = [
    'warning customer_landing.unique_email: 2 values are repeated, in 5 of 9 rows (55.6 %). Expected: A customer registered once.',
    'warning accelerometer_landing.references_customer_landing: 3 of 9 rows (33.3 %). Expected: Every reading is of a customer who registered.',
  ];
  const SAMPLES = [
    '  such as email=•••, records=3',
    '  such as user=•••, timestamp=2023-07-22 04:26:40.000, x=0.5',
  ];

  test.each(['run', 'status'])(
    'lake %s shows what the jobs found, with --verbose samples',
    async (command) => {
      glue.findings = FOUND;
      if (command === 'status') {
        glue.startedByOthers();
        await glue.advance(1_000_000);
      }
      const found = ({ stdout }: { readonly stdout: string }) =>
        stdout.split('\n').filter((line) => /^(?:warning|FAILED|quarantined| {2}such as) /.test(line));
      expect(found(await lake([command, ...STACK], env))).toEqual(WARNINGS);
      expect(found(await lake([command, ...STACK, '--verbose'], env))).toEqual(
        WARNINGS.flatMap((warning, i) => [warning, SAMPLES[i]]),
      );
    },
  );

  test('status names a forget that did not end well', async () => {
    glue.ends.set('forget', 'TIMEOUT');
    const id = glue.forgetStarted();
    await glue.advance(1_000_000);
    const { status, stderr } = await lake(['status', ...STACK], env);
    expect(status).toBe(0);
    expect(stderr).toMatch(
      RegExp(
        `^lake: the last forget \\(${id}, of 2026-\\S+Z\\) ended as TIMEOUT, and its person may not be gone`,
      ),
    );
  });

  test('what keeps a table from being published stands last of what was found, with samples', async () => {
    glue.findings = [{ ...FOUND[0], severity: 'fail' }, FOUND[1]];
    glue.ends.set('accelerometer_trusted', 'FAILED');
    const lines = (await lake(['run', ...STACK], env)).stdout.split('\n');
    const at = lines.findIndex((line) => line.startsWith('FAILED accelerometer_landing.references_'));
    expect(lines.slice(at - 1, at + 3)).toEqual([
      WARNINGS[0],
      WARNINGS[1]?.replace('warning', 'FAILED'),
      SAMPLES[1],
      '',
    ]);
  });

  test('tells of a failed job why it failed, with the end of its log', async () => {
    glue.ends.set('customers_curated', 'FAILED');
    const { status, stdout, stderr } = await lake(['run', ...STACK], env);
    expect(status).toBe(1);
    expect(stdout).toContain('customers_curated: 9 rows (1.50 s), failed');
    expect(stdout).toContain('step_trainer_trusted: skipped');
    expect(stdout).toMatch(
      /Run wr_\w+ failed in 180 s\. Failed: customers_curated\. Skipped: step_trainer_trusted, machine_learning_curated\. Published anew: customer_trusted, accelerometer_trusted\./,
    );
    const run = glue.jobRuns.at(-1)?.id;
    expect(stderr).toContain(
      'lake: customers_curated ended as FAILED: SystemExit: stedi-lakehouse-dev-customers_curated was not published.',
    );
    // Twenty lines: the last two are of the other group, and cannot colour the terminal.
    expect(stderr).toMatch(/INFO customers_curated line 30\n.*was not\ufffd\[31m published\n.*second line\n/);
    expect(stderr).not.toContain('INFO customers_curated line 12\n');
    expect(stderr).toContain('INFO customers_curated line 13\n');
    expect(stderr).toContain(`npx lake logs customers_curated --stack dev --outputs ${OUTPUTS} --run ${run}`);
    expect(stderr).toContain(
      `gluestudio/home?region=us-east-1#/job/stedi-lakehouse-dev-customers_curated/run/${run}`,
    );
  });

  test('--json prints the summary and nothing else', async () => {
    const { status, stdout, stderr } = await lake(
      ['run', ...STACK, '--json', '--only', 'customer_trusted'],
      env,
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({
      stack: 'dev',
      outcome: 'published',
      runId: glue.jobRuns[0]?.id,
      jobs: [{ job: 'customer_trusted', state: 'SUCCEEDED', seconds: 60 }],
      tables: [{ table: 'customer_landing' }, { table: 'customer_trusted' }],
      skipped: [],
    });
    expect(asked()).not.toContain('StartWorkflowRun');
  });

  const eventsIn = (file: string) =>
    readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));

  test('--events has a START and an end of each job that ran, none twice', async () => {
    glue.ends.set('customers_curated', 'FAILED');
    const file = join(dir, 'events.jsonl');
    expect((await lake(['run', ...STACK, '--events', file], env)).status).toBe(1);
    const kinds: string[] = eventsIn(file).map(({ eventType, job }) => `${eventType} ${job.name}`);
    const ran = ['customer_trusted', 'accelerometer_trusted', 'customers_curated'];
    expect(kinds.toSorted()).toEqual(
      ran
        .flatMap((job) => [`START ${job}`, `${job === 'customers_curated' ? 'FAIL' : 'COMPLETE'} ${job}`])
        .toSorted(),
    );
    const failed = eventsIn(file).find(({ eventType }) => eventType === 'FAIL');
    expect(failed.run.facets.errorMessage.message).toMatch(/^customers_curated ended as FAILED: SystemExit/);
    const made = eventsIn(file).find(({ eventType }) => eventType === 'COMPLETE');
    expect(made.outputs[0].outputFacets.outputStatistics.rowCount).toBe(9);
  });

  test('a receiver that is not there fails no run, and is told of once', async () => {
    const url = { OPENLINEAGE_URL: 'http://127.0.0.1:1' };
    const { status, stderr } = await lake(['run', ...STACK], { ...env, ...url });
    expect({ status, told: stderr.match(/the receiver of events cannot be reached/g) }).toEqual({
      status: 0,
      told: [expect.anything()],
    });
  });

  test('--no-wait starts it and says how to look at it', async () => {
    const { status, stdout } = await lake(['run', ...STACK, '--no-wait'], env);
    expect(status).toBe(0);
    expect(stdout).toBe(
      `Started: workflow, run ${glue.workflowRuns[0]?.id}\n  status  npx lake status --stack dev --outputs ${OUTPUTS}\n`,
    );
    // After the plan.
    expect([...asked()].slice(-3)).toEqual(['GetWorkflowRuns', 'GetJobRuns', 'StartWorkflowRun']);
  });

  test('--no-wait tells what was started before a start failed', async () => {
    server.fault = ({ operation, body }) =>
      operation === 'StartJobRun' && body.includes('-step_trainer_trusted')
        ? jsonError('AccessDeniedException', 'no')
        : undefined;
    const call = ['run', ...STACK, '--no-wait', '--only', 'customer_trusted', 'step_trainer_trusted'];
    const plain = await lake(call, env);
    expect(plain).toEqual({
      status: 1,
      stdout: `Started: customer_trusted, run ${glue.jobRuns[0]?.id}\n  status  npx lake status --stack dev --outputs ${OUTPUTS}\n`,
      stderr: expect.stringMatching(/^lake: access denied: glue:StartJobRun on job /),
    });
    const told = await lake([...call, '--json'], env);
    expect(told.status).toBe(1);
    expect(JSON.parse(told.stdout)).toEqual({ started: { customer_trusted: glue.jobRuns[1]?.id } });
  });

  test('--only says that something goes on where something was started, and not else', async () => {
    const goesOn = 'What was started on AWS goes on';
    const refused = (job: string) => {
      server.fault = ({ operation, body }) =>
        operation === 'StartJobRun' && body.includes(job)
          ? jsonError('AccessDeniedException', 'no')
          : undefined;
      return lake(['run', ...STACK, '--only', 'customer_trusted', 'step_trainer_trusted'], env);
    };
    const first = await refused('-customer_trusted');
    expect(first.status).toBe(1);
    expect(first.stderr).toMatch(/^lake: access denied: glue:StartJobRun/);
    expect(first.stderr).not.toContain(goesOn);
    expect((await refused('-step_trainer_trusted')).stderr).toContain(goesOn);
  });

  test('refuses while a person is forgotten', async () => {
    glue.perRequest = 0;
    const id = glue.forgetStarted();
    expect(await lake(['run', ...STACK], env)).toEqual({
      status: 1,
      stdout: '',
      stderr: `lake: a forget goes on: job stedi-lakehouse-dev-forget (${id}); wait for its end. Nothing was started\n`,
    });
  });

  test.each([
    ['plain', spawnLake],
    ...(hasTerminal ? [['on a terminal', spawnLakeOnTerminal] as const] : []),
  ] as const)('Ctrl-C ends the following and not the run, %s', async (how, spawn) => {
    glue.perRequest = 0;
    const child = spawn(['run', ...STACK], env);
    const all = ended(child);
    while (!asked().has('GetWorkflowRun')) await new Promise((done) => setTimeout(done, 50));
    // A terminal sends the signal for the key.
    if (how === 'plain') child.kill('SIGINT');
    else child.stdin?.write('\u0003');
    const { status, stdout, stderr } = await all;
    expect(status).toBe(130);
    expect(stdout + stderr).toContain(
      `lake: interrupted; the run on AWS goes on and is no longer followed: npx lake status --stack dev --outputs ${OUTPUTS}`,
    );
    expect(glue.workflowRuns.map(({ ended: at }) => at)).toEqual([undefined]);
  });

  test.each([
    [['--data', 'x'], /--data is for a lake on this machine; npx lake ingest x --stack dev/],
    [['--lake', 'x'], /--stack works on a deployed lake, so leave out --lake,/],
    [['--engine', 'spark'], /--stack works on a deployed lake, so leave out --engine,/],
    [
      ['--consent', 'since-grant'],
      /runs by the stack's own rules; pulumi config set --path parameters\.consent since-grant --stack dev/,
    ],
    [['--only', 'nojob'], new RegExp(`no job "nojob"; there are ${JOBS.join(', ')}`)],
    [['--only', 'customer_trusted', '--consent', 'granted'], /consent changes nothing in customer_trusted/],
    [
      ['--no-wait', '--only', 'customer_trusted', 'accelerometer_trusted'],
      /accelerometer_trusted: begins when others/,
    ],
  ])('the wrong call %j is refused before AWS is asked', async (args, words) => {
    const { status, stdout, stderr } = await lake(['run', ...STACK, ...args], env);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(words);
    expect(server.requests).toEqual([]);
  });

  test.each([
    [['run', '--no-wait'], /give --stack NAME with --no-wait/],
    [['run', '--region', 'eu-west-1'], /give --stack NAME with --region/],
    [['status', '--follow'], /give --stack NAME with --follow/],
    [['status', '--stack', 'dev', '--lake', 'x'], /so leave out --lake,/],
    [['logs', 'customer_trusted'], /give --stack NAME/],
    [['diff'], /give --stack NAME/],
    [['logs', 'nojob', ...STACK], new RegExp(`no job "nojob"; there are ${JOBS.join(', ')}`)],
    [['logs', 'customer_trusted', '--lines', '0', ...STACK], /It is a whole number from 1/],
  ])('the wrong call lake %j is refused', async (args, words) => {
    const { status, stdout, stderr } = await lake(args, env);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(words);
  });
});

describe('lake status --stack', () => {
  test('of one that never ran', async () => {
    const { status, stdout } = await lake(['status', ...STACK], env);
    expect(status).toBe(0);
    expect(stdout).toBe(
      'Stack dev in us-east-1\n\nThe workflow has not run in the 90 days that Glue keeps.\n',
    );
  });

  test('tells the last run, its jobs, and what is published', async () => {
    glue.startedByOthers();
    await glue.advance(1_000_000);
    glue.ends.set('accelerometer_trusted', 'FAILED');
    const id = glue.startedByOthers();
    await glue.advance(1_000_000);
    const { status, stdout, stderr } = await lake(['status', ...STACK], env);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(`The workflow's last run, ${id}, failed at 2026-01-01T00:18:40Z.`);
    expect(stdout).toMatch(/accelerometer_trusted +FAILED +2026-01-01T00:17:40Z +60 +workflow/);
    expect(stdout).toMatch(/customers_curated +SUCCEEDED +2026-01-01T00:02:00Z +60 +other/);
    expect(stdout).toContain('  accelerometer_trusted: SystemExit: ');
    // What the failed run would have replaced.
    expect(stdout).toMatch(/accelerometer_trusted +9 +0 +2026-01-01T00:01:40/);
    expect(stdout).toMatch(/customer_trusted +9 +0 +2026-01-01T00:17:20/);
  });

  test('--json, of one that goes on', async () => {
    glue.perRequest = 0;
    const id = glue.startedByOthers();
    const { stdout } = await lake(['status', ...STACK, '--json'], env);
    expect(JSON.parse(stdout)).toMatchObject({
      stack: 'dev',
      region: 'us-east-1',
      workflow: { id, state: 'RUNNING', jobs: [{ job: 'customer_trusted', state: 'STARTING' }] },
      tables: [],
    });
  });

  test('--follow goes with it to its end', async () => {
    glue.perRequest = 1_000;
    // Once the status has been asked for, a job's run ends between two looks.
    server.fault = ({ index }) => {
      if (index === 12) glue.perRequest = 70_000;
      return undefined;
    };
    glue.startedByOthers();
    const { status, stdout } = await lake(['status', ...STACK, '--follow'], env);
    expect(stdout).toContain('machine_learning_curated: 9 rows');
    expect(stdout).toMatch(/Published run wr_/);
    expect(status).toBe(0);
  });
});

describe('lake logs', () => {
  test('prints the newest run of a job, both groups in the order of time', async () => {
    glue.startedByOthers();
    await glue.advance(1_000_000);
    const { status, stdout, stderr } = await lake(
      ['logs', 'customer_trusted', ...STACK, '--lines', '3'],
      env,
    );
    expect(status).toBe(0);
    expect(stderr).toBe(`customer_trusted, run ${glue.jobRuns[0]?.id}: SUCCEEDED\n`);
    expect(stdout).toBe(
      '00:01:00 INFO customer_trusted line 29\n00:01:00 INFO customer_trusted line 30\n00:01:00 published\n',
    );
  });

  test('--follow goes on till the run has ended, and prints each line once', async () => {
    glue.jobSeconds = 100;
    glue.startedByOthers();
    const { status, stdout } = await lake(['logs', 'customer_trusted', ...STACK, '--follow'], env);
    expect(status).toBe(0);
    expect(stdout.match(/line \d+/g)).toEqual(Array.from({ length: 30 }, (_, i) => `line ${i + 1}`));
    expect(stdout).toContain('published');
  });

  test('--follow has the lines that show some seconds after the end', async () => {
    glue.startedByOthers();
    let waits = false;
    server.fault = ({ operation }) => {
      const [run] = glue.jobRuns;
      if (operation === 'GetLogEvents' && run?.state === 'SUCCEEDED' && !waits) {
        waits = true;
        setTimeout(() => glue.log('customer_trusted', run, 'error', 'INFO last words'), 2_000);
      }
      return undefined;
    };
    const { status, stdout } = await lake(['logs', 'customer_trusted', ...STACK, '--follow'], env);
    expect(status).toBe(0);
    expect(stdout).toMatch(/INFO last words\n$/);
  });

  test('of the job that forgets', async () => {
    const logs = () => lake(['logs', 'forget', ...STACK], env);
    expect((await logs()).stderr).toMatch(/forget has not run on dev .*; lake forget starts it/);
    const id = glue.forgetStarted();
    await glue.advance(100_000);
    expect(await logs()).toEqual({
      status: 0,
      stdout: '00:02:10 INFO forgot\n',
      stderr: `forget, run ${id}: SUCCEEDED\n`,
    });
  });

  test('of a job that has not run', async () => {
    const { status, stderr } = await lake(['logs', 'customer_trusted', ...STACK], env);
    expect(status).toBe(1);
    expect(stderr).toMatch(/customer_trusted has not run on dev in the 90 days that Glue keeps/);
  });
});

describe('lake docs', () => {
  const OUT = join(dir, 'page.html');
  const catalogueIn = (): Catalogue =>
    JSON.parse(/id="catalogue">(.*?)<\/script>/.exec(readFileSync(OUT, 'utf8'))?.[1] ?? '');

  test('shows what the jobs left and how the catalog differs, and asks no table', async () => {
    glue.ends.set('machine_learning_curated', 'FAILED');
    await lake(['run', ...STACK], env);
    const { status, stderr } = await lake(['docs', ...STACK, '--out', OUT], env);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const { stack, tables, runs, sections, drift } = catalogueIn();
    expect({ stack, sections }).toEqual({ stack: 'dev in us-east-1', sections: [] });
    expect(runs.map(({ outcome }) => outcome)).toEqual([...Array(4).fill('published'), 'failed']);
    for (const { name, published } of tables)
      expect([name, published?.rows, published?.isStale]).toEqual(
        name === 'machine_learning_curated' ? [name, undefined, undefined] : [name, 9, false],
      );
    expect(drift).toContainEqual({
      path: 'customer_trusted',
      message: 'is in the contracts and not in the catalog',
    });
    expect(asked()).not.toContain('StartQueryExecution');
  });

  test('of a stack where nothing ran', async () => {
    expect(await lake(['docs', ...STACK, '--out', OUT], env)).toMatchObject({ status: 0, stderr: '' });
    expect(catalogueIn()).toMatchObject({ runs: [], stack: 'dev in us-east-1' });
  });
});

describe('lake diff', () => {
  test('of a catalog that is empty tells every table, and fails', async () => {
    const { status, stdout } = await lake(['diff', ...STACK], env);
    expect(status).toBe(1);
    for (const name of pipeline.tables.keys()) {
      expect(stdout).toContain(`${name}: is in the contracts and not in the catalog\n`);
    }
    expect(stdout).toContain('customer_landing_quarantine: is in the contracts and not in the catalog\n');
    expect(stdout).toContain('11 differences between the contracts and stedi_lakehouse_dev;');
  });
});

describe('AWS that cannot be asked', () => {
  const diff = (more: Readonly<Record<string, string>>) => lake(['diff', ...STACK], { ...env, ...more });

  test('is told in one line', async () => {
    server.fault = () => 'reset';
    const [refused, unknown, reset] = await Promise.all([
      diff({ AWS_ENDPOINT_URL: 'http://127.0.0.1:1' }),
      diff({ AWS_ENDPOINT_URL: 'http://nowhere.invalid' }),
      diff({}),
    ]);
    const said = (code: string) => ({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(
        new RegExp(
          `^lake: glue:GetTables on database stedi_lakehouse_dev: AWS cannot be reached in us-east-1 \\(${code}\\); check the network and the region\n$`,
        ),
      ),
    });
    expect(refused).toEqual(said('ECONNREFUSED'));
    expect(unknown).toEqual(said('ENOTFOUND|EAI_AGAIN'));
    expect(reset).toEqual(said('ECONNRESET'));
    expect(server.requests).toHaveLength(8);
  });

  test('for want of credentials is told so', async () => {
    const { status, stderr } = await diff({ AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' });
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^lake: there are no AWS credentials; set AWS_PROFILE or give --profile, or log in: .*\n$/,
    );
  });

  test('denied is told by action and resource, and names nobody', async () => {
    server.fault = () =>
      jsonError(
        'AccessDeniedException',
        'User: arn:aws:sts::1:assumed-role/Dev/jane@example.com is not authorized to perform: glue:GetTables on resource: arn:aws:glue:us-east-1:1:catalog because x',
      );
    const { status, stdout, stderr } = await diff({});
    expect({ status, stdout, stderr }).toEqual({
      status: 1,
      stdout: '',
      stderr:
        'lake: access denied: glue:GetTables on arn:aws:glue:us-east-1:1:catalog; your role lacks the right to do this\n',
    });
  });
});

describe('lake status of a lake on this machine', () => {
  const LAKE = join(dir, 'lake');
  const status = (...args: string[]) => lake(['status', '--lake', LAKE, ...args]);

  test('that is empty makes nothing', async () => {
    const { status: code, stdout } = await status();
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `Nothing is published in ${LAKE} yet; npx lake run --lake ${LAKE} fills it.\n`,
    });
    expect(existsSync(LAKE)).toBe(false);
  });

  test('tells what is published, what is stale and how the last run went', async () => {
    await lake(['run', '--lake', LAKE]);
    const all = JSON.parse((await status('--json')).stdout);
    expect(all).toMatchObject({ lake: LAKE, stale: [], lastRun: { outcome: 'published' } });
    expect(all.tables.map(({ table }: { table: string }) => table).toSorted()).toEqual(
      [...pipeline.tables.keys()].toSorted(),
    );
    await lake(['run', '--lake', LAKE, '--only', 'customer_trusted']);
    const { stdout } = await status();
    expect(stdout).toMatch(
      /customers_curated +\d+ +\d{8}T\d{9}Z-[0-9a-f]{4} +stale: older than what it is made from/,
    );
    expect(stdout).not.toMatch(/customer_trusted +\d.*stale/);
    expect(stdout).toMatch(/\nThe last run, \d{8}T\d{9}Z-[0-9a-f]{4}, published after \d+\.\d\d s\.\n$/);
  });
});
