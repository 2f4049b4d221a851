// The stand-ins for the providers: by themselves, and once by Pulumi's engine, through the life of a stack.
import { check, configure, create, diff, invoke, update } from './standin/aws/model';
import { propertiesOf, shapeOf } from './standin/aws/schema';
import { KINDS } from './standin/aws/types';
import { UNKNOWN, type Value, type Values } from './standin/aws/values';
import { enter, type World } from './standin/aws/world';
import { Network } from './standin/awsx/provider';
import { type Operation, type Stack, stackIn, withPulumi } from './support/pulumi';

const JOB = 'aws:glue/job:Job';
const BUCKET = 'aws:s3/bucket:Bucket';
const OBJECT = 'aws:s3/bucketObjectv2:BucketObjectv2';
const ROLE = 'aws:iam/role:Role';

const urnOf = (type: string, name: string) => `urn:pulumi:dev::test::${type}::${name}`;
const checked = (type: string, name: string, inputs: Values) =>
  check(urnOf(type, name), {}, inputs, Buffer.alloc(8));
/** Makes a resource, as the engine would. */
function made(type: string, name: string, inputs: Values) {
  const { inputs: filled, failures } = checked(type, name, inputs);
  expect(failures).toEqual([]);
  return { inputs: filled, ...create(urnOf(type, name), filled, false) };
}

describe('the stand-in for AWS', () => {
  beforeEach(() => enter());

  const failuresOf = (type: string, properties: Values) =>
    checked(type, 'it', properties).failures.map(({ property, reason }) => `${property}: ${reason}`);
  test.each<[string, string, Values, string[]]>([
    ['nothing where all is well', JOB, { roleArn: UNKNOWN, command: { scriptLocation: UNKNOWN } }, []],
    ['an unknown property', BUCKET, { bucketName: 'x' }, ["bucketName: unknown property 'bucketName'"]],
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
  ])('finds %s', (_, type, properties, failures) => {
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

  test('knows no other type and no other function', () => {
    expect(() => checked('aws:sqs/queue:Queue', 'it', {})).toThrow('does not know aws:sqs/queue:Queue');
    const getUser = 'aws:iam/getUser:getUser';
    expect(() => invoke(getUser, { userName: 'x' })).toThrow(`does not know the function ${getUser}`);
  });

  test('refuses what is there already, and what points at nothing', () => {
    const job = {
      name: 'lake-job',
      roleArn: 'arn:aws:iam::aws:policy/any',
      command: { scriptLocation: 'x' },
    };
    made(JOB, 'job', job);
    expect(() => made(JOB, 'again', job)).toThrow(`creating ${JOB} (lake-job): AlreadyExists`);
    const policy = { name: 'its', role: 'nobody', policy: '{}' };
    expect(() => made('aws:iam/rolePolicy:RolePolicy', 'policy', policy)).toThrow(
      `role: there is no ${ROLE} 'nobody'`,
    );
  });

  test("gives a crawler's configuration back with Glue's own grouping, so one without it differs at every preview", () => {
    const type = 'aws:glue/crawler:Crawler';
    const changesOf = (configuration: Value) => {
      const catalogTargets = [{ databaseName: 'lake', tables: ['any'] }];
      const inputs = {
        role: 'any',
        databaseName: 'lake',
        catalogTargets,
        configuration: JSON.stringify(configuration),
      };
      return diff(urnOf(type, 'crawler'), inputs, inputs).paths;
    };
    expect(changesOf({ Version: 1, Grouping: { TableGroupingPolicy: 'CombineCompatibleSchemas' } })).toEqual(
      [],
    );
    expect(changesOf({ Version: 1 })).toMatchObject([{ path: 'configuration', replaces: false }]);
  });

  test.each([
    [true, 'InvalidInputException: The operation is not allowed when trigger is'],
    [false, 'InvalidInputException: Trigger Type EVENT cannot be started'],
  ])('refuses an update that makes an EVENT trigger of enabled: %s the other', (enabled, refusal) => {
    made('aws:glue/workflow:Workflow', 'flow', { name: 'flow' });
    const type = 'aws:glue/trigger:Trigger';
    const trigger = { name: 'start', type: 'EVENT', workflowName: 'flow', actions: [], enabled };
    const { id, inputs, state } = made(type, 'start', trigger);
    const change = (news: Values) => update(urnOf(type, 'start'), id, state, news, false);
    expect(() => change({ ...inputs, enabled: !enabled })).toThrow(refusal);
  });

  test("refuses a trail whose key does not let CloudTrail decrypt, where the trail's bucket has a bucket key", () => {
    const trail = (name: string, actions: readonly string[], bucketKeyEnabled: boolean) => {
      const statement = {
        Effect: 'Allow',
        Principal: { Service: 'cloudtrail.amazonaws.com' },
        Action: actions,
        Resource: '*',
      };
      const key = made('aws:kms/key:Key', name, { policy: JSON.stringify({ Statement: [statement] }) });
      made(BUCKET, name, { bucket: name });
      made('aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration', name, {
        bucket: name,
        rules: [{ bucketKeyEnabled, applyServerSideEncryptionByDefault: { sseAlgorithm: 'aws:kms' } }],
      });
      const inputs = { name, s3BucketName: name, kmsKeyId: key.state.arn };
      return () => made('aws:cloudtrail/trail:Trail', name, inputs);
    };
    const encrypt = ['kms:DescribeKey', 'kms:GenerateDataKey'];
    expect(trail('refused', encrypt, true)).toThrow(/InsufficientEncryptionPolicyException: .*kms:Decrypt/);
    expect(trail('no-bucket-key', encrypt, false)).not.toThrow();
    expect(trail('whole', [...encrypt, 'kms:Decrypt'], true)).not.toThrow();
  });

  test('answers from the configured region', () => {
    try {
      configure({ region: 'eu-west-1', defaultTags: JSON.stringify({ tags: { lake: 'stedi' } }) });
      expect(invoke('aws:index/getRegion:getRegion', {})).toMatchObject({ region: 'eu-west-1' });
      expect(invoke('aws:index/getAvailabilityZones:getAvailabilityZones', {})).toMatchObject({
        names: ['eu-west-1a', 'eu-west-1b', 'eu-west-1c'],
      });
      expect(made(BUCKET, 'data', {}).state).toMatchObject({
        region: 'eu-west-1',
        tagsAll: { lake: 'stedi' },
      });
    } finally {
      configure({ region: 'us-east-1' });
    }
  });
});

test('the stand-in for awsx has no NAT', async () => {
  const make = (strategy: 'Single') =>
    new Network('lake', {}, {}).make('lake', { natGateways: { strategy } });
  await expect(make('Single')).rejects.toThrow('the stand-in models no NAT');
});

const PROGRAM = `
import { Job } from '@pulumi/aws/glue/job';
import { Role } from '@pulumi/aws/iam/role';
import { Bucket } from '@pulumi/aws/s3/bucket';
import { BucketObjectv2 } from '@pulumi/aws/s3/bucketObjectv2';
import { Secret } from '@pulumi/aws/secretsmanager/secret';
import { SecretVersion } from '@pulumi/aws/secretsmanager/secretVersion';
// Without the whole of a module the SDK does not know the resources in it that a component gives back.
import '@pulumi/aws/ec2';
import { Vpc } from '@pulumi/awsx/ec2/vpc';
import { asset, Config } from '@pulumi/pulumi';

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
const secret = new Secret('key');
new SecretVersion('key', { secretId: secret.id, secretString: new Config().requireSecret('key') });
const network = new Vpc('lake', {
  cidrBlock: '10.1.0.0/16',
  numberOfAvailabilityZones: 2,
  natGateways: { strategy: 'None' },
  subnetStrategy: 'Auto',
  subnetSpecs: [{ type: 'Isolated', cidrMask: 20 }],
  vpcEndpointSpecs: [{ serviceName: 'com.amazonaws.us-east-1.s3' }],
});
export const out = { bucket: bucket.bucket, bucketId: bucket.id, bucketArn: bucket.arn, role: role.name };
export const jobArn = job.arn;
export const { vpcId, isolatedSubnetIds: subnets } = network;
export const cidrs = network.subnets.apply((all) => all.map((one) => one.cidrBlock));
export const tables = network.routeTables.apply((all) => all.map((one) => one.id));
`;

withPulumi("the stand-ins, by Pulumi's engine, through the life of a stack", () => {
  const NETWORK = [
    'aws:ec2/internetGateway:InternetGateway lake',
    'aws:ec2/routeTable:RouteTable lake-isolated-1',
    'aws:ec2/routeTable:RouteTable lake-isolated-2',
    'aws:ec2/routeTableAssociation:RouteTableAssociation lake-isolated-1',
    'aws:ec2/routeTableAssociation:RouteTableAssociation lake-isolated-2',
    'aws:ec2/subnet:Subnet lake-isolated-1',
    'aws:ec2/subnet:Subnet lake-isolated-2',
    'aws:ec2/vpc:Vpc lake',
    'aws:ec2/vpcEndpoint:VpcEndpoint com.amazonaws.us-east-1.s3',
  ];
  let preview: Operation;
  let up: Operation;
  let made: { world: World; outputs: Readonly<Record<string, unknown>>; object: unknown };
  let same: Operation;
  let edited: Operation;
  let replacing: Operation;
  let replaced: World;
  let refused: Operation;
  let afterRefusal: World;
  let destroyed: Operation;
  let left: { world: World; resources: readonly unknown[] };
  beforeAll(async () => {
    const stack: Stack = await stackIn({ program: PROGRAM, secrets: { key: 'hush-hush' } });
    preview = await stack.preview();
    up = await stack.up();
    const object = (await stack.resources()).find(({ type }) => type === OBJECT);
    made = { world: stack.world(), outputs: await stack.outputs(), object };
    same = await stack.preview({ expectNoChanges: true });

    stack.edit('index.ts', (text) => text.replace("'runs'", "'runs jobs'").replace('print(1)', 'print(2)'));
    edited = await stack.preview({ expectNoChanges: true });
    stack.edit('index.ts', (text) =>
      text.replace("'lake-job'", "'lake-job-2'").replace("'data')", "'data', { objectLockEnabled: true })"),
    );
    replacing = await stack.up();
    replaced = stack.world();

    const [name = ''] = Object.keys(replaced[BUCKET] ?? {});
    stack.putInWorld(OBJECT, `${name}/stray.json`, { bucket: name, key: 'stray.json' });
    refused = await stack.destroy();
    afterRefusal = stack.world();
    stack.edit('index.ts', (text) =>
      text.replace('objectLockEnabled: true', 'objectLockEnabled: true, forceDestroy: true'),
    );
    expect(await stack.up()).toMatchObject({ status: 0 });
    destroyed = await stack.destroy();
    left = { world: stack.world(), resources: await stack.resources() };
  });

  test('a preview from nothing knows the names, and not the arns', () => {
    const { status, steps, stdout } = preview;
    expect(status).toBe(0);
    const creates = steps.filter(({ op }) => op === 'create').map(({ type, name }) => `${type} ${name}`);
    expect(creates.toSorted()).toEqual(
      [
        ...NETWORK,
        `${JOB} job`,
        `${ROLE} runner`,
        `${BUCKET} data`,
        `${OBJECT} script`,
        'aws:secretsmanager/secret:Secret key',
        'aws:secretsmanager/secretVersion:SecretVersion key',
        'awsx:ec2:Vpc lake',
        'pulumi:pulumi:Stack test-dev',
      ].toSorted(),
    );
    expect(steps.find(({ name }) => name === 'job')?.inputs).toMatchObject({ roleArn: UNKNOWN });
    expect(stdout).toMatch(/bucket {3}: "data-[0-9a-f]{7}"/);
    expect(stdout).toMatch(/role {5}: "lake-runner"/);
    for (const unknown of ['bucketArn', 'bucketId', 'jobArn', 'vpcId'])
      expect(stdout).toMatch(new RegExp(`${unknown} *: \\[unknown\\]`));
  });

  test('up makes what the program says, and gives it arns', () => {
    expect(up.status).toBe(0);
    const { world, outputs, object } = made;
    const [name = ''] = Object.keys(world[BUCKET] ?? {});
    expect(outputs).toMatchObject({
      jobArn: 'arn:aws:glue:us-east-1:123456789012:job/lake-job',
      out: { bucket: name, bucketId: name, bucketArn: `arn:aws:s3:::${name}`, role: 'lake-runner' },
      cidrs: ['10.1.0.0/20', '10.1.128.0/20'],
      vpcId: expect.stringMatching(/^vpc-[0-9a-f]{17}$/),
      tables: [expect.stringMatching(/^rtb-/), expect.stringMatching(/^rtb-/)],
    });
    expect((outputs.subnets as string[]).toSorted()).toEqual(
      Object.keys(world['aws:ec2/subnet:Subnet'] ?? {}).toSorted(),
    );
    expect(world[ROLE]?.['lake-runner']?.state.arn).toBe('arn:aws:iam::123456789012:role/lake-runner');
    expect(Object.keys(world[OBJECT] ?? {})).toEqual([`${name}/job.py`]);
    expect(object).toMatchObject({
      inputs: { bucket: name, key: 'job.py', source: { text: 'print(1)' } },
      outputs: { source: { text: 'print(1)' }, storageClass: 'STANDARD' },
    });
    expect(JSON.stringify(world)).toContain('[secret]');
    expect(JSON.stringify(world)).not.toContain('hush-hush');
  });

  test('nothing changes when the program does not', () => {
    expect(same).toMatchObject({ status: 0, steps: [] });
  });

  test('new content of an object is an update, as is a new description', () => {
    const changes = edited.steps.map(({ op, name, diff, replaceKeys }) => ({ op, name, diff, replaceKeys }));
    expect(edited.status).toBe(7);
    expect(changes.toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual([
      { op: 'update', name: 'runner', diff: { description: 'update' }, replaceKeys: [] },
      { op: 'update', name: 'script', diff: { source: 'update' }, replaceKeys: [] },
    ]);
    const etag = (world: World) => Object.values(world[OBJECT] ?? {})[0]?.state.etag;
    expect(etag(replaced)).not.toBe(etag(made.world));
  });

  test('a property that forces it makes a new one; the old one of a given name goes first', () => {
    const { status, steps } = replacing;
    expect(status).toBe(0);
    const of = (what: string) => steps.filter(({ name }) => name === what).map(({ op }) => op);
    expect(of('job')).toEqual(['delete-replaced', 'replace', 'create-replacement']);
    expect(steps.find(({ name, op }) => name === 'job' && op === 'replace')?.replaceKeys).toEqual(['name']);
    expect(of('data')).toEqual(['create-replacement', 'replace', 'delete-replaced']);
    expect(Object.keys(replaced[JOB] ?? {})).toEqual(['lake-job-2']);
    expect(Object.keys(replaced[BUCKET] ?? {})).toHaveLength(1);
  });

  test('a bucket with objects in it does not go, unless it was said to', () => {
    expect(refused.status).not.toBe(0);
    expect(refused.stdout + refused.stderr).toMatch(/BucketNotEmpty.*stray\.json/);
    expect(Object.keys(afterRefusal)).toEqual(expect.arrayContaining([BUCKET, OBJECT]));
    expect(destroyed.status).toBe(0);
    expect(left).toEqual({ world: {}, resources: [] });
  });
});
