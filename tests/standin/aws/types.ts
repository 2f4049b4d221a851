// What the provider does with each type of resource, as far as a program can see it. `force` are the properties that
// make a new resource, as hashicorp/terraform-provider-aws marks them (ForceNew, RequiresReplace), which the real
// provider is made from. Read there: glue's job, trigger, table and optimizer, athena's named query, secret version
// and trail. The rest are from its documentation and from memory: where a test rests on one of
// them, look it up first. The names of the properties come from the real @pulumi/aws (schema.ts).
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { dashboardFaults } from './dashboard';
import { at, isAsset, isList, isObject, text, type Value, type Values } from './values';
import type { World } from './world';

export const ACCOUNT = '123456789012';
const CALLER = `arn:aws:iam::${ACCOUNT}:user/stand-in`;

export interface Where {
  readonly region: string;
}

export interface Kind {
  /** The property with the physical name, made from the logical one when absent, and how. */
  readonly name?: string;
  readonly named?: (logical: string, hex: string) => string;
  /** What a name may look like. */
  readonly max?: number;
  readonly pattern?: RegExp;
  readonly id: (made: Values, where: Where) => string;
  /** What AWS knows it by, where that is not the id. */
  readonly key?: (made: Values, id: string) => string;
  /** What AWS gives back when it makes one, before the id is known; unknown in a preview. */
  readonly out?: (inputs: Values, where: Where) => Values;
  /** Of those, the ones that an update gives a new value. */
  readonly renewed?: readonly string[];
  /** What the provider fills in where the program says nothing; known in a preview. */
  readonly defaults?: Values;
  /** What AWS makes of the inputs, which the provider reads back and compares with. */
  readonly kept?: (inputs: Values) => Values;
  /** Why AWS refuses it, as it is with what else exists; `old` are the inputs before an update. */
  readonly refuses?: (inputs: Values, world: World, old?: Values) => string | undefined;
  /** A change of these, or of anything in them, makes a new one; `*` is every property. */
  readonly force: readonly string[];
  /** What must exist before it, by the path of the property that says which. */
  readonly needs?: Readonly<Record<string, string>>;
  /** What must be gone before it, the property that takes those along, and what AWS says when they are there. */
  readonly heldBy?: { readonly types: readonly string[]; readonly unless?: string; readonly error: string };
}

const hex = (digits: number) =>
  randomBytes(Math.ceil(digits / 2))
    .toString('hex')
    .slice(0, digits);
const made = (prefix: string) => `${prefix}-0${hex(16)}`;
const slug = (made: Values, ...keys: string[]) => keys.map((key) => text(made[key])).join(':');

const arnOf = (service: string, { region }: Where, resource: string) =>
  `arn:aws:${service}:${region}:${ACCOUNT}:${resource}`;
const global = (service: string, resource: string) => `arn:aws:${service}::${ACCOUNT}:${resource}`;

/** The provider's `arn` for types that AWS knows by a name. */
const named = (service: string, resource: (name: string) => string) => (inputs: Values, where: Where) => ({
  arn: arnOf(service, where, resource(text(inputs.name))),
});
const byName = (made: Values) => text(made.name);
const byArn = (made: Values) => text(made.arn);
/** Of what AWS gives no name. */
const hashOf = (made: Values) => createHash('md5').update(JSON.stringify(made)).digest('hex');
const catalog = (made: Values) => text(made.catalogId) || ACCOUNT;

function digest(inputs: Values, algorithm: string): string {
  const { source, content, contentBase64 } = inputs;
  const bytes: Value =
    isObject(source) && isAsset(source) ? source.hash : (source ?? content ?? contentBase64 ?? '');
  return createHash(algorithm).update(text(bytes)).digest('hex');
}

const ofBucket = { id: (made: Values) => text(made.bucket), needs: { bucket: 'aws:s3/bucket:Bucket' } };

const securityGroupRule: Kind = {
  id: (made) => text(made.securityGroupRuleId),
  out: (_, where) => {
    const id = made('sgr');
    return { securityGroupRuleId: id, arn: arnOf('ec2', where, `security-group-rule/${id}`) };
  },
  force: ['securityGroupId'],
  needs: { securityGroupId: 'aws:ec2/securityGroup:SecurityGroup' },
};

/** A thing of EC2, known by an id that AWS makes up, which its arn ends in. */
const ofEc2 = (
  prefix: string,
  noun: string,
  more: (id: string, inputs: Values, where: Where) => Values = () => ({}),
) => ({
  id: (made: Values) => text(made.arn).replace(/.*\//, ''),
  out: (inputs: Values, where: Where) => {
    const id = made(prefix);
    return { arn: arnOf('ec2', where, `${noun}/${id}`), ownerId: ACCOUNT, ...more(id, inputs, where) };
  },
});

/** Glue adds how it groups to the configuration of a crawler of catalogue tables (terraform-provider-aws 30212). */
function crawlerKept({ catalogTargets, configuration }: Values): Values {
  if (!isList(catalogTargets) || catalogTargets.length === 0) return {};
  const given = { Version: 1, ...(JSON.parse(text(configuration) || '{}') as Values) };
  if ('Grouping' in given) return {};
  const grouping = { TableGroupingPolicy: 'CombineCompatibleSchemas' };
  return { configuration: JSON.stringify({ ...given, Grouping: grouping }) };
}

/** The provider starts or stops a trigger whose `enabled` changes (terraform-provider-aws 49407). */
function eventTriggerRefuses({ type, enabled }: Values, _: World, old?: Values): string | undefined {
  if (type !== 'EVENT' || old === undefined || old.enabled === enabled) return;
  return enabled === true
    ? 'InvalidInputException: Trigger Type EVENT cannot be started'
    : 'InvalidInputException: The operation is not allowed when trigger is in state: CREATED';
}

/** Not every service has endpoints in every zone; here it is Glue, and the first one. */
const endpointZones = ({ region }: Where, serviceName: string) =>
  ['a', 'b', 'c']
    .filter((zone) => zone !== 'a' || !serviceName.endsWith('.glue'))
    .map((zone) => `${region}${zone}`);

/** EC2 makes no interface endpoint where its service has none. */
function endpointRefuses({ serviceName, subnetIds }: Values, world: World): string | undefined {
  const region = text(serviceName).split('.')[2] ?? '';
  const offered = endpointZones({ region }, text(serviceName));
  const outside = Object.values(world['aws:ec2/subnet:Subnet'] ?? {}).find(
    ({ id, state }) =>
      isList(subnetIds) && subnetIds.includes(id) && !offered.includes(text(state.availabilityZone)),
  );
  return outside
    ? `InvalidParameter: The VPC endpoint service ${text(serviceName)} does not support the availability zone of the subnet: ${outside.id}`
    : undefined;
}

/** CloudTrail tries whether it may use the key, and to decrypt by it where the bucket has a bucket key. */
function trailRefuses({ kmsKeyId, s3BucketName }: Values, world: World): string | undefined {
  if (kmsKeyId === undefined) return;
  const bucketKey = Object.values(
    world['aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration'] ?? {},
  ).some(
    ({ inputs }) =>
      inputs.bucket === s3BucketName && at(inputs, ['rules', 'bucketKeyEnabled']).includes(true),
  );
  const key = Object.values(world['aws:kms/key:Key'] ?? {}).find(({ state }) => state.arn === kmsKeyId);
  const { Statement = [] } = JSON.parse(text(key?.inputs.policy ?? '') || '{}') as {
    Statement?: { Effect: string; Principal: { Service?: string | string[] }; Action: string | string[] }[];
  };
  const granted = Statement.filter(
    ({ Effect, Principal }) =>
      Effect === 'Allow' && [Principal.Service].flat().includes('cloudtrail.amazonaws.com'),
  ).flatMap(({ Action }) => Action);
  const lacking = ['kms:GenerateDataKey', 'kms:DescribeKey', ...(bucketKey ? ['kms:Decrypt'] : [])].filter(
    (action) => !granted.includes(action),
  );
  return lacking.length > 0
    ? `InsufficientEncryptionPolicyException: the key's policy lets CloudTrail not ${lacking.join(', ')}`
    : undefined;
}

export const KINDS: Readonly<Record<string, Kind>> = {
  'aws:s3/bucket:Bucket': {
    name: 'bucket',
    named: (logical, hex) => `${logical.toLowerCase()}-${hex}`,
    max: 63,
    pattern: /^[a-z0-9][a-z0-9.-]+[a-z0-9]$/,
    id: (made) => text(made.bucket),
    out: ({ bucket }, { region }) => ({
      arn: `arn:aws:s3:::${text(bucket)}`,
      bucketDomainName: `${text(bucket)}.s3.amazonaws.com`,
      bucketRegion: region,
      bucketRegionalDomainName: `${text(bucket)}.s3.${region}.amazonaws.com`,
      hostedZoneId: 'Z3AQBSTGFYJSTF',
      requestPayer: 'BucketOwner',
    }),
    defaults: { forceDestroy: false },
    force: ['bucket', 'bucketPrefix', 'bucketNamespace', 'objectLockEnabled'],
    heldBy: {
      types: ['aws:s3/bucketObjectv2:BucketObjectv2'],
      unless: 'forceDestroy',
      error: 'BucketNotEmpty: The bucket you tried to delete is not empty',
    },
  },
  'aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock': { ...ofBucket, force: ['bucket'] },
  'aws:s3/bucketOwnershipControls:BucketOwnershipControls': { ...ofBucket, force: ['bucket'] },
  'aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration': {
    ...ofBucket,
    force: ['bucket', 'expectedBucketOwner'],
  },
  'aws:s3/bucketVersioning:BucketVersioning': { ...ofBucket, force: ['bucket', 'expectedBucketOwner'] },
  'aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration': {
    ...ofBucket,
    out: () => ({ transitionDefaultMinimumObjectSize: 'all_storage_classes_128K' }),
    force: ['bucket', 'expectedBucketOwner'],
  },
  'aws:s3/bucketPolicy:BucketPolicy': { ...ofBucket, force: ['bucket'] },
  'aws:s3/bucketNotification:BucketNotification': { ...ofBucket, force: ['bucket'] },
  'aws:s3/bucketObjectv2:BucketObjectv2': {
    name: 'key',
    named: (logical) => logical,
    max: 1024,
    id: (made) => text(made.key),
    key: (made) => `${text(made.bucket)}/${text(made.key)}`,
    out: (inputs) => ({
      arn: `arn:aws:s3:::${text(inputs.bucket)}/${text(inputs.key)}`,
      etag: digest(inputs, 'md5'),
      checksumCrc64nvme: digest(inputs, 'md5').slice(0, 16),
      contentType: 'application/octet-stream',
      serverSideEncryption: 'AES256',
      storageClass: 'STANDARD',
      versionId: hex(32),
    }),
    renewed: ['etag', 'checksumCrc64nvme', 'versionId'],
    defaults: { forceDestroy: false },
    force: ['bucket', 'key'],
    needs: { bucket: 'aws:s3/bucket:Bucket' },
  },

  'aws:kms/key:Key': {
    id: (made) => text(made.keyId),
    out: (_, where) => {
      const keyId = randomUUID();
      return { keyId, arn: arnOf('kms', where, `key/${keyId}`), policy: '{"Version":"2012-10-17"}' };
    },
    defaults: {
      bypassPolicyLockoutSafetyCheck: false,
      customerMasterKeySpec: 'SYMMETRIC_DEFAULT',
      enableKeyRotation: false,
      isEnabled: true,
      keyUsage: 'ENCRYPT_DECRYPT',
    },
    force: ['customKeyStoreId', 'customerMasterKeySpec', 'keyUsage', 'multiRegion', 'xksKeyId'],
  },
  'aws:kms/alias:Alias': {
    name: 'name',
    named: (logical, hex) => `alias/${logical}-${hex}`,
    max: 256,
    pattern: /^alias\/(?!aws\/)[\w/-]+$/,
    id: byName,
    out: (inputs, where) => ({
      arn: arnOf('kms', where, text(inputs.name)),
      targetKeyArn: text(inputs.targetKeyId).startsWith('arn:')
        ? text(inputs.targetKeyId)
        : arnOf('kms', where, `key/${text(inputs.targetKeyId)}`),
    }),
    renewed: ['targetKeyArn'],
    force: ['name', 'namePrefix'],
    needs: { targetKeyId: 'aws:kms/key:Key' },
  },

  'aws:iam/role:Role': {
    name: 'name',
    max: 64,
    pattern: /^[\w+=,.@-]+$/,
    id: byName,
    out: ({ name, path }) => ({
      arn: global('iam', `role${text(path) || '/'}${text(name)}`),
      createDate: '2026-01-01T00:00:00Z',
      uniqueId: `AROA${hex(16).toUpperCase()}`,
    }),
    defaults: { forceDetachPolicies: false, maxSessionDuration: 3600, path: '/' },
    force: ['name', 'namePrefix', 'path'],
    heldBy: {
      types: ['aws:iam/rolePolicy:RolePolicy'],
      unless: 'forceDetachPolicies',
      error: 'DeleteConflict: Cannot delete entity, must detach all policies first',
    },
  },
  'aws:iam/rolePolicy:RolePolicy': {
    name: 'name',
    max: 128,
    pattern: /^[\w+=,.@-]+$/,
    id: (made) => slug(made, 'role', 'name'),
    force: ['name', 'namePrefix', 'role'],
    needs: { role: 'aws:iam/role:Role' },
  },
  'aws:iam/policy:Policy': {
    name: 'name',
    max: 128,
    pattern: /^[\w+=,.@-]+$/,
    id: byArn,
    out: ({ name, path }) => ({
      arn: global('iam', `policy${text(path) || '/'}${text(name)}`),
      attachmentCount: 0,
      policyId: `ANPA${hex(16).toUpperCase()}`,
    }),
    defaults: { path: '/' },
    force: ['description', 'name', 'namePrefix', 'path'],
  },

  'aws:glue/catalogDatabase:CatalogDatabase': {
    name: 'name',
    max: 255,
    pattern: /^[^A-Z]+$/,
    id: (made) => `${catalog(made)}:${text(made.name)}`,
    out: (inputs, where) => ({
      arn: arnOf('glue', where, `database/${text(inputs.name)}`),
      catalogId: ACCOUNT,
    }),
    force: ['catalogId', 'name'],
  },
  'aws:glue/catalogTable:CatalogTable': {
    name: 'name',
    max: 255,
    pattern: /^[^A-Z]+$/,
    id: (made) => `${catalog(made)}:${slug(made, 'databaseName', 'name')}`,
    out: (inputs, where) => ({
      arn: arnOf('glue', where, `table/${text(inputs.databaseName)}/${text(inputs.name)}`),
      catalogId: ACCOUNT,
      tableType: 'EXTERNAL_TABLE',
    }),
    force: [
      'catalogId',
      'databaseName',
      'name',
      'openTableFormatInput.icebergInput.metadataOperation',
      'openTableFormatInput.icebergInput.version',
      'partitionIndices',
    ],
    needs: { databaseName: 'aws:glue/catalogDatabase:CatalogDatabase' },
  },
  'aws:glue/catalogTableOptimizer:CatalogTableOptimizer': {
    id: (made) => ['catalogId', 'databaseName', 'tableName', 'type'].map((key) => text(made[key])).join(','),
    force: ['catalogId', 'databaseName', 'tableName', 'type'],
    needs: {
      databaseName: 'aws:glue/catalogDatabase:CatalogDatabase',
      tableName: 'aws:glue/catalogTable:CatalogTable',
    },
  },
  'aws:glue/job:Job': {
    name: 'name',
    max: 255,
    id: byName,
    out: (inputs, where) => ({
      ...named('glue', (name) => `job/${name}`)(inputs, where),
      executionProperty: { maxConcurrentRuns: 1 },
      glueVersion: '0.9',
      jobMode: 'SCRIPT',
      timeout: 2880,
    }),
    force: ['name'],
  },
  'aws:glue/trigger:Trigger': {
    name: 'name',
    max: 255,
    id: byName,
    out: (inputs, where) => ({
      ...named('glue', (name) => `trigger/${name}`)(inputs, where),
      state:
        inputs.enabled === false || ['EVENT', 'ON_DEMAND'].includes(text(inputs.type))
          ? 'CREATED'
          : 'ACTIVATED',
    }),
    refuses: eventTriggerRefuses,
    renewed: ['state'],
    defaults: { enabled: true },
    force: ['name', 'type', 'workflowName'],
    needs: {
      'actions.jobName': 'aws:glue/job:Job',
      'actions.crawlerName': 'aws:glue/crawler:Crawler',
      'predicate.conditions.jobName': 'aws:glue/job:Job',
      'predicate.conditions.crawlerName': 'aws:glue/crawler:Crawler',
      workflowName: 'aws:glue/workflow:Workflow',
    },
  },
  'aws:glue/workflow:Workflow': {
    name: 'name',
    max: 255,
    id: byName,
    out: named('glue', (name) => `workflow/${name}`),
    force: ['name'],
  },
  'aws:glue/crawler:Crawler': {
    name: 'name',
    max: 255,
    id: byName,
    out: named('glue', (name) => `crawler/${name}`),
    kept: crawlerKept,
    force: ['name'],
    needs: { databaseName: 'aws:glue/catalogDatabase:CatalogDatabase' },
  },
  'aws:glue/connection:Connection': {
    name: 'name',
    max: 255,
    id: (made) => `${catalog(made)}:${text(made.name)}`,
    out: (inputs, where) => ({
      ...named('glue', (name) => `connection/${name}`)(inputs, where),
      catalogId: ACCOUNT,
    }),
    defaults: { connectionType: 'JDBC' },
    force: ['catalogId', 'name'],
  },

  'aws:athena/workgroup:Workgroup': {
    name: 'name',
    max: 128,
    pattern: /^[\w.-]+$/,
    id: byName,
    out: named('athena', (name) => `workgroup/${name}`),
    defaults: { forceDestroy: false, state: 'ENABLED' },
    force: ['name'],
    heldBy: {
      types: ['aws:athena/namedQuery:NamedQuery'],
      unless: 'forceDestroy',
      error: 'InvalidRequestException: WorkGroup is not empty',
    },
  },
  'aws:athena/namedQuery:NamedQuery': {
    name: 'name',
    max: 128,
    id: () => randomUUID(),
    defaults: { workgroup: 'primary' },
    force: ['*'],
    needs: { workgroup: 'aws:athena/workgroup:Workgroup' },
  },

  'aws:cloudwatch/logGroup:LogGroup': {
    name: 'name',
    max: 512,
    pattern: /^[\w./#-]+$/,
    id: byName,
    out: (inputs, where) => ({
      ...named('logs', (name) => `log-group:${name}`)(inputs, where),
      logGroupClass: 'STANDARD',
    }),
    defaults: { retentionInDays: 0, skipDestroy: false },
    force: ['logGroupClass', 'name', 'namePrefix'],
  },
  'aws:cloudwatch/metricAlarm:MetricAlarm': {
    name: 'name',
    max: 255,
    id: byName,
    out: named('cloudwatch', (name) => `alarm:${name}`),
    defaults: { actionsEnabled: true, treatMissingData: 'missing' },
    force: ['name'],
  },
  'aws:cloudwatch/dashboard:Dashboard': {
    name: 'dashboardName',
    max: 255,
    pattern: /^[\w-]+$/,
    id: ({ dashboardName }) => text(dashboardName),
    out: ({ dashboardName }) => ({
      dashboardArn: global('cloudwatch', `dashboard/${text(dashboardName)}`),
    }),
    refuses: ({ dashboardBody }) => {
      const [fault] = dashboardFaults(text(dashboardBody));
      return fault && `InvalidParameterInput: The field DashboardBody ${fault}`;
    },
    force: ['dashboardName'],
  },
  'aws:lakeformation/resource:Resource': {
    id: byArn,
    out: () => ({ lastModified: '2026-01-01T00:00:00Z' }),
    defaults: { useServiceLinkedRole: false, withFederation: false },
    force: ['arn'],
    needs: { roleArn: 'aws:iam/role:Role' },
  },
  'aws:lakeformation/permissions:Permissions': {
    id: hashOf,
    force: ['*'],
    needs: {
      'dataLocation.arn': 'aws:lakeformation/resource:Resource',
      'table.name': 'aws:glue/catalogTable:CatalogTable',
      'tableWithColumns.name': 'aws:glue/catalogTable:CatalogTable',
      'database.name': 'aws:glue/catalogDatabase:CatalogDatabase',
    },
  },
  'aws:lakeformation/optIn:OptIn': {
    id: hashOf,
    out: () => ({ lastModified: '2026-01-01T00:00:00Z', lastUpdatedBy: CALLER }),
    force: ['*'],
  },
  'aws:cloudwatch/eventRule:EventRule': {
    name: 'name',
    max: 64,
    pattern: /^[\w.-]+$/,
    id: ({ eventBusName, name }) =>
      [eventBusName, name]
        .filter((one) => one !== 'default')
        .map(text)
        .join('/'),
    out: ({ eventBusName, name }, where) => {
      const bus = eventBusName === 'default' ? '' : `${text(eventBusName)}/`;
      return { arn: arnOf('events', where, `rule/${bus}${text(name)}`) };
    },
    defaults: { eventBusName: 'default', forceDestroy: false },
    force: ['eventBusName', 'name', 'namePrefix'],
    heldBy: {
      types: ['aws:cloudwatch/eventTarget:EventTarget'],
      error: "ValidationException: Rule can't be deleted since it has targets",
    },
  },
  'aws:cloudwatch/eventTarget:EventTarget': {
    id: (made) => `${text(made.rule)}-${text(made.targetId)}`,
    out: () => ({ targetId: `terraform-${hex(26)}` }),
    defaults: { eventBusName: 'default', forceDestroy: false },
    force: ['eventBusName', 'rule', 'targetId'],
    needs: { rule: 'aws:cloudwatch/eventRule:EventRule' },
  },

  'aws:sns/topic:Topic': {
    name: 'name',
    max: 256,
    pattern: /^[\w-]+(\.fifo)?$/,
    id: byArn,
    out: (inputs, where) => ({
      ...named('sns', (name) => name)(inputs, where),
      owner: ACCOUNT,
      policy: '{"Version":"2008-10-17"}',
    }),
    defaults: { contentBasedDeduplication: false, fifoTopic: false },
    force: ['fifoTopic', 'name', 'namePrefix'],
  },
  'aws:sns/topicPolicy:TopicPolicy': {
    id: byArn,
    out: () => ({ owner: ACCOUNT }),
    force: ['arn'],
    needs: { arn: 'aws:sns/topic:Topic' },
  },
  'aws:sns/topicSubscription:TopicSubscription': {
    id: byArn,
    out: ({ topic, protocol }) => ({
      arn: `${text(topic)}:${randomUUID()}`,
      confirmationWasAuthenticated: protocol !== 'email',
      filterPolicyScope: '',
      ownerId: ACCOUNT,
      pendingConfirmation: protocol === 'email',
    }),
    defaults: { confirmationTimeoutInMinutes: 1, endpointAutoConfirms: false, rawMessageDelivery: false },
    force: ['endpoint', 'protocol', 'topic'],
    needs: { topic: 'aws:sns/topic:Topic' },
  },

  'aws:secretsmanager/secret:Secret': {
    name: 'name',
    max: 512,
    pattern: /^[\w/+=.@-]+$/,
    id: byArn,
    // Its arn ends in six characters of its own; the name is what must not be there twice.
    key: byName,
    out: (inputs, where) => ({
      arn: arnOf('secretsmanager', where, `secret:${text(inputs.name)}-${hex(6)}`),
    }),
    defaults: { forceOverwriteReplicaSecret: false, recoveryWindowInDays: 30 },
    force: ['name', 'namePrefix', 'type'],
  },
  'aws:secretsmanager/secretVersion:SecretVersion': {
    id: (made) => `${text(made.secretId)}|${text(made.versionId)}`,
    out: ({ secretId, secretStringWo }) => ({
      arn: text(secretId),
      secretArn: text(secretId),
      hasSecretStringWo: secretStringWo !== undefined,
      versionId: `terraform-${hex(26)}`,
      versionStages: ['AWSCURRENT'],
    }),
    force: ['secretBinary', 'secretId', 'secretString', 'secretStringWoVersion'],
    needs: { secretId: 'aws:secretsmanager/secret:Secret' },
  },

  'aws:ec2/vpc:Vpc': {
    ...ofEc2('vpc', 'vpc', () => ({
      defaultNetworkAclId: made('acl'),
      defaultRouteTableId: made('rtb'),
      defaultSecurityGroupId: made('sg'),
      dhcpOptionsId: made('dopt'),
      mainRouteTableId: made('rtb'),
      enableDnsHostnames: false,
    })),
    defaults: { enableDnsSupport: true, instanceTenancy: 'default' },
    force: ['cidrBlock', 'ipv4IpamPoolId', 'ipv4NetmaskLength'],
    heldBy: {
      types: [
        'aws:ec2/subnet:Subnet',
        'aws:ec2/securityGroup:SecurityGroup',
        'aws:ec2/internetGateway:InternetGateway',
        'aws:ec2/vpcEndpoint:VpcEndpoint',
        'aws:ec2/routeTable:RouteTable',
      ],
      error: 'DependencyViolation: The vpc has dependencies and cannot be deleted',
    },
  },
  'aws:ec2/subnet:Subnet': {
    ...ofEc2('subnet', 'subnet', (_, { availabilityZone }, { region }) => ({
      availabilityZone: `${region}a`,
      availabilityZoneId: `use1-az${'abc'.indexOf(text(availabilityZone).slice(-1)) + 1 || 1}`,
      privateDnsHostnameTypeOnLaunch: 'ip-name',
    })),
    defaults: { assignIpv6AddressOnCreation: false, mapPublicIpOnLaunch: false },
    force: ['availabilityZone', 'availabilityZoneId', 'cidrBlock', 'ipv6Native', 'outpostArn', 'vpcId'],
    needs: { vpcId: 'aws:ec2/vpc:Vpc' },
  },
  'aws:ec2/internetGateway:InternetGateway': {
    ...ofEc2('igw', 'internet-gateway'),
    force: [],
    needs: { vpcId: 'aws:ec2/vpc:Vpc' },
  },
  'aws:ec2/routeTable:RouteTable': {
    ...ofEc2('rtb', 'route-table'),
    force: ['vpcId'],
    needs: { vpcId: 'aws:ec2/vpc:Vpc' },
  },
  'aws:ec2/routeTableAssociation:RouteTableAssociation': {
    id: () => made('rtbassoc'),
    force: ['gatewayId', 'subnetId'],
    needs: { routeTableId: 'aws:ec2/routeTable:RouteTable', subnetId: 'aws:ec2/subnet:Subnet' },
  },
  'aws:ec2/securityGroup:SecurityGroup': {
    ...ofEc2('sg', 'security-group'),
    name: 'name',
    max: 255,
    key: (made) => slug(made, 'vpcId', 'name'),
    defaults: { description: 'Managed by Pulumi', revokeRulesOnDelete: false },
    force: ['description', 'name', 'namePrefix', 'vpcId'],
    needs: { vpcId: 'aws:ec2/vpc:Vpc' },
  },
  'aws:ec2/vpcEndpoint:VpcEndpoint': {
    ...ofEc2('vpce', 'vpc-endpoint', () => ({
      cidrBlocks: [],
      dnsEntries: [],
      networkInterfaceIds: [],
      prefixListId: made('pl'),
      state: 'available',
    })),
    defaults: { vpcEndpointType: 'Gateway' },
    refuses: endpointRefuses,
    force: [
      'resourceConfigurationArn',
      'serviceName',
      'serviceNetworkArn',
      'serviceRegion',
      'vpcEndpointType',
      'vpcId',
    ],
    needs: {
      vpcId: 'aws:ec2/vpc:Vpc',
      routeTableIds: 'aws:ec2/routeTable:RouteTable',
      subnetIds: 'aws:ec2/subnet:Subnet',
      securityGroupIds: 'aws:ec2/securityGroup:SecurityGroup',
    },
  },
  'aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule': securityGroupRule,
  'aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule': securityGroupRule,

  'aws:cloudtrail/trail:Trail': {
    name: 'name',
    max: 128,
    id: byArn,
    out: (inputs, where) => ({
      ...named('cloudtrail', (name) => `trail/${name}`)(inputs, where),
      homeRegion: where.region,
      snsTopicArn: '',
    }),
    defaults: {
      enableLogFileValidation: false,
      enableLogging: true,
      includeGlobalServiceEvents: true,
      isMultiRegionTrail: false,
      isOrganizationTrail: false,
    },
    force: ['name'],
    needs: { s3BucketName: 'aws:s3/bucket:Bucket' },
    refuses: trailRefuses,
  },
};

/** The functions of the provider that a program can call. */
export const FUNCTIONS: Readonly<Record<string, (where: Where, args: Values) => Values>> = {
  'aws:index/getCallerIdentity:getCallerIdentity': () => ({
    accountId: ACCOUNT,
    arn: CALLER,
    id: ACCOUNT,
    userId: 'AIDASTANDIN',
  }),
  'aws:index/getRegion:getRegion': ({ region }) => ({
    description: region,
    endpoint: `ec2.${region}.amazonaws.com`,
    id: region,
    name: region,
    region,
  }),
  'aws:index/getPartition:getPartition': () => ({
    dnsSuffix: 'amazonaws.com',
    id: 'aws',
    partition: 'aws',
    reverseDnsPrefix: 'com.amazonaws',
  }),
  'aws:index/getAvailabilityZones:getAvailabilityZones': ({ region }) => ({
    groupNames: [region],
    id: region,
    names: ['a', 'b', 'c'].map((zone) => `${region}${zone}`),
    region,
    zoneIds: ['use1-az1', 'use1-az2', 'use1-az3'],
  }),
  'aws:lakeformation/getDataLakeSettings:getDataLakeSettings': ({ region }) => ({
    // Not every account has set it up: none has in Stockholm.
    admins: region === 'eu-north-1' ? [] : [CALLER],
    allowExternalDataFiltering: false,
    allowFullTableExternalDataAccess: false,
    authorizedSessionTagValueLists: [],
    createDatabaseDefaultPermissions: [],
    createTableDefaultPermissions: [],
    externalDataFilteringAllowLists: [],
    id: ACCOUNT,
    parameters: {},
    readOnlyAdmins: [],
    region,
    trustedResourceOwners: [],
  }),
  'aws:ec2/getVpcEndpointService:getVpcEndpointService': (where, { serviceName }) => ({
    availabilityZones: endpointZones(where, text(serviceName)),
    id: text(serviceName),
    region: where.region,
  }),
};
