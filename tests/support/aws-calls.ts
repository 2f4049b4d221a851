// What the provider asks of AWS to make a resource, as far as the resource says it: the call of the API, and the same as
// a resource of a CloudFormation template. Names are the provider's in capitals, with what AWS calls otherwise.
import type { Emitted } from './emitted';

export type Json = { readonly [key: string]: unknown };

export interface Call {
  /** Of the resource. */
  readonly name: string;
  readonly service: string;
  readonly operation: string;
  readonly params: Json;
}

type Inputs = Readonly<Record<string, unknown>>;

/** Whose keys are data. */
const MAPS = [
  'parameters',
  'properties',
  'tags',
  'defaultArguments',
  'nonOverridableArguments',
  'argumentsMap',
];
/** Settings of the provider itself, that AWS never hears of. */
const OWN = [
  'forceDestroy',
  'enabled',
  'skipDestroy',
  'tags',
  'region',
  'retainOnDelete',
  'forceDetachPolicies',
];

const upper = (key: string) => key.charAt(0).toUpperCase() + key.slice(1);

/** `workerType` as `WorkerType`; what `names` has as AWS calls it. */
function named(value: unknown, names: Readonly<Record<string, string>> = {}): unknown {
  if (Array.isArray(value)) return value.map((one) => named(one, names));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      names[key] ?? upper(key),
      MAPS.includes(key) ? one : named(one, names),
    ]),
  );
}

const without = (inputs: Inputs, ...keys: readonly string[]) =>
  Object.fromEntries(Object.entries(inputs).filter(([key]) => ![...keys, ...OWN].includes(key)));

/** All inputs but those of the provider and some others. */
const all = (inputs: Inputs, names: Readonly<Record<string, string>> = {}, ...drop: readonly string[]) =>
  named(without(inputs, ...drop), names) as Json;

const tagList = (inputs: Inputs, Key = 'Key', Value = 'Value') =>
  Object.entries((inputs.tags as Json | undefined) ?? {}).map(([key, value]) => ({
    [Key]: key,
    [Value]: value,
  }));
/** The same with their tags. */
const tagged =
  (names: Readonly<Record<string, string>> = {}, ...drop: readonly string[]) =>
  (inputs: Inputs): Json => ({ ...all(inputs, names, ...drop), Tags: tagList(inputs) });
const tagMap = ({ tags }: Inputs) => (tags === undefined ? {} : { Tags: tags });
const tagSpec = (inputs: Inputs, ResourceType: string) => ({
  TagSpecifications: [{ ResourceType, Tags: tagList(inputs) }],
});

interface Shape {
  readonly service: string;
  readonly operation: string;
  readonly params: (inputs: Inputs) => Json;
  /** The kind of CloudFormation, where it has one, and its properties where they are not the call's. */
  readonly template?: { readonly type: string; readonly properties?: (inputs: Inputs) => Json };
}

const shape = (
  service: string,
  operation: string,
  params: Shape['params'],
  type?: string,
  properties?: (inputs: Inputs) => Json,
): Shape => ({
  service,
  operation,
  params,
  ...(type !== undefined && { template: { type: `AWS::${type}`, ...(properties && { properties }) } }),
});

const jobOf = (inputs: Inputs) => ({
  ...all(inputs, { roleArn: 'Role' }, 'connections'),
  ...(inputs.connections !== undefined && { Connections: { Connections: inputs.connections } }),
  ...tagMap(inputs),
});
const crawlerOf = (inputs: Inputs) => {
  const { CatalogTargets, ...rest } = all(inputs);
  return { ...rest, Targets: { CatalogTargets }, ...tagMap(inputs) };
};
const triggerOf = (inputs: Inputs) => {
  const batching = inputs.eventBatchingConditions as readonly unknown[] | undefined;
  return {
    ...all(inputs, {}, 'eventBatchingConditions'),
    ...(batching && { EventBatchingCondition: named(batching[0]) }),
    ...tagMap(inputs),
  };
};
const grantOf = (inputs: Inputs, more: Json = {}) => {
  const { Principal, Permissions, ...rest } = all(inputs, { arn: 'ResourceArn' });
  const Resource = Object.fromEntries(
    Object.entries(rest).map(([kind, place]) => [kind, { ...(place as Json), ...more }]),
  );
  return { Principal: { DataLakePrincipalIdentifier: Principal }, Permissions, Resource };
};
const ICEBERG = { fieldId: 'FieldId', type: 'Type' };
const tableInput = (inputs: Inputs) => {
  const { StorageDescriptor, ...rest } = all(
    inputs,
    { serDeInfo: 'SerdeInfo' },
    'databaseName',
    'catalogId',
    'openTableFormatInput',
  );
  return { ...rest, ...(StorageDescriptor !== undefined && { StorageDescriptor }) };
};
/** A field's type is a document of JSON, and so the text of a JSON text. */
const iceberg = ({ openTableFormatInput }: Inputs, names = ICEBERG) => {
  if (openTableFormatInput === undefined) return undefined;
  const { IcebergInput } = named(openTableFormatInput, names) as { IcebergInput: Json };
  const { IcebergTableInput, ...rest } = IcebergInput as { IcebergTableInput?: Json };
  return {
    IcebergInput: { ...rest, ...(IcebergTableInput && { CreateIcebergTableInput: IcebergTableInput }) },
  };
};
const optimizerOf = (inputs: Inputs) =>
  all(inputs, {
    configuration: 'TableOptimizerConfiguration',
    ...Object.fromEntries(
      [
        ...['roleArn', 'enabled', 'compactionConfiguration', 'retentionConfiguration'],
        ...['orphanFileDeletionConfiguration', 'icebergConfiguration', 'strategy', 'minInputFiles'],
        ...['deleteFileThreshold', 'runRateInHours', 'snapshotRetentionPeriodInDays'],
        ...['numberOfSnapshotsToRetain', 'cleanExpiredFiles', 'orphanFileRetentionPeriodInDays'],
      ].map((key) => [key, key]),
    ),
  });
const encryption = {
  applyServerSideEncryptionByDefault: 'ApplyServerSideEncryptionByDefault',
  sseAlgorithm: 'SSEAlgorithm',
  kmsMasterKeyId: 'KMSMasterKeyID',
};
const workgroup = {
  publishCloudwatchMetricsEnabled: 'PublishCloudWatchMetricsEnabled',
  enforceWorkgroupConfiguration: 'EnforceWorkGroupConfiguration',
  kmsKeyArn: 'KmsKey',
};
const workgroupOf = tagged(workgroup, 'state');
const alarmOf = (inputs: Inputs) => ({
  ...all(inputs, { name: 'AlarmName' }, 'dimensions'),
  Dimensions: Object.entries(inputs.dimensions as Json).map(([Name, Value]) => ({ Name, Value })),
  Tags: tagList(inputs),
});
const ingress = (inputs: Inputs) => ({
  GroupId: inputs.securityGroupId,
  IpPermissions: [
    {
      IpProtocol: inputs.ipProtocol,
      FromPort: inputs.fromPort,
      ToPort: inputs.toPort,
      ...(inputs.referencedSecurityGroupId !== undefined && {
        UserIdGroupPairs: [{ GroupId: inputs.referencedSecurityGroupId, Description: inputs.description }],
      }),
      ...(inputs.prefixListId !== undefined && {
        PrefixListIds: [{ PrefixListId: inputs.prefixListId, Description: inputs.description }],
      }),
    },
  ],
  ...tagSpec(inputs, 'security-group-rule'),
});
const connectionOf = (inputs: Inputs) => ({
  ConnectionInput: {
    ...all(inputs, { securityGroupIdLists: 'SecurityGroupIdList' }),
    ConnectionProperties: {},
  },
});
const selectors = (inputs: Inputs) =>
  named(inputs.advancedEventSelectors, { startsWiths: 'StartsWith' }) as readonly unknown[];
const policy = ({ policy: text }: Inputs) => JSON.parse(String(text));

const SHAPES: Readonly<Record<string, Shape>> = {
  'aws:s3/bucket:Bucket': shape(
    's3',
    'CreateBucket',
    ({ bucket }) => ({ Bucket: bucket }),
    'S3::Bucket',
    (inputs) => ({
      BucketName: inputs.bucket,
      Tags: tagList(inputs),
    }),
  ),
  'aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock': shape('s3', 'PutPublicAccessBlock', (inputs) => ({
    Bucket: inputs.bucket,
    PublicAccessBlockConfiguration: all(inputs, {}, 'bucket'),
  })),
  'aws:s3/bucketOwnershipControls:BucketOwnershipControls': shape(
    's3',
    'PutBucketOwnershipControls',
    (inputs) => ({
      Bucket: inputs.bucket,
      OwnershipControls: { Rules: [named(inputs.rule)] },
    }),
  ),
  'aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration': shape(
    's3',
    'PutBucketEncryption',
    (inputs) => ({
      Bucket: inputs.bucket,
      ServerSideEncryptionConfiguration: { Rules: named(inputs.rules, encryption) },
    }),
  ),
  'aws:s3/bucketVersioning:BucketVersioning': shape('s3', 'PutBucketVersioning', (inputs) => ({
    Bucket: inputs.bucket,
    VersioningConfiguration: named(inputs.versioningConfiguration),
  })),
  'aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration': shape(
    's3',
    'PutBucketLifecycleConfiguration',
    (inputs) => ({
      Bucket: inputs.bucket,
      LifecycleConfiguration: { Rules: named(inputs.rules, { id: 'ID' }) },
    }),
  ),
  'aws:s3/bucketPolicy:BucketPolicy': shape('s3', 'PutBucketPolicy', all, 'S3::BucketPolicy', (inputs) => ({
    Bucket: inputs.bucket,
    PolicyDocument: policy(inputs),
  })),
  'aws:s3/bucketNotification:BucketNotification': shape(
    's3',
    'PutBucketNotificationConfiguration',
    (inputs) => ({
      Bucket: inputs.bucket,
      NotificationConfiguration: inputs.eventbridge === true ? { EventBridgeConfiguration: {} } : {},
    }),
  ),
  'aws:s3/bucketObjectv2:BucketObjectv2': shape('s3', 'PutObject', ({ bucket, key }) => ({
    Bucket: bucket,
    Key: key,
  })),
  'aws:kms/key:Key': shape(
    'kms',
    'CreateKey',
    (inputs) => ({
      Description: inputs.description,
      Policy: inputs.policy,
      KeyUsage: inputs.keyUsage,
      KeySpec: inputs.customerMasterKeySpec,
      Tags: tagList(inputs, 'TagKey', 'TagValue'),
    }),
    'KMS::Key',
    (inputs) => ({
      Description: inputs.description,
      EnableKeyRotation: inputs.enableKeyRotation,
      PendingWindowInDays: inputs.deletionWindowInDays,
      KeyPolicy: policy(inputs),
      Tags: tagList(inputs),
    }),
  ),
  'aws:kms/alias:Alias': shape(
    'kms',
    'CreateAlias',
    (inputs) => all(inputs, { name: 'AliasName' }),
    'KMS::Alias',
  ),
  'aws:iam/role:Role': shape(
    'iam',
    'CreateRole',
    tagged({ name: 'RoleName', assumeRolePolicy: 'AssumeRolePolicyDocument' }),
    'IAM::Role',
    (inputs) => ({
      ...tagged({ name: 'RoleName' }, 'assumeRolePolicy')(inputs),
      AssumeRolePolicyDocument: JSON.parse(String(inputs.assumeRolePolicy)),
    }),
  ),
  'aws:iam/rolePolicy:RolePolicy': shape(
    'iam',
    'PutRolePolicy',
    (inputs) => all(inputs, { name: 'PolicyName', role: 'RoleName', policy: 'PolicyDocument' }),
    'IAM::RolePolicy',
    (inputs) => ({ PolicyName: inputs.name, RoleName: inputs.role, PolicyDocument: policy(inputs) }),
  ),
  'aws:iam/policy:Policy': shape(
    'iam',
    'CreatePolicy',
    tagged({ name: 'PolicyName', policy: 'PolicyDocument' }),
    'IAM::ManagedPolicy',
    (inputs) => ({ ManagedPolicyName: inputs.name, PolicyDocument: policy(inputs) }),
  ),
  'aws:glue/catalogDatabase:CatalogDatabase': shape(
    'glue',
    'CreateDatabase',
    (inputs) => ({ DatabaseInput: all(inputs), ...tagMap(inputs) }),
    'Glue::Database',
    (inputs) => ({ CatalogId: '123456789012', DatabaseInput: all(inputs) }),
  ),
  'aws:glue/catalogTable:CatalogTable': shape(
    'glue',
    'CreateTable',
    (inputs) => {
      const format = iceberg(inputs);
      return {
        DatabaseName: inputs.databaseName,
        ...(format
          ? { Name: inputs.name, OpenTableFormatInput: format }
          : { TableInput: tableInput(inputs) }),
      };
    },
    'Glue::Table',
    (inputs) => ({
      CatalogId: '123456789012',
      DatabaseName: inputs.databaseName,
      ...(inputs.openTableFormatInput === undefined
        ? { TableInput: tableInput(inputs) }
        : { Name: inputs.name, OpenTableFormatInput: { IcebergInput: { MetadataOperation: 'CREATE' } } }),
    }),
  ),
  'aws:glue/catalogTableOptimizer:CatalogTableOptimizer': shape('glue', 'CreateTableOptimizer', optimizerOf),
  'aws:glue/job:Job': shape('glue', 'CreateJob', jobOf, 'Glue::Job'),
  'aws:glue/trigger:Trigger': shape('glue', 'CreateTrigger', triggerOf, 'Glue::Trigger'),
  'aws:glue/workflow:Workflow': shape(
    'glue',
    'CreateWorkflow',
    (inputs) => ({ ...all(inputs), ...tagMap(inputs) }),
    'Glue::Workflow',
  ),
  'aws:glue/crawler:Crawler': shape('glue', 'CreateCrawler', crawlerOf, 'Glue::Crawler', (inputs) => {
    const { Schedule, ...rest } = crawlerOf(inputs) as Json;
    return { ...rest, ...(Schedule !== undefined && { Schedule: { ScheduleExpression: Schedule } }) };
  }),
  'aws:glue/connection:Connection': shape(
    'glue',
    'CreateConnection',
    (inputs) => ({ ...connectionOf(inputs), ...tagMap(inputs) }),
    'Glue::Connection',
    (inputs) => ({ CatalogId: '123456789012', ...connectionOf(inputs) }),
  ),
  'aws:athena/workgroup:Workgroup': shape(
    'athena',
    'CreateWorkGroup',
    workgroupOf,
    'Athena::WorkGroup',
    (inputs) => {
      const { Configuration, ...rest } = workgroupOf(inputs) as Json;
      return { ...rest, WorkGroupConfiguration: Configuration };
    },
  ),
  'aws:athena/namedQuery:NamedQuery': shape(
    'athena',
    'CreateNamedQuery',
    (inputs) => all(inputs, { query: 'QueryString', workgroup: 'WorkGroup' }),
    'Athena::NamedQuery',
  ),
  'aws:cloudwatch/logGroup:LogGroup': shape(
    'logs',
    'CreateLogGroup',
    ({ name, kmsKeyId, tags }) => ({ logGroupName: name, tags, ...(kmsKeyId !== undefined && { kmsKeyId }) }),
    'Logs::LogGroup',
    tagged({ name: 'LogGroupName' }),
  ),
  'aws:cloudwatch/metricAlarm:MetricAlarm': shape(
    'cloudwatch',
    'PutMetricAlarm',
    alarmOf,
    'CloudWatch::Alarm',
  ),
  'aws:lakeformation/resource:Resource': shape(
    'lakeformation',
    'RegisterResource',
    (inputs) => all(inputs, { arn: 'ResourceArn' }),
    'LakeFormation::Resource',
    (inputs) => ({ ...all(inputs, { arn: 'ResourceArn' }), UseServiceLinkedRole: false }),
  ),
  'aws:lakeformation/permissions:Permissions': shape(
    'lakeformation',
    'GrantPermissions',
    (inputs) => grantOf(inputs),
    'LakeFormation::PrincipalPermissions',
    (inputs) => ({ ...grantOf(inputs, { CatalogId: '123456789012' }), PermissionsWithGrantOption: [] }),
  ),
  'aws:lakeformation/optIn:OptIn': shape(
    'lakeformation',
    'CreateLakeFormationOptIn',
    ({ principals, resourceDatas }) => ({
      Principal: named((principals as readonly Inputs[])[0]),
      Resource: named((resourceDatas as readonly Inputs[])[0]),
    }),
  ),
  'aws:cloudwatch/dashboard:Dashboard': shape('cloudwatch', 'PutDashboard', all, 'CloudWatch::Dashboard'),
  'aws:cloudwatch/eventRule:EventRule': shape('events', 'PutRule', tagged(), 'Events::Rule', (inputs) => ({
    ...all(inputs, {}, 'eventPattern'),
    EventPattern: JSON.parse(String(inputs.eventPattern)),
  })),
  'aws:cloudwatch/eventTarget:EventTarget': shape('events', 'PutTargets', ({ rule, arn, roleArn }) => ({
    Rule: rule,
    Targets: [{ Id: 'made-by-the-provider', Arn: arn, ...(roleArn !== undefined && { RoleArn: roleArn }) }],
  })),
  'aws:sns/topic:Topic': shape(
    'sns',
    'CreateTopic',
    (inputs) => ({ Name: inputs.name, Tags: tagList(inputs) }),
    'SNS::Topic',
    (inputs) => ({
      TopicName: inputs.name,
      Tags: tagList(inputs),
      ...(inputs.kmsMasterKeyId !== undefined && { KmsMasterKeyId: inputs.kmsMasterKeyId }),
    }),
  ),
  'aws:sns/topicPolicy:TopicPolicy': shape(
    'sns',
    'SetTopicAttributes',
    (inputs) => ({ TopicArn: inputs.arn, AttributeName: 'Policy', AttributeValue: inputs.policy }),
    'SNS::TopicPolicy',
    (inputs) => ({ Topics: [inputs.arn], PolicyDocument: policy(inputs) }),
  ),
  'aws:sns/topicSubscription:TopicSubscription': shape(
    'sns',
    'Subscribe',
    ({ topic, protocol, endpoint }) => ({ TopicArn: topic, Protocol: protocol, Endpoint: endpoint }),
    'SNS::Subscription',
  ),
  'aws:secretsmanager/secret:Secret': shape(
    'secretsmanager',
    'CreateSecret',
    tagged({}, 'recoveryWindowInDays', 'forceOverwriteReplicaSecret'),
    'SecretsManager::Secret',
  ),
  'aws:secretsmanager/secretVersion:SecretVersion': shape('secretsmanager', 'PutSecretValue', all),
  'aws:cloudtrail/trail:Trail': shape(
    'cloudtrail',
    'CreateTrail',
    (inputs) => ({
      ...all(
        inputs,
        { name: 'Name', isMultiRegionTrail: 'IsMultiRegionTrail' },
        'advancedEventSelectors',
        'enableLogging',
      ),
      TagsList: tagList(inputs),
    }),
    'CloudTrail::Trail',
    (inputs) => ({
      ...all(inputs, { name: 'TrailName', kmsKeyId: 'KMSKeyId' }, 'advancedEventSelectors', 'enableLogging'),
      IsLogging: true,
      AdvancedEventSelectors: selectors(inputs),
      Tags: tagList(inputs),
    }),
  ),
  'aws:ec2/vpc:Vpc': shape(
    'ec2',
    'CreateVpc',
    (inputs) => ({
      CidrBlock: inputs.cidrBlock,
      InstanceTenancy: inputs.instanceTenancy,
      ...tagSpec(inputs, 'vpc'),
    }),
    'EC2::VPC',
    tagged(),
  ),
  'aws:ec2/subnet:Subnet': shape(
    'ec2',
    'CreateSubnet',
    ({ vpcId, availabilityZone, cidrBlock, ...inputs }) => ({
      VpcId: vpcId,
      AvailabilityZone: availabilityZone,
      CidrBlock: cidrBlock,
      ...tagSpec(inputs, 'subnet'),
    }),
    'EC2::Subnet',
    tagged({}, 'assignIpv6AddressOnCreation'),
  ),
  'aws:ec2/internetGateway:InternetGateway': shape(
    'ec2',
    'CreateInternetGateway',
    (inputs) => tagSpec(inputs, 'internet-gateway'),
    'EC2::InternetGateway',
    (inputs) => ({ Tags: tagList(inputs) }),
  ),
  'aws:ec2/routeTable:RouteTable': shape(
    'ec2',
    'CreateRouteTable',
    (inputs) => ({ VpcId: inputs.vpcId, ...tagSpec(inputs, 'route-table') }),
    'EC2::RouteTable',
    (inputs) => ({ VpcId: inputs.vpcId, Tags: tagList(inputs) }),
  ),
  'aws:ec2/routeTableAssociation:RouteTableAssociation': shape(
    'ec2',
    'AssociateRouteTable',
    all,
    'EC2::SubnetRouteTableAssociation',
  ),
  'aws:ec2/securityGroup:SecurityGroup': shape(
    'ec2',
    'CreateSecurityGroup',
    (inputs) => ({
      GroupName: inputs.name,
      Description: inputs.description,
      VpcId: inputs.vpcId,
      ...tagSpec(inputs, 'security-group'),
    }),
    'EC2::SecurityGroup',
    (inputs) => ({ GroupDescription: inputs.description, VpcId: inputs.vpcId, Tags: tagList(inputs) }),
  ),
  'aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule': shape(
    'ec2',
    'AuthorizeSecurityGroupIngress',
    ingress,
    'EC2::SecurityGroupIngress',
    (inputs) => ({
      GroupId: inputs.securityGroupId,
      SourceSecurityGroupId: inputs.referencedSecurityGroupId,
      ...all(inputs, {}, 'securityGroupId', 'referencedSecurityGroupId'),
    }),
  ),
  'aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule': shape(
    'ec2',
    'AuthorizeSecurityGroupEgress',
    ingress,
    'EC2::SecurityGroupEgress',
    (inputs) =>
      all(inputs, {
        securityGroupId: 'GroupId',
        referencedSecurityGroupId: 'DestinationSecurityGroupId',
        prefixListId: 'DestinationPrefixListId',
      }),
  ),
  'aws:ec2/vpcEndpoint:VpcEndpoint': shape(
    'ec2',
    'CreateVpcEndpoint',
    (inputs) => ({ ...all(inputs), ...tagSpec(inputs, 'vpc-endpoint') }),
    'EC2::VPCEndpoint',
    tagged(),
  ),
};

const shapeOf = ({ type, name }: Emitted): Shape => {
  const found = SHAPES[type];
  if (!found) throw new Error(`${name}: tests/support/aws-calls.ts does not know ${type}`);
  return found;
};

export const callsOf = (resources: readonly Emitted[]): Call[] =>
  resources.map((resource) => {
    const { service, operation, params } = shapeOf(resource);
    return { name: resource.name, service, operation, params: params({ ...resource.inputs }) };
  });

/** Of a CloudFormation template: resources by name. */
export type Template = Readonly<Record<string, { readonly Type: string; readonly Properties: Json }>>;

/** The resources that CloudFormation has too; the settings of a bucket are none by themselves there. */
export const templateOf = (resources: readonly Emitted[]): Template =>
  Object.fromEntries(
    resources.flatMap((resource) => {
      const { template, params } = shapeOf(resource);
      if (!template) return [];
      const properties = (template.properties ?? params)({ ...resource.inputs });
      return [[logicalOf(resource), { Type: template.type, Properties: properties }]];
    }),
  );

/** CloudFormation takes letters and digits. */
const logicalOf = ({ name, type }: Emitted) =>
  `${name}-${type.split(':').at(-1)}`.replaceAll(/[^A-Za-z0-9]+(.)?/g, (_, next = '') => next.toUpperCase());
