import { check } from './standin/aws/model';
import { propertiesOf, shapeOf } from './standin/aws/schema';
import { KINDS } from './standin/aws/types';
import { UNKNOWN, type Values } from './standin/aws/values';
import { type Stack, stackIn, withPulumi } from './support/pulumi';

const PROGRAM = `
import { Job } from '@pulumi/aws/glue/job';
import { Role } from '@pulumi/aws/iam/role';
import { Bucket } from '@pulumi/aws/s3/bucket';
import { BucketObjectv2 } from '@pulumi/aws/s3/bucketObjectv2';
import { asset } from '@pulumi/pulumi';

const bucket = new Bucket('data');
const role = new Role('runner', { name: 'lake-runner', assumeRolePolicy: '{}', description: 'runs' });
const script = new BucketObjectv2('script', {
  bucket: bucket.bucket,
  key: 'job.py',
  source: new asset.StringAsset('print(1)'),
});
const job = new Job('job', {
  name: 'lake-job',
  roleArn: role.arn,
  command: { scriptLocation: 'job.py', name: 'glueetl' },
});
export const out = { bucket: bucket.bucket, bucketId: bucket.id, bucketArn: bucket.arn, role: role.name };
export const jobArn = job.arn;
`;

const JOB = 'aws:glue/job:Job';
const BUCKET = 'aws:s3/bucket:Bucket';
const OBJECT = 'aws:s3/bucketObjectv2:BucketObjectv2';
const ROLE = 'aws:iam/role:Role';

const all = ({ stdout, stderr }: { stdout: string; stderr: string }) => stdout + stderr;

withPulumi('the stand-in for AWS', () => {
  describe('through the life of a stack', () => {
    let stack: Stack;
    beforeAll(async () => {
      stack = await stackIn({ program: PROGRAM });
    });

    test('a preview from nothing knows the names, and not the arns', async () => {
      const { status, steps, stdout } = await stack.preview();
      expect(status).toBe(0);
      const creates = steps.filter(({ op }) => op === 'create').map(({ type, name }) => `${type} ${name}`);
      expect(creates.toSorted()).toEqual([
        `${JOB} job`,
        `${ROLE} runner`,
        `${BUCKET} data`,
        `${OBJECT} script`,
        'pulumi:pulumi:Stack test-dev',
      ]);
      expect(steps.find(({ name }) => name === 'job')?.inputs).toMatchObject({ roleArn: UNKNOWN });
      expect(stdout).toMatch(/bucket {3}: "data-[0-9a-f]{7}"/);
      expect(stdout).toMatch(/role {5}: "lake-runner"/);
      expect(stdout).toMatch(/bucketArn: \[unknown\]/);
      expect(stdout).toMatch(/bucketId : \[unknown\]/);
      expect(stdout).toMatch(/jobArn: \[unknown\]/);
      expect([stack.world(), stack.calls()]).toEqual([{}, []]);
    });

    test('up makes what the program says, and gives it arns', async () => {
      expect((await stack.up()).status).toBe(0);
      const { out, jobArn } = (await stack.outputs()) as { out: Record<string, string>; jobArn: string };
      expect(jobArn).toBe('arn:aws:glue:us-east-1:123456789012:job/lake-job');
      const name = out.bucket ?? '';
      expect(out).toEqual({
        bucket: name,
        bucketId: name,
        bucketArn: `arn:aws:s3:::${name}`,
        role: 'lake-runner',
      });
      expect(stack.world()[ROLE]?.['lake-runner']?.state.arn).toBe(
        'arn:aws:iam::123456789012:role/lake-runner',
      );
      expect(Object.keys(stack.world()[OBJECT] ?? {})).toEqual([`${name}/job.py`]);
      expect(
        stack
          .calls()
          .map(({ op, type }) => `${op} ${type}`)
          .toSorted(),
      ).toEqual([JOB, ROLE, BUCKET, OBJECT].map((type) => `create ${type}`));
      const object = (await stack.resources()).find(({ type }) => type === OBJECT);
      expect(object?.inputs).toMatchObject({ bucket: name, key: 'job.py', source: { text: 'print(1)' } });
      expect(object?.outputs).toMatchObject({ source: { text: 'print(1)' }, storageClass: 'STANDARD' });
    });

    test('nothing changes when the program does not', async () => {
      expect(await stack.preview({ expectNoChanges: true })).toMatchObject({ status: 0, steps: [] });
      stack.edit('index.ts', (text) => text.replace("description: 'runs'", "description: 'runs jobs'"));
      expect(await stack.preview({ expectNoChanges: true })).toMatchObject({
        status: 7,
        steps: [{ op: 'update', name: 'runner', diff: { description: 'update' } }],
      });
    });

    test('new content of an object is an update, and what AWS makes of it is unknown until then', async () => {
      stack.edit('index.ts', (text) => text.replace('print(1)', 'print(2)'));
      const { steps } = await stack.preview();
      expect(steps.find(({ name }) => name === 'script')).toMatchObject({
        op: 'update',
        diff: { source: 'update' },
        replaceKeys: [],
      });
      const etag = () => Object.values(stack.world()[OBJECT] ?? {})[0]?.state.etag;
      const before = etag();
      expect((await stack.up()).status).toBe(0);
      expect(etag()).not.toBe(before);
    });

    test('a property that forces it makes a new one; the old one of a given name goes first', async () => {
      stack.edit('index.ts', (text) =>
        text
          .replace("name: 'lake-job'", "name: 'lake-job-2'")
          .replace("'data')", "'data', { objectLockEnabled: true })"),
      );
      const { status, steps } = await stack.up();
      expect(status).toBe(0);
      const of = (what: string) => steps.filter(({ name }) => name === what).map(({ op }) => op);
      expect(of('job')).toEqual(['delete-replaced', 'replace', 'create-replacement']);
      expect(steps.find(({ name, op }) => name === 'job' && op === 'replace')?.replaceKeys).toEqual(['name']);
      expect(of('data')).toEqual(['create-replacement', 'replace', 'delete-replaced']);
      expect(Object.keys(stack.world()[JOB] ?? {})).toEqual(['lake-job-2']);
      expect(Object.keys(stack.world()[BUCKET] ?? {})).toHaveLength(1);
    });

    test('a bucket with objects in it does not go, unless it was said to', async () => {
      const [name = ''] = Object.keys(stack.world()[BUCKET] ?? {});
      stack.putInWorld(OBJECT, `${name}/stray.json`, { bucket: name, key: 'stray.json' });
      const refused = await stack.destroy();
      expect(refused.status).not.toBe(0);
      expect(all(refused)).toMatch(/BucketNotEmpty.*stray\.json/);
      expect(Object.keys(stack.world())).toEqual([BUCKET, OBJECT]);

      stack.edit('index.ts', (text) =>
        text.replace('objectLockEnabled: true', 'objectLockEnabled: true, forceDestroy: true'),
      );
      expect((await stack.up()).status).toBe(0);
      expect((await stack.destroy()).status).toBe(0);
      expect(stack.world()).toEqual({});
      expect(await stack.resources()).toEqual([]);
    });
  });

  describe('refuses what the provider would', () => {
    test.each([
      ['an unknown property', BUCKET, { bucketName: 'x' }, "unknown property 'bucketName'"],
      ['a type that it does not know', 'aws:sqs/queue:Queue', {}, 'does not know aws:sqs/queue:Queue'],
    ])('%s', async (_, type, properties, message) => {
      const stack = await stackIn({
        program: `
import { CustomResource } from '@pulumi/pulumi';
new CustomResource('${type}', 'it', ${JSON.stringify(properties)});`,
      });
      const ran = await stack.preview();
      expect(ran.status).not.toBe(0);
      expect(all(ran)).toContain(message);
    });

    // The engine stops at the first: the rest are asked of the stand-in itself.
    const failuresOf = (type: string, properties: Values) =>
      check(`urn:pulumi:dev::test::${type}::it`, {}, properties, Buffer.alloc(8)).failures.map(
        ({ property, reason }) => `${property}: ${reason}`,
      );
    test.each<[string, string, Values, string[]]>([
      ['nothing', JOB, { roleArn: UNKNOWN, command: { scriptLocation: UNKNOWN } }, []],
      [
        'a missing property',
        JOB,
        { command: { scriptLocation: 'x' } },
        ["roleArn: missing required property 'roleArn'"],
      ],
      [
        'a missing property of an object',
        JOB,
        { roleArn: 'r', command: {} },
        ["command.scriptLocation: missing required property 'command.scriptLocation'"],
      ],
      [
        'an unknown property of an object in a list',
        'aws:glue/trigger:Trigger',
        { type: 'ON_DEMAND', actions: [{ job: 'x' }] },
        ["actions[0].job: unknown property 'actions[0].job'"],
      ],
      [
        'a name that AWS does not take',
        BUCKET,
        { bucket: 'Data' },
        [expect.stringContaining("bucket: 'Data' is no name that AWS takes")],
      ],
      [
        'a name that is too long',
        ROLE,
        { name: 'x'.repeat(65), assumeRolePolicy: '{}' },
        [expect.stringContaining('is longer than 64 characters')],
      ],
    ])('%s, of all that is checked', (_, type, properties, failures) => {
      expect(failuresOf(type, properties)).toEqual(failures);
    });

    test('each type of its table is one of the real SDK, with the properties that the table speaks of', () => {
      for (const [type, { name, defaults = {}, force, needs = {} }] of Object.entries(KINDS)) {
        const { inputs } = shapeOf(type);
        const spoken = [...force, ...Object.keys({ ...defaults, ...needs }), ...(name ? [name] : [])]
          .filter((path) => path !== '*')
          .map((path) => path.split('.'));
        for (const [first = '', ...rest] of spoken) {
          let property = inputs.get(first);
          for (const step of rest) property = propertiesOf(property?.takes ?? '').get(step);
          expect([type, first, ...rest, property !== undefined]).toEqual([type, first, ...rest, true]);
        }
      }
    });

    test('what is there already, and what points at nothing, which no preview sees', async () => {
      const stack = await stackIn({
        program: `${PROGRAM}
import { RolePolicy } from '@pulumi/aws/iam/rolePolicy';
new RolePolicy('policy', { role: 'nobody', policy: '{}' });`,
      });
      stack.putInWorld(JOB, 'lake-job');
      expect((await stack.preview()).status).toBe(0);
      const ran = await stack.up({ args: ['--continue-on-error'] });
      expect(ran.status).not.toBe(0);
      expect(all(ran)).toContain(`creating ${JOB} (lake-job): AlreadyExists`);
      expect(all(ran)).toContain(`role: there is no ${ROLE} 'nobody'`);
      expect(
        stack
          .calls()
          .map(({ type }) => type)
          .toSorted(),
      ).toEqual([ROLE, BUCKET, OBJECT]);
    });

    test("a crawler's configuration comes back with Glue's own grouping, so one without it differs at every preview", async () => {
      const stack = await stackIn({
        program: `
import { CatalogDatabase } from '@pulumi/aws/glue/catalogDatabase';
import { Crawler } from '@pulumi/aws/glue/crawler';
const { name } = new CatalogDatabase('lake', { name: 'lake' });
const crawler = (own: string, configuration: object) =>
  new Crawler(own, {
    name: own,
    role: 'any',
    databaseName: name,
    catalogTargets: [{ databaseName: name, tables: ['any'] }],
    configuration: JSON.stringify(configuration),
  });
crawler('whole', { Version: 1, Grouping: { TableGroupingPolicy: 'CombineCompatibleSchemas' } });
crawler('short', { Version: 1 });`,
      });
      expect((await stack.up()).status).toBe(0);
      expect((await stack.preview()).steps).toMatchObject([
        { op: 'update', name: 'short', diff: { configuration: 'update' } },
      ]);
    });

    test('an update that starts or stops an EVENT trigger', async () => {
      const stack = await stackIn({
        program: `
import { Trigger } from '@pulumi/aws/glue/trigger';
import { Workflow } from '@pulumi/aws/glue/workflow';
const { name: workflowName } = new Workflow('flow', { name: 'flow' });
const trigger = { type: 'EVENT', workflowName, actions: [] };
new Trigger('on', { ...trigger, name: 'on', enabled: true });
new Trigger('off', { ...trigger, name: 'off', enabled: false });`,
      });
      expect((await stack.up()).status).toBe(0);
      stack.edit('index.ts', (text) => text.replace('enabled: true', 'enabled: !true'));
      stack.edit('index.ts', (text) => text.replace('enabled: false', 'enabled: !false'));
      const ran = await stack.up({ args: ['--continue-on-error'] });
      expect(ran.status).not.toBe(0);
      expect(all(ran)).toContain('(on): InvalidInputException: The operation is not allowed when trigger is');
      expect(all(ran)).toContain('(off): InvalidInputException: Trigger Type EVENT cannot be started');
    });

    test("a trail whose key does not let CloudTrail decrypt, where the trail's bucket has a bucket key", async () => {
      const stack = await stackIn({
        program: `
import { Trail } from '@pulumi/aws/cloudtrail/trail';
import { Key } from '@pulumi/aws/kms/key';
import { Bucket } from '@pulumi/aws/s3/bucket';
import { BucketServerSideEncryptionConfiguration as Encryption } from '@pulumi/aws/s3/bucketServerSideEncryptionConfiguration';
const Principal = { Service: 'cloudtrail.amazonaws.com' };
const keyOf = (name: string, Action: string[]) =>
  new Key(name, { policy: JSON.stringify({ Statement: [{ Effect: 'Allow', Principal, Action, Resource: '*' }] }) });
const encrypt = ['kms:DescribeKey', 'kms:GenerateDataKey'];
const keys = { short: keyOf('short', encrypt), whole: keyOf('whole', [...encrypt, 'kms:Decrypt']) };
const trail = (name: string, key: Key, bucketKeyEnabled: boolean) => {
  const { bucket } = new Bucket(name, { bucket: name + '-audit' });
  const rules = [{ bucketKeyEnabled, applyServerSideEncryptionByDefault: { sseAlgorithm: 'aws:kms' } }];
  const dependsOn = [new Encryption(name, { bucket, rules })];
  new Trail(name, { name, s3BucketName: bucket, kmsKeyId: key.arn }, { dependsOn });
};
trail('refused', keys.short, true);
trail('without-bucket-key', keys.short, false);
trail('taken', keys.whole, true);`,
      });
      const ran = await stack.up({ args: ['--continue-on-error'] });
      expect(ran.status).not.toBe(0);
      expect(all(ran)).toMatch(/refused\): InsufficientEncryptionPolicyException: .*kms:Decrypt/);
      expect(
        Object.values(stack.world()['aws:cloudtrail/trail:Trail'] ?? {})
          .map(({ state }) => state.name)
          .toSorted(),
      ).toEqual(['taken', 'without-bucket-key']);
    });

    test('a function that it does not know', async () => {
      const stack = await stackIn({
        program: `
import { getUser } from '@pulumi/aws/iam/getUser';
getUser({ userName: 'x' });`,
      });
      expect(all(await stack.preview())).toContain('does not know the function aws:iam/getUser:getUser');
    });
  });

  test('answers from the configured region, keeps secrets out of its log, and fails once when told', async () => {
    const stack = await stackIn({
      program: `
import { getAvailabilityZones } from '@pulumi/aws/getAvailabilityZones';
import { getCallerIdentity } from '@pulumi/aws/getCallerIdentity';
import { getRegion } from '@pulumi/aws/getRegion';
import { Secret } from '@pulumi/aws/secretsmanager/secret';
import { SecretVersion } from '@pulumi/aws/secretsmanager/secretVersion';
import { Config } from '@pulumi/pulumi';
const secret = new Secret('key');
new SecretVersion('key', { secretId: secret.id, secretString: new Config().requireSecret('key') });
export const region = getRegion().then(({ region }) => region);
export const account = getCallerIdentity().then(({ accountId }) => accountId);
export const zones = getAvailabilityZones().then(({ names }) => names);
export const tags = secret.tagsAll;
`,
      config: { 'aws:region': 'eu-west-1', 'aws:defaultTags': { tags: { lake: 'stedi' } } },
      secrets: { key: 'hush-hush' },
    });
    const SECRET = 'aws:secretsmanager/secret:Secret';
    const failed = await stack.up({ env: { STANDIN_FAIL: `${SECRET}:create` } });
    expect(failed.status).not.toBe(0);
    expect(all(failed)).toContain('ServiceUnavailable');
    expect(stack.world()).toEqual({});

    expect((await stack.up()).status).toBe(0);
    expect(await stack.outputs()).toEqual({
      region: 'eu-west-1',
      account: '123456789012',
      zones: ['eu-west-1a', 'eu-west-1b', 'eu-west-1c'],
      tags: { lake: 'stedi' },
    });
    expect(JSON.stringify([stack.world(), stack.calls()])).not.toContain('hush-hush');
    expect(stack.calls().find(({ type }) => type.endsWith(':SecretVersion'))?.inputs).toMatchObject({
      secretString: '[secret]',
    });
    const refreshed = await stack.pulumi(['refresh', '--yes', '--skip-preview', '--expect-no-changes']);
    expect(refreshed.status).toBe(0);
    expect((await stack.preview({ expectNoChanges: true })).status).toBe(0);
  });
});

withPulumi('the stand-in for awsx', () => {
  // Without the whole of a module the SDK does not know the resources in it that a component gives back.
  const NETWORK = `
import '@pulumi/aws/cloudtrail';
import '@pulumi/aws/ec2';
import '@pulumi/aws/s3';
import { Trail } from '@pulumi/awsx/cloudtrail/trail';
import { Vpc } from '@pulumi/awsx/ec2/vpc';
const network = new Vpc('lake', {
  cidrBlock: '10.1.0.0/16',
  numberOfAvailabilityZones: 2,
  natGateways: { strategy: 'None' },
  subnetStrategy: 'Auto',
  subnetSpecs: [{ type: 'Isolated', cidrMask: 20 }],
  vpcEndpointSpecs: [{ serviceName: 'com.amazonaws.us-east-1.s3' }],
});
const trail = new Trail('audit', { name: 'lake-audit' });
export const ids = network.isolatedSubnetIds;
export const cidrs = network.subnets.apply((all) => all.map((one) => one.cidrBlock));
export const vpcId = network.vpcId;
export const tables = network.routeTables.apply((all) => all.map((one) => one.id));
export const bucket = trail.bucket.apply((one) => one?.bucket);
export const trailArn = trail.trail.apply((one) => one?.arn);
`;

  test('makes the children that awsx makes, and gives them back', async () => {
    const stack = await stackIn({ program: NETWORK });
    const { status, steps, stdout } = await stack.preview();
    expect(status).toBe(0);
    expect(stdout).toMatch(/vpcId +: \[unknown\]/);
    const made = steps
      .filter(({ type }) => type.startsWith('aws:ec2'))
      .map(({ type, name }) => `${type} ${name}`);
    expect(made.toSorted()).toEqual([
      'aws:ec2/internetGateway:InternetGateway lake',
      'aws:ec2/routeTable:RouteTable lake-isolated-1',
      'aws:ec2/routeTable:RouteTable lake-isolated-2',
      'aws:ec2/routeTableAssociation:RouteTableAssociation lake-isolated-1',
      'aws:ec2/routeTableAssociation:RouteTableAssociation lake-isolated-2',
      'aws:ec2/subnet:Subnet lake-isolated-1',
      'aws:ec2/subnet:Subnet lake-isolated-2',
      'aws:ec2/vpc:Vpc lake',
      'aws:ec2/vpcEndpoint:VpcEndpoint com.amazonaws.us-east-1.s3',
    ]);
    const up = await stack.up();
    expect(up.status).toBe(0);
    const world = stack.world();
    const outputs = await stack.outputs();
    expect((outputs.ids as string[]).toSorted()).toEqual(
      Object.keys(world['aws:ec2/subnet:Subnet'] ?? {}).toSorted(),
    );
    expect(outputs).toMatchObject({
      cidrs: ['10.1.0.0/20', '10.1.128.0/20'],
      vpcId: expect.stringMatching(/^vpc-[0-9a-f]{17}$/),
      tables: [expect.stringMatching(/^rtb-/), expect.stringMatching(/^rtb-/)],
      bucket: Object.keys(world[BUCKET] ?? {})[0],
      trailArn: 'arn:aws:cloudtrail:us-east-1:123456789012:trail/lake-audit',
    });
    expect((await stack.preview({ expectNoChanges: true })).status).toBe(0);
    expect((await stack.destroy()).status).toBe(0);
    expect(stack.world()).toEqual({});
  });

  test('has no NAT', async () => {
    const stack = await stackIn({ program: NETWORK.replace("strategy: 'None'", "strategy: 'Single'") });
    const ran = await stack.preview();
    expect(ran.status).not.toBe(0);
    expect(all(ran)).toContain('the stand-in models no NAT');
  });
});
