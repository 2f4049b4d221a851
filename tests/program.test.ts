import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { stackOutputs } from '../engines/aws/outputs';
import { lake } from '../pipeline';
import { ROOT } from './support/lake';
import {
  type Operation,
  PSEUDONYM_KEY,
  type Stack,
  type StackOptions,
  type Step,
  stackIn,
  withPulumi,
} from './support/pulumi';

const SECRETS = { pseudonymKey: PSEUDONYM_KEY };

const deployed = (options: Omit<StackOptions, 'program'> = {}) =>
  stackIn({ program: ROOT, secrets: SECRETS, ...options });

/** What an operation does, resource by resource, such as `update stedi-trusted-customer_trusted-job`. */
const told = ({ steps }: Operation) =>
  steps
    .filter(({ type }) => type !== 'pulumi:pulumi:Stack')
    .map(({ op, name }: Step) => `${op} ${name}`)
    .sort();

/** The operation, or all that it said where it did not end so. */
function ended(operation: Operation, status: number): Operation {
  if (operation.status !== status) {
    throw new Error(`it ended with ${operation.status}: ${operation.stdout}${operation.stderr}`);
  }
  return operation;
}

const existing = (stack: Stack) =>
  Object.entries(stack.world()).flatMap(([type, things]) =>
    Object.keys(things).map((id) => `${type.split(':').at(-1)} ${id}`),
  );

withPulumi('the program, by the real engine on stand-ins of its providers', () => {
  describe.each([
    { name: 'dev', config: {} },
    // All that a stack can have. Prod's own protection would refuse the destroy.
    { name: 'prod', config: { protect: false, start: 'files', network: {}, dashboard: true } },
  ])('stack $name', ({ name, config }) => {
    let stack: Stack;
    let preview: Operation;
    beforeAll(async () => {
      stack = await deployed({ stack: name, config });
      preview = await stack.preview();
    });

    it('makes what its preview from nothing shows', async () => {
      ended(preview, 0);
      const up = ended(await stack.up(), 0);
      // awsx makes its subnets once it knows the zones' addresses, which a preview does too.
      expect(told(up)).toEqual(told(preview));
      expect(told(up).filter((step) => !step.startsWith('create '))).toEqual([]);
    });

    it('then has nothing left to do', async () => {
      const again = ended(await stack.preview({ expectNoChanges: true }), 0);
      expect(told(again)).toEqual([]);
    });

    it('keeps its secret and its addressees out of its outputs', async () => {
      const all = await stack.outputs();
      // What `lake --stack` reads of them.
      expect(stackOutputs.safeParse({ forget: 'any', ...all })).toMatchObject({ success: true });
      const outputs = JSON.stringify(all);
      expect(outputs).toContain('stedi_lakehouse');
      expect(outputs).not.toContain(SECRETS.pseudonymKey);
      expect(outputs).not.toContain('@');
    });

    it('destroys all but the data that it has to keep, with what secures it', async () => {
      // A destroy runs no program: in a fresh checkout nobody has written the runner's archive.
      rmSync(`${stack.dir}/.build`, { recursive: true });
      ended(await stack.destroy(), 0);
      const left = existing(stack);
      if (name === 'dev') {
        expect(left).toEqual([]);
        return;
      }
      const kinds = [...new Set(left.map((thing) => thing.split(' ')[0]))].sort();
      expect(kinds).toEqual([
        'Bucket',
        'BucketLifecycleConfiguration',
        'BucketObjectv2',
        'BucketOwnershipControls',
        'BucketPolicy',
        'BucketPublicAccessBlock',
        'BucketServerSideEncryptionConfiguration',
        'BucketVersioning',
        'CatalogDatabase',
        'CatalogTable',
        'Key',
        'Secret',
        'SecretVersion',
      ]);
      expect(left.filter((thing) => thing.startsWith('Bucket '))).toHaveLength(5);
      expect(left.filter((thing) => thing.startsWith('CatalogTable '))).toHaveLength(11);
    });
  });

  it('shows every policy of dev whole in its first preview', async () => {
    const { steps } = ended(await (await deployed()).preview(), 0);
    const policies = steps.filter(({ type }) => /^aws:(?:iam|s3)\/\w*[pP]olicy:/.test(type));
    expect(policies.length).toBeGreaterThan(15);
    for (const { name, inputs } of policies) {
      expect({ name, policy: String(inputs.policy).slice(0, 23) }).toEqual({
        name,
        policy: '{"Version":"2012-10-17"',
      });
    }
  });

  it('refuses to destroy a protected stack, and leaves all that it protects', async () => {
    const stack = await deployed({ stack: 'prod' });
    ended(await stack.up(), 0);
    const before = stack.world();
    const refused = await stack.destroy();
    expect(refused.status).not.toBe(0);
    expect(refused.stdout + refused.stderr).toMatch(/protected/);
    for (const type of ['aws:s3/bucket:Bucket', 'aws:glue/catalogTable:CatalogTable', 'aws:kms/key:Key']) {
      expect(before[type]).toBeDefined();
      expect(stack.world()[type]).toEqual(before[type]);
    }
  });

  it('moves a protected table to another zone once its owner has removed the old one', async () => {
    const stack = await deployed({ stack: 'prod' });
    const moved = '    stedi.job({\n      output: customersCurated,';
    const edits: [string, (text: string) => string][] = [
      ['pipeline/customers.ts', (text) => text.replace("zone: 'curated'", "zone: 'trusted'")],
      [
        'pipeline/curated.ts',
        (text) =>
          text
            .replace('[customersCurated, machineLearningCurated]', '[machineLearningCurated]')
            .replace(/ {4}stedi\.job\(\{\n {6}output: customersCurated,[\s\S]*?\n {4}\}\),\n/, ''),
      ],
      [
        'pipeline/trusted.ts',
        (text) =>
          text
            .replace('tables: [customerTrusted,', 'tables: [customersCurated, customerTrusted,')
            .replace(
              '  jobs: [\n',
              `  jobs: [\n${moved} inputs: [customerTrusted, accelerometerTrusted], description: 'As it was.' }),\n`,
            ),
      ],
    ];
    const now = edits.map(([path]) => [path, readFileSync(`${stack.dir}/${path}`, 'utf8')] as const);
    for (const [path, change] of edits) stack.edit(path, change);
    ended(await stack.up(), 0);
    for (const [path, text] of now) stack.edit(path, () => text);

    const refused = await stack.preview();
    expect(refused.status).not.toBe(0);
    const table = 'stedi-trusted-customers_curated-table';
    expect(refused.stdout + refused.stderr).toMatch(
      new RegExp(`${table}" cannot be deleted\\s+because it is protected`),
    );
    const steps = told(refused);
    expect(steps).toEqual(
      expect.arrayContaining(['create stedi-curated-customers_curated-table', `delete ${table}`]),
    );
    expect(steps.filter((step) => !step.includes('customers_curated')).toSorted()).toEqual([
      'update stedi-audit-trail',
      'update stedi-curated-machine_learning_curated-policy',
      'update stedi-forget-policy',
      'update stedi-trusted-step_trainer_trusted-policy',
    ]);

    // As docs/deploy.md says.
    const urn = (await stack.resources()).find((one) => one.urn.endsWith(`::${table}`))?.urn;
    expect((await stack.pulumi(['state', 'unprotect', '--yes', String(urn)])).status).toBe(0);
    const old = ['--target', '**::stedi-trusted-customers_curated**', '--target-dependents'];
    ended(await stack.destroy({ args: old }), 0);
    stack.removeFromWorld('aws:glue/catalogTable:CatalogTable', /customers_curated$/);
    // S3 would write over these files; the stand-in does not.
    stack.removeFromWorld('aws:s3/bucketObjectv2:BucketObjectv2', /jobs\/customers_curated\//);
    ended(await stack.up(), 0);
    expect(told(ended(await stack.preview({ expectNoChanges: true }), 0))).toEqual([]);
    expect(existing(stack).filter((thing) => /CatalogTable .*customers_curated$/.test(thing))).toHaveLength(
      1,
    );
  });

  describe('blast radius: what an edit touches, and nothing else', () => {
    let stack: Stack;
    const undo: (() => void)[] = [];
    beforeAll(async () => {
      stack = await deployed();
      ended(await stack.up(), 0);
    });
    afterEach(() => {
      while (undo.length > 0) undo.pop()?.();
    });
    /** Changes a file until the end of the test. */
    const change = (path: string, how: (text: string) => string) => {
      let before = '';
      stack.edit(path, (text) => {
        before = text;
        return how(text);
      });
      undo.push(() => stack.edit(path, () => before));
    };
    const edit = (path: string, from: string, to: string) => change(path, (text) => text.replace(from, to));
    const previewed = async () => told(ended(await stack.preview(), 0));
    /** How an asset changes: the new one before the old one goes. */
    const renewed = (name: string) => [
      `create-replacement ${name}`,
      `delete-replaced ${name}`,
      `replace ${name}`,
    ];

    /** The job that forgets makes tables again by the files of all jobs: it is told their names. */
    const forgets = ['update stedi-forget-job', ...renewed('stedi-forget-erasure')];

    it("changes one job and its SQL, and what the one that forgets is told, where a job's SQL changes", async () => {
      edit('jobs/customers_curated.sql', 'SELECT', 'SELECT -- once more\n ');
      expect(await previewed()).toEqual(
        [
          'update stedi-curated-customers_curated-job',
          ...renewed('stedi-curated-customers_curated-sql'),
          ...forgets,
        ].sort(),
      );
    });

    it('changes one job and its manifest, and what the one that forgets is told, where an expectation changes', async () => {
      edit('pipeline/trusted.ts', "'timestamp', 1)", "'timestamp', 2)");
      expect(await previewed()).toEqual(
        [
          'update stedi-trusted-step_trainer_trusted-job',
          ...renewed('stedi-trusted-step_trainer_trusted-manifest'),
          ...forgets,
        ].sort(),
      );
    });

    it('changes a table, the jobs that name it and the one that forgets, where a column is added', async () => {
      edit(
        'pipeline/curated.ts',
        '    z: movements.z,\n',
        '    z: movements.z,\n    reading: steps.distanceFromObject,\n',
      );
      edit(
        'jobs/machine_learning_curated.sql',
        '  a.z\nFROM accelerometer',
        '  a.z,\n  s.distanceFromObject AS reading\nFROM accelerometer',
      );
      edit(
        'jobs/machine_learning_curated.sql',
        '  a.z\nFROM step',
        '  a.z,\n  s.distanceFromObject AS reading\nFROM step',
      );
      expect(await previewed()).toEqual(
        [
          'update stedi-curated-machine_learning_curated-job',
          'update stedi-curated-machine_learning_curated-table',
          'update stedi-forget-job',
          ...renewed('stedi-curated-machine_learning_curated-manifest'),
          ...renewed('stedi-curated-machine_learning_curated-sql'),
          ...renewed('stedi-forget-erasure'),
        ].sort(),
      );
    });

    it('changes a landing table, the job that reads its lines and the one that forgets, where it gets a column that no job takes over', async () => {
      edit(
        'pipeline/landing.ts',
        "    distanceFromObject: int('Dist",
        "    firmware: text('Version of the software.', { nullable: true }),\n    distanceFromObject: int('Dist",
      );
      // The table behind it takes over all columns of the source, so it is left as it was.
      edit(
        'pipeline/trusted.ts',
        'columns: refined(stepTrainerLanding.columns),',
        'columns: (({ firmware: _, ...columns }) => columns)(refined(stepTrainerLanding.columns)),',
      );
      expect(await previewed()).toEqual(
        [
          'update stedi-forget-job',
          'update stedi-landing-step_trainer_landing-table',
          'update stedi-trusted-step_trainer_trusted-job',
          ...renewed('stedi-forget-erasure'),
          ...renewed('stedi-trusted-step_trainer_trusted-manifest'),
        ].sort(),
      );
    });

    it('changes every job and the one file that all of them import, where the runner changes', async () => {
      change('jobs/runner/lakehouse_runner/plain.py', (text) => `${text}# Once more.\n`);
      const jobs = Object.keys(stack.world()['aws:glue/job:Job'] ?? {});
      const updates = lake.jobs.map(({ output }) => `update stedi-${output.zone}-${output.name}-job`);
      expect(jobs).toHaveLength(updates.length + 1);
      expect(await previewed()).toEqual(
        [...updates, 'update stedi-forget-job', ...renewed('stedi-runner-archive')].sort(),
      );
    });

    it('changes nothing, where only tests of the runner do', async () => {
      const file = `${stack.dir}/jobs/runner/tests/test_more.py`;
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, 'MORE = 1\n');
      undo.push(() => rmSync(file));
      expect(await previewed()).toEqual([]);
    });

    it('adds one resource, where a query is added', async () => {
      const query = 'queries/steps_by_day.sql';
      writeFileSync(
        `${stack.dir}/${query}`,
        '-- How many steps.\nSELECT COUNT(*) AS steps FROM step_trainer_trusted s\n',
      );
      undo.push(() => rmSync(`${stack.dir}/${query}`));
      expect(await previewed()).toEqual(['create stedi-queries-steps_by_day']);
    });

    it('replaces nothing, where every description changes', async () => {
      for (const file of ['landing', 'trusted', 'curated']) {
        change(`pipeline/${file}.ts`, (text) =>
          text
            .replaceAll(/description:(\s*)'/g, "description:$1'Reworded. ")
            .replaceAll(
              /\b(text|int|double|epochMillis|isoDate|timestamp|pseudonym)\((\s*)'/g,
              "$1($2'Reworded. ",
            ),
        );
      }
      const steps = await previewed();
      expect(steps.filter((step) => !step.startsWith('update '))).toEqual([]);
      // Tables tell of themselves and their columns, jobs of themselves; quarantines quote no contract.
      expect(steps).toHaveLength(8 + 5);
      expect(steps.every((step) => /-(?:table|job)$/.test(step))).toBe(true);
    });

    it('stops a change that the data of a table would not survive, with all that is wrong', async () => {
      edit(
        'pipeline/curated.ts',
        '    x: movements.x,\n    y: movements.y,\n',
        '    y: movements.y,\n    x: movements.x,\n',
      );
      edit('jobs/machine_learning_curated.sql', '  a.x,\n  a.y,', '  a.y,\n  a.x,');
      edit('jobs/machine_learning_curated.sql', '  a.x,\n  a.y,', '  a.y,\n  a.x,');
      const refused = await stack.preview();
      expect(refused.status).not.toBe(0);
      const said = refused.stdout + refused.stderr;
      expect(said).toContain(
        'machine_learning_curated.columns.x: was column 5 of the deployed table and is 6 now',
      );
      expect(said).toContain(
        'machine_learning_curated.columns.y: was column 6 of the deployed table and is 5 now',
      );
    });
  });

  describe('before any resource', () => {
    it('tells every fault of the configuration, and nothing of a secret', async () => {
      const stack = await stackIn({
        program: ROOT,
        secrets: { pseudonymKey: 'tooshort' },
        config: {
          'aws:region': undefined,
          zones: { landng: {}, landing: { oldVersionDays: 3, public: true } },
          start: 'cron(0 3 * * *)',
          alerts: { email: 'nobody at example.com' },
          logDays: 3,
          network: {},
        },
      });
      const refused = await stack.preview();
      expect(refused.status).not.toBe(0);
      expect(refused.steps.filter(({ type }) => type.startsWith('aws:'))).toEqual([]);
      const said = refused.stdout + refused.stderr;
      for (const fault of [
        'The configuration of stack dev has 8 faults:',
        'zones.landng: is no setting of zones; there are landing, trusted, curated',
        'zones.landing.public: is no setting of zones.landing',
        'zones.landing.oldVersionDays: is 3; it is a whole number from 7 to 3650',
        'start: is "cron(0 3 * * *)"; it is demand, files or a schedule: has 5 fields',
        'alerts.email: is none; it is an e-mail address',
        'logDays: is 3; CloudWatch keeps logs for 7, 14,',
        'network: needs aws:region',
        'pseudonymKey: is shorter than 32 characters',
      ]) {
        expect(said).toContain(fault);
      }
      expect(said).not.toContain('tooshort');
      expect(said).not.toContain('nobody');
      expect(said).not.toMatch(/^\s+at .*\.ts/m);
    });

    it('tells every fault of the definition and of the SQL', async () => {
      const stack = await deployed();
      stack.edit('jobs/customers_curated.sql', (text) =>
        text.replace('customer_trusted', 'customer_landing'),
      );
      stack.edit('queries/counts.sql', (text) => text.replace('FROM customer_trusted', 'FROM customers'));
      const refused = await stack.preview();
      expect(refused.status).not.toBe(0);
      expect(refused.steps.filter(({ type }) => type.startsWith('aws:'))).toEqual([]);
      const said = refused.stdout + refused.stderr;
      expect(said).toContain('The definition has 2 faults:');
      expect(said).toContain('reads "customer_landing"');
      expect(said).toContain('reads "customers"');
      expect(said).not.toMatch(/^\s+at .*\.ts/m);
    });
  });
});
