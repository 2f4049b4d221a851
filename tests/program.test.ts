// What only Pulumi's engine shows: what a preview knows, that a second one finds nothing to do, what an edit touches, what
// a destroy leaves, and that the policy pack is loaded. What the program asks AWS for is in emitted.test.ts and those that
// take their stacks from support/emitted.ts. Two stacks live from their first preview to their end, and the tests look at
// what they did.
import { rmSync } from 'node:fs';
import { stackOutputs } from '../engines/aws/outputs';
import { lake } from '../pipeline';
import { policies } from '../policy/index';
import { ROOT } from './support/lake';
import {
  type Edits,
  type Operation,
  type OperationOptions,
  PSEUDONYM_KEY,
  type Stack,
  type StackOptions,
  stackIn,
  withPulumi,
} from './support/pulumi';

const SECRETS = { pseudonymKey: PSEUDONYM_KEY };
const BY_LAKE_FORMATION = {
  permissions: 'lake-formation',
  analysts: ['arn:aws:iam::123456789012:role/analyst'],
};
const PACK = { policyPack: 'policy' };

const deployed = (options: Omit<StackOptions, 'program'> = {}) =>
  stackIn({ program: ROOT, secrets: SECRETS, ...options });

/** What an operation does, resource by resource, such as `update stedi-trusted-customer_trusted-job`. */
const told = ({ steps }: Operation) =>
  steps
    .filter(({ type }) => type !== 'pulumi:pulumi:Stack')
    .map(({ op, name }) => `${op} ${name}`)
    .sort();

const said = ({ stdout, stderr }: Operation) => stdout + stderr;

/** The operation, or all that it said where it did not succeed. */
function succeeded(operation: Operation): Operation {
  if (operation.status !== 0) throw new Error(`it ended with ${operation.status}: ${said(operation)}`);
  return operation;
}

const mandatory = ({ violations }: Operation) => violations.filter(({ level }) => level === 'mandatory');

const existing = (stack: Stack) =>
  Object.entries(stack.world()).flatMap(([type, things]) =>
    Object.keys(things).map((id) => `${type.split(':').at(-1)} ${id}`),
  );

const replaced =
  (from: string, to: string) =>
  (text: string): string =>
    text.replace(from, () => to);

/** How an asset changes: the new one before the old one goes. */
const renewed = (name: string) => [
  `create-replacement ${name}`,
  `delete-replaced ${name}`,
  `replace ${name}`,
];

/** The job that forgets makes tables again by the files of all jobs: it is told their names. */
const FORGETS = ['update stedi-forget-job', ...renewed('stedi-forget-erasure')];

/**
 * What edits touch: this, and nothing else. Edits that have little in common share a preview, as each takes the engine
 * five seconds.
 */
const BLAST_RADIUS: Readonly<Record<string, { edits: Edits; steps: readonly string[] }>> = {
  "a job's SQL, a new query, tests of the runner, which no job has, and a new column of a source, which none takes over":
    {
      edits: [
        ['jobs/customers_curated.sql', replaced('SELECT', 'SELECT -- once more\n ')],
        [
          'queries/steps_by_day.sql',
          () => '-- How many steps.\nSELECT COUNT(*) AS steps FROM step_trainer_trusted s\n',
        ],
        ['jobs/runner/tests/test_more.py', () => 'MORE = 1\n'],
        [
          'pipeline/landing.ts',
          replaced(
            "    distanceFromObject: int('Dist",
            "    firmware: text('Version of the software.', { nullable: true }),\n    distanceFromObject: int('Dist",
          ),
        ],
        // The table behind it takes over all columns of the source, so it is left as it was.
        [
          'pipeline/trusted.ts',
          replaced(
            'columns: refined(stepTrainerLanding.columns),',
            'columns: (({ firmware: _, ...columns }) => columns)(refined(stepTrainerLanding.columns)),',
          ),
        ],
      ],
      steps: [
        'update stedi-landing-step_trainer_landing-table',
        'update stedi-trusted-step_trainer_trusted-job',
        ...renewed('stedi-trusted-step_trainer_trusted-manifest'),
        'update stedi-curated-customers_curated-job',
        ...renewed('stedi-curated-customers_curated-sql'),
        ...FORGETS,
        'create stedi-queries-steps_by_day',
      ],
    },
  'an expectation, and a new column of another table': {
    edits: [
      ['pipeline/trusted.ts', replaced("'timestamp', 1)", "'timestamp', 2)")],
      [
        'pipeline/curated.ts',
        replaced('    z: movements.z,\n', '    z: movements.z,\n    reading: steps.distanceFromObject,\n'),
      ],
      [
        'jobs/machine_learning_curated.sql',
        (text) =>
          text.replaceAll(
            / {2}a\.z\n(?=FROM (?:accelerometer|step))/g,
            '  a.z,\n  s.distanceFromObject AS reading\n',
          ),
      ],
    ],
    steps: [
      'update stedi-trusted-step_trainer_trusted-job',
      ...renewed('stedi-trusted-step_trainer_trusted-manifest'),
      'update stedi-curated-machine_learning_curated-job',
      'update stedi-curated-machine_learning_curated-table',
      ...renewed('stedi-curated-machine_learning_curated-manifest'),
      ...renewed('stedi-curated-machine_learning_curated-sql'),
      ...FORGETS,
    ],
  },
  'the runner, which all jobs import': {
    edits: [['jobs/runner/lakehouse_runner/plain.py', (text) => `${text}# Once more.\n`]],
    steps: [
      ...lake.jobs.map(({ output }) => `update stedi-${output.zone}-${output.name}-job`),
      'update stedi-forget-job',
      ...renewed('stedi-runner-archive'),
    ],
  },
};

const REWORDED: Edits = ['landing', 'trusted', 'curated'].map((file) => [
  `pipeline/${file}.ts`,
  (text) =>
    text
      .replaceAll(/description:(\s*)'/g, "description:$1'Reworded. ")
      .replaceAll(/\b(text|int|double|epochMillis|isoDate|timestamp|pseudonym)\((\s*)'/g, "$1($2'Reworded. "),
]);

/** Two columns change places, which the data of the table would not survive. */
const SWAPPED: Edits = [
  [
    'pipeline/curated.ts',
    replaced('    x: movements.x,\n    y: movements.y,\n', '    y: movements.y,\n    x: movements.x,\n'),
  ],
  ['jobs/machine_learning_curated.sql', (text) => text.replaceAll('  a.x,\n  a.y,', '  a.y,\n  a.x,')],
];

/** A job that reads, and a query that asks, what it may not. */
const WRONG_SQL: Edits = [
  ['jobs/customers_curated.sql', replaced('customer_trusted', 'customer_landing')],
  ['queries/counts.sql', replaced('FROM customer_trusted', 'FROM customers')],
];

/** The table goes to another zone. */
const MOVED: Edits = [
  ['pipeline/customers.ts', replaced("zone: 'curated'", "zone: 'trusted'")],
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
          "  jobs: [\n    stedi.job({ output: customersCurated, inputs: [customerTrusted, accelerometerTrusted], description: 'As it was.' }),\n",
        ),
  ],
];

/** One edit for each policy, of what the components promise, and what the policy then says. */
const BROKEN: Readonly<Record<string, { file: string; from: string; to: string; says: RegExp }>> = {
  's3-no-public-access': {
    file: 'components/bucket.ts',
    from: 'blockPublicPolicy: true',
    to: 'blockPublicPolicy: false',
    says: /blockPublicPolicy/,
  },
  's3-encrypted': {
    file: 'components/bucket.ts',
    from: "sseAlgorithm: 'AES256'",
    to: "sseAlgorithm: ''",
    says: /sseAlgorithm/,
  },
  's3-versioned': {
    file: 'components/bucket.ts',
    from: "versioningConfiguration: { status: 'Enabled' }",
    to: "versioningConfiguration: { status: 'Suspended' }",
    says: /Suspended/,
  },
  's3-lifecycle': {
    file: 'components/bucket.ts',
    from: 'abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },',
    to: '',
    says: /abort/i,
  },
  's3-tls-only': {
    file: 'components/bucket.ts',
    from: "'aws:SecureTransport': 'false'",
    to: "'aws:SecureTransport': 'true'",
    says: /SecureTransport/,
  },
  'iam-no-wildcards': {
    file: 'components/access.ts',
    from: "['s3:GetObject']",
    to: "['s3:*']",
    says: /s3:\*/,
  },
  'iam-trust': {
    file: 'components/access.ts',
    from: "Condition: { StringEquals: { 'aws:SourceAccount': site.account } },",
    to: '',
    says: /SourceAccount/,
  },
  tags: {
    file: 'components/settings.ts',
    from: "'managed-by': 'pulumi'",
    to: "'managed-by': ''",
    says: /managed-by/,
  },
  'glue-job-limits': {
    file: 'components/spark-job.ts',
    from: 'timeout: settings.timeoutMinutes',
    to: 'timeout: 2880',
    says: /2880/,
  },
  'crawler-does-not-change-tables': {
    file: 'components/crawler.ts',
    from: "updateBehavior: 'LOG'",
    to: "updateBehavior: 'UPDATE_IN_DATABASE'",
    says: /UPDATE_IN_DATABASE/,
  },
  'iceberg-owned-by-program': {
    file: 'components/glue-table.ts',
    from: '// Everything of the schema stands here',
    to: 'description: table.description,\n          // Everything of the schema stands here',
    says: /description/,
  },
  'log-retention': {
    file: 'components/spark-job.ts',
    from: 'retentionInDays: logDays',
    to: 'retentionInDays: 0',
    says: /retentionInDays/,
  },
  'athena-limits': {
    file: 'components/workgroup.ts',
    from: 'enforceWorkgroupConfiguration: true',
    to: 'enforceWorkgroupConfiguration: false',
    says: /enforceWorkgroupConfiguration/,
  },
};

withPulumi("the program, by Pulumi's engine on stand-ins of its providers", () => {
  interface Life {
    readonly preview: Operation;
    readonly up: Operation;
    readonly again: Operation;
    readonly outputs: Readonly<Record<string, unknown>>;
  }

  /** A new stack, with what holds of each. */
  async function begun(stack: Stack): Promise<Life> {
    const preview = await stack.preview(PACK);
    const up = await stack.up(PACK);
    return {
      preview,
      up,
      again: await stack.preview({ expectNoChanges: true }),
      outputs: await stack.outputs(),
    };
  }

  /** What a destroy leaves. It runs no program: in a fresh checkout nobody has written the runner's archive. */
  async function leftOf(stack: Stack): Promise<readonly string[]> {
    rmSync(`${stack.dir}/.build`, { recursive: true });
    succeeded(await stack.destroy());
    return existing(stack);
  }

  const itBegins = (life: () => Life) => {
    it('makes what its preview from nothing shows', () => {
      const { preview, up } = life();
      // awsx makes its subnets once it knows the zones' addresses, which a preview does too.
      expect(told(succeeded(up))).toEqual(told(succeeded(preview)));
      expect(told(up).filter((step) => !step.startsWith('create '))).toEqual([]);
    });

    it('then has nothing left to do', () => {
      expect(told(succeeded(life().again))).toEqual([]);
    });

    it('breaks no policy, in preview and up', () => {
      expect(mandatory(life().preview)).toEqual([]);
      // Nothing is unknown any more, so nothing was left unchecked.
      expect(life().up.violations).toEqual([]);
    });

    it('keeps its secret and its addressees out of its outputs', () => {
      const all = life().outputs;
      // What `lake --stack` reads of them.
      expect(stackOutputs.safeParse({ forget: 'any', ...all })).toMatchObject({ success: true });
      const outputs = JSON.stringify(all);
      expect(outputs).toContain('stedi_lakehouse');
      expect(outputs).not.toContain(SECRETS.pseudonymKey);
      expect(outputs).not.toContain('@');
    });
  };

  describe('stack dev', () => {
    let life: Life;
    let left: readonly string[];
    let broken: Operation;
    const previews = new Map<Edits, Operation>();
    const previewOf = (edits: Edits) => {
      const found = previews.get(edits);
      if (!found) throw new Error('there was no preview of this edit');
      return found;
    };
    beforeAll(async () => {
      const stack = await deployed();
      const look = (edits: Edits, options?: OperationOptions) =>
        stack.edited(edits, () => stack.preview(options));
      previews.set(WRONG_SQL, await look(WRONG_SQL));
      // With a role that EventBridge takes; before there is a table, of which a description would be left as it was.
      const files = replaced('config:', 'config:\n  stedi-lakehouse:start: files');
      const breaks = Object.values(BROKEN).map(({ file, from, to }) => [file, replaced(from, to)] as const);
      broken = await look([['Pulumi.dev.yaml', files], ...breaks], PACK);
      life = await begun(stack);
      for (const { edits } of Object.values(BLAST_RADIUS)) previews.set(edits, await look(edits));
      for (const edits of [REWORDED, SWAPPED]) previews.set(edits, await look(edits));
      left = await leftOf(stack);
    });

    itBegins(() => life);

    it('shows every policy whole in its first preview', () => {
      const whole = life.preview.steps.filter(({ type }) => /^aws:(?:iam|s3)\/\w*[pP]olicy:/.test(type));
      expect(whole.length).toBeGreaterThan(15);
      for (const { name, inputs } of whole) {
        expect({ name, policy: String(inputs.policy).slice(0, 23) }).toEqual({
          name,
          policy: '{"Version":"2012-10-17"',
        });
      }
    });

    it('leaves nothing when it is destroyed', () => {
      expect(left).toEqual([]);
    });

    it.each(Object.entries(BLAST_RADIUS))(
      'is changed by %s where it must be, and nowhere else',
      (_, { edits, steps }) => {
        expect(told(succeeded(previewOf(edits)))).toEqual(steps.toSorted());
      },
    );

    it('replaces nothing, where every description changes', () => {
      const steps = told(succeeded(previewOf(REWORDED)));
      expect(steps.filter((step) => !step.startsWith('update '))).toEqual([]);
      // Tables tell of themselves and their columns, jobs of themselves; quarantines quote no contract.
      expect(steps).toHaveLength(lake.tables.size + lake.jobs.length);
      expect(steps.every((step) => /-(?:table|job)$/.test(step))).toBe(true);
    });

    it('stops a change that the data of a table would not survive, with all that is wrong', () => {
      const refused = previewOf(SWAPPED);
      expect(refused.status).not.toBe(0);
      for (const [column, was, is] of ['x 5 6', 'y 6 5'].map((change) => change.split(' '))) {
        expect(said(refused)).toContain(
          `machine_learning_curated.columns.${column}: was column ${was} of the deployed table and is ${is} now`,
        );
      }
    });

    it('tells every fault of the definition and of the SQL before any resource', () => {
      const refused = previewOf(WRONG_SQL);
      expect(refused.status).not.toBe(0);
      expect(refused.steps.filter(({ type }) => type.startsWith('aws:'))).toEqual([]);
      for (const fault of ['The definition has 2 faults:', 'reads "customer_landing"', 'reads "customers"'])
        expect(said(refused)).toContain(fault);
      expect(said(refused)).not.toMatch(/^\s+at .*\.ts/m);
    });

    it.each(Object.entries(BROKEN))(
      'where a component breaks %s, the policy says what is wrong',
      (policy, { says }) => {
        expect(broken.status).not.toBe(0);
        const found = mandatory(broken).filter((one) => one.policy === policy);
        if (found.length === 0) throw new Error(`${policy} said nothing: ${said(broken)}`);
        expect(found.map(({ message }) => message).join('\n')).toMatch(says);
      },
    );
  });

  describe('stack prod, with all that a stack can have', () => {
    const TABLE = 'stedi-curated-customers_curated-table';
    let life: Life;
    let refused: Operation;
    let [before, after]: ReturnType<Stack['world']>[] = [];
    let restarted: Operation;
    let moving: Operation;
    let moved: Operation;
    let tablesOfMoved: readonly string[];
    let unprotected: Operation;
    let left: readonly string[];
    beforeAll(async () => {
      const stack = await deployed({
        stack: 'prod',
        config: { start: 'files', network: {}, dashboard: true, ...BY_LAKE_FORMATION },
      });
      life = await begun(stack);

      before = stack.world();
      await stack.undone(async () => {
        refused = await stack.destroy();
        after = stack.world();
      });
      await stack.undone(async (state) => {
        await stack.import(enabledStart(state));
        restarted = await stack.preview();
      });

      // As docs/deploy.md says.
      for (const [path, change] of MOVED) stack.edit(path, change);
      moving = await stack.preview();
      const urn = (await stack.resources()).find((one) => one.urn.endsWith(`::${TABLE}`))?.urn;
      expect((await stack.pulumi(['state', 'unprotect', '--yes', String(urn)])).status).toBe(0);
      const old = ['--target', '**::stedi-curated-customers_curated**', '--target-dependents'];
      succeeded(await stack.destroy({ args: old }));
      stack.removeFromWorld('aws:glue/catalogTable:CatalogTable', /customers_curated$/);
      // S3 would write over these files; the stand-in does not.
      stack.removeFromWorld('aws:s3/bucketObjectv2:BucketObjectv2', /jobs\/customers_curated\//);
      stack.edit('Pulumi.prod.yaml', (text) => text.replace(/protect: "?true"?/, 'protect: false'));
      unprotected = await stack.preview(PACK);
      succeeded(await stack.up());
      moved = await stack.preview({ expectNoChanges: true });
      tablesOfMoved = existing(stack).filter((thing) => /CatalogTable .*customers_curated$/.test(thing));
      left = await leftOf(stack);
    });

    itBegins(() => life);

    it('is not destroyed while it is protected, and all that it protects stays', () => {
      expect(refused.status).not.toBe(0);
      expect(said(refused)).toMatch(/protected/);
      for (const type of ['aws:s3/bucket:Bucket', 'aws:glue/catalogTable:CatalogTable', 'aws:kms/key:Key']) {
        expect(before?.[type]).toBeDefined();
        expect(after?.[type]).toEqual(before?.[type]);
      }
    });

    it('replaces an enabled start of a stack of before, which no update could disable', () => {
      const steps = succeeded(restarted).steps.filter(({ type }) => type !== 'pulumi:pulumi:Stack');
      expect(steps.map(({ op, name }) => `${op} ${name}`)).toEqual(
        ['delete-replaced', 'replace', 'create-replacement'].map((op) => `${op} stedi-pipeline-start`),
      );
    });

    it('moves a protected table to another zone once its owner has removed the old one', () => {
      expect(moving.status).not.toBe(0);
      expect(said(moving)).toMatch(new RegExp(`${TABLE}" cannot be deleted\\s+because it is protected`));
      const steps = told(moving);
      expect(steps).toEqual(
        expect.arrayContaining(['create stedi-trusted-customers_curated-table', `delete ${TABLE}`]),
      );
      expect(steps.filter((step) => !step.includes('customers_curated')).toSorted()).toEqual([
        'update stedi-analyst-policy',
        'update stedi-audit-trail',
        'update stedi-curated-machine_learning_curated-policy',
        'update stedi-forget-policy',
        'update stedi-lake-formation-reader-policy',
        'update stedi-trusted-step_trainer_trusted-policy',
      ]);
      expect(told(succeeded(moved))).toEqual([]);
      expect(tablesOfMoved).toHaveLength(1);
    });

    it('prod-protected says what of it is not protected', () => {
      expect(unprotected.status).not.toBe(0);
      const names = mandatory(unprotected).map(({ policy }) => policy);
      expect([...new Set(names)]).toEqual(['prod-protected']);
      // Buckets with those of artifacts and of the trail, the database, tables with those of refused lines, key and secret.
      expect(names).toHaveLength(lake.zones.length + 2 + 1 + lake.tables.size + lake.sources.length + 2);
    });

    it('leaves the data that it has to keep, with what secures it, when it is destroyed', () => {
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
      expect(left.filter((thing) => thing.startsWith('Bucket '))).toHaveLength(lake.zones.length + 2);
      expect(left.filter((thing) => thing.startsWith('CatalogTable '))).toHaveLength(
        lake.tables.size + lake.sources.length,
      );
    });
  });

  it('tells every fault of the configuration before any resource, and nothing of a secret', async () => {
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
      expect(said(refused)).toContain(fault);
    }
    expect(said(refused)).not.toContain('tooshort');
    expect(said(refused)).not.toContain('nobody');
    expect(said(refused)).not.toMatch(/^\s+at .*\.ts/m);
  });
});

withPulumi('Lake Formation', () => {
  it('is set up by an administrator of it only', async () => {
    const config = { 'aws:region': 'eu-north-1', ...BY_LAKE_FORMATION };
    const refused = await (await deployed({ config })).preview();
    expect(refused.status).not.toBe(0);
    expect(refused.steps.filter(({ type }) => type.startsWith('aws:'))).toEqual([]);
    expect(said(refused)).toMatch(
      /permissions: is lake-formation, which only an administrator of Lake\s+Formation can set up, and user stand-in is none/,
    );
  });
});

it('has a broken program for each policy', () => {
  expect([...Object.keys(BROKEN), 'prod-protected'].sort()).toEqual(policies.map(({ name }) => name).sort());
});

/** The state, as if the trigger that starts the workflow had been made enabled. */
function enabledStart(state: string): string {
  const { deployment, ...rest } = JSON.parse(state);
  const resources = deployment.resources.map((one: { urn: string; inputs?: object; outputs?: object }) =>
    one.urn.endsWith('::stedi-pipeline-start')
      ? { ...one, inputs: { ...one.inputs, enabled: true }, outputs: { ...one.outputs, enabled: true } }
      : one,
  );
  return JSON.stringify({ ...rest, deployment: { ...deployment, resources } });
}
