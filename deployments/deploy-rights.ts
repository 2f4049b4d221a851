// What a role that deploys a stack may do: for each kind of resource that the program makes, the actions by which the
// provider makes, reads, changes and deletes one, on what has the stack's name or tags. Source: the `handlers` of AWS's own
// resource schemas, which cfn-lint brings, less what the program does not use; for S3 what the provider reads besides.
import type { Settings } from '../components/settings';
import type { Pipeline } from '../model';

type Condition = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;

/** In an ARN or a condition NAME is the stack's name, DATABASE its database, REGION and ACCOUNT where it is. */
interface Right {
  readonly actions: readonly string[];
  readonly on: readonly string[];
  readonly condition?: Condition;
}

interface Kind {
  /** Which stacks have one. Default: every one. */
  readonly when?: (settings: Settings, pipeline: Pipeline) => boolean;
  readonly rights: readonly Right[];
}

const BUCKET = 'arn:aws:s3:::NAME-*-ACCOUNT';
const regional = (service: string, resource: string) => `arn:aws:${service}:REGION:ACCOUNT:${resource}`;
const glue = (...resources: readonly string[]) => resources.map((resource) => regional('glue', resource));

const withKey = ({ encryption }: Settings) => encryption === 'kms';
const withAlerts = ({ alerts }: Settings) => alerts !== undefined;
const withNetwork = ({ network }: Settings) => network !== undefined;
/** Its actions know no resource. */
const byLakeFormation = ({ permissions }: Settings) => permissions === 'lake-formation';
const byFiles = ({ start }: Settings) => start === 'files';
const optimizing = ({ zones }: Settings, pipeline: Pipeline) =>
  pipeline.zones.some(
    ({ name, tables }) => zones[name]?.optimizeTables && tables.some(({ format }) => format === 'iceberg'),
  );
const withRules = (settings: Settings) => withAlerts(settings) || byFiles(settings);

/** What a resource's tags have to say for it to be the stack's. */
const TAGGED: Condition = {
  StringEquals: { 'aws:ResourceTag/project': 'PROJECT', 'aws:ResourceTag/stack': 'STACK' },
};

/** What a service lets do, by the names of its actions. */
const right = (service: string, names: string, on: readonly string[], condition?: Condition): Right => ({
  actions: names.split(/\s+/).map((name) => `${service}:${name}`),
  on,
  ...(condition && { condition }),
});
const always = (...rights: readonly Right[]): Kind => ({ rights });
const where = (when: NonNullable<Kind['when']>, ...rights: readonly Right[]): Kind => ({ when, rights });

const onBuckets = (names: string) => right('s3', names, [BUCKET]);

/** An entry of Glue's catalogue, whose ARNs have all that it is in. */
const onGlue = (noun: string, resource: string, more = '') => {
  const names = `Create${noun} Get${noun} Update${noun} Delete${noun} GetTags TagResource UntagResource ${more}`;
  return right('glue', names.trim(), glue(resource));
};

const passTo = (service: string) =>
  right('iam', 'PassRole', ['arn:aws:iam::ACCOUNT:role/NAME-*'], {
    StringEquals: { 'iam:PassedToService': service },
  });

/** EC2 gives out ids of its own: what is there is told by its tags. */
const ec2 = (make: string, changes: string, reads: string): Right[] => [
  right('ec2', make, [regional('ec2', '*/*')]),
  right('ec2', changes, [regional('ec2', '*/*')], TAGGED),
  right('ec2', reads, ['*']),
  right('ec2', 'CreateTags', [regional('ec2', '*/*')], { StringEquals: { 'ec2:CreateAction': [make] } }),
  right('ec2', 'CreateTags DeleteTags', [regional('ec2', '*/*')], TAGGED),
];

const ofNetwork = (...rights: Parameters<typeof ec2>) => where(withNetwork, ...ec2(...rights));

const SECURITY_GROUP_READS = 'DescribeSecurityGroups DescribeSecurityGroupRules';

export const KINDS: Readonly<Record<string, Kind>> = {
  'aws:s3/bucket:Bucket': always(
    onBuckets(`CreateBucket DeleteBucket ListBucket GetBucketLocation GetBucketAcl GetBucketCORS
        GetBucketLogging GetBucketObjectLockConfiguration GetBucketRequestPayment GetBucketWebsite
        GetAccelerateConfiguration GetReplicationConfiguration GetBucketTagging PutBucketTagging
        ListTagsForResource TagResource UntagResource`),
  ),
  'aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock': always(
    onBuckets('GetBucketPublicAccessBlock PutBucketPublicAccessBlock'),
  ),
  'aws:s3/bucketOwnershipControls:BucketOwnershipControls': always(
    onBuckets('GetBucketOwnershipControls PutBucketOwnershipControls'),
  ),
  'aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration': always(
    onBuckets('GetEncryptionConfiguration PutEncryptionConfiguration'),
  ),
  'aws:s3/bucketVersioning:BucketVersioning': always(onBuckets('GetBucketVersioning PutBucketVersioning')),
  'aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration': always(
    onBuckets('GetLifecycleConfiguration PutLifecycleConfiguration'),
  ),
  'aws:s3/bucketPolicy:BucketPolicy': always(onBuckets('GetBucketPolicy PutBucketPolicy DeleteBucketPolicy')),
  'aws:s3/bucketNotification:BucketNotification': where(
    byFiles,
    onBuckets('GetBucketNotification PutBucketNotification'),
  ),
  // Of the artifacts alone: no deployment reads or writes data.
  'aws:s3/bucketObjectv2:BucketObjectv2': always(
    right(
      's3',
      `PutObject GetObject DeleteObject DeleteObjectVersion GetObjectTagging PutObjectTagging`,
      ['runner', 'jobs', 'docs'].map((folder) => `arn:aws:s3:::NAME-artifacts-ACCOUNT/${folder}/*`),
    ),
    right('s3', 'ListBucketVersions', ['arn:aws:s3:::NAME-artifacts-ACCOUNT']),
  ),
  'aws:kms/key:Key': where(
    withKey,
    right('kms', 'CreateKey', ['*'], {
      StringEquals: { 'aws:RequestTag/project': 'PROJECT', 'aws:RequestTag/stack': 'STACK' },
    }),
    right('kms', `DescribeKey EnableKeyRotation GetKeyPolicy GetKeyRotationStatus ListResourceTags`, [
      regional('kms', 'key/*'),
    ]),
    // KMS takes up to five minutes to know a new key's tags; nothing here is needed before.
    right(
      'kms',
      `DisableKeyRotation PutKeyPolicy ScheduleKeyDeletion UntagResource UpdateKeyDescription`,
      [regional('kms', 'key/*')],
      TAGGED,
    ),
    right('kms', 'TagResource', [regional('kms', 'key/*')], {
      StringEquals: { 'aws:RequestTag/project': 'PROJECT', 'aws:RequestTag/stack': 'STACK' },
    }),
    // Scripts, the first metadata of a table and the secret are encrypted by it.
    right('kms', 'Decrypt GenerateDataKey', [regional('kms', 'key/*')], {
      StringEquals: {
        'kms:ViaService': ['s3', 'secretsmanager'].map((service) => `${service}.REGION.amazonaws.com`),
      },
    }),
  ),
  'aws:kms/alias:Alias': where(
    withKey,
    right('kms', 'CreateAlias DeleteAlias UpdateAlias', [
      regional('kms', 'alias/NAME'),
      regional('kms', 'key/*'),
    ]),
    right('kms', 'ListAliases', ['*']),
  ),
  'aws:iam/role:Role': always(
    right(
      'iam',
      `CreateRole DeleteRole GetRole UpdateRole UpdateRoleDescription UpdateAssumeRolePolicy
          TagRole UntagRole ListRolePolicies ListAttachedRolePolicies ListInstanceProfilesForRole
          ListRoleTags`,
      ['arn:aws:iam::ACCOUNT:role/NAME-*'],
    ),
  ),
  'aws:iam/rolePolicy:RolePolicy': always(
    right('iam', 'PutRolePolicy GetRolePolicy DeleteRolePolicy', ['arn:aws:iam::ACCOUNT:role/NAME-*']),
  ),
  'aws:iam/policy:Policy': always(
    right(
      'iam',
      `CreatePolicy DeletePolicy GetPolicy GetPolicyVersion TagPolicy CreatePolicyVersion
          DeletePolicyVersion ListPolicyVersions UntagPolicy ListPolicyTags`,
      ['arn:aws:iam::ACCOUNT:policy/NAME-analyst'],
    ),
  ),
  'aws:glue/catalogDatabase:CatalogDatabase': always(
    right(
      'glue',
      'CreateDatabase GetDatabase UpdateDatabase DeleteDatabase',
      glue('catalog', 'database/DATABASE', 'table/DATABASE/*'),
    ),
    right('glue', 'GetTags TagResource UntagResource', glue('database/DATABASE')),
  ),
  'aws:glue/catalogTable:CatalogTable': always(
    right(
      'glue',
      'CreateTable GetTable UpdateTable DeleteTable GetPartitionIndexes',
      glue('catalog', 'database/DATABASE', 'table/DATABASE/*'),
    ),
    // Glue writes the first metadata of an Iceberg table as whoever makes the table.
    right('s3', 'GetObject PutObject', [`${BUCKET}/*/metadata/*`]),
  ),
  'aws:glue/catalogTableOptimizer:CatalogTableOptimizer': where(
    optimizing,
    right(
      'glue',
      `CreateTableOptimizer GetTableOptimizer UpdateTableOptimizer DeleteTableOptimizer`,
      glue('catalog', 'database/DATABASE', 'table/DATABASE/*'),
    ),
    passTo('glue.amazonaws.com'),
  ),
  'aws:glue/job:Job': always(onGlue('Job', 'job/NAME-*'), passTo('glue.amazonaws.com')),
  'aws:glue/trigger:Trigger': always(
    // Those that wait for a clock or a job are started when they are made, and stopped before they go.
    onGlue('Trigger', 'trigger/NAME-*', 'StartTrigger StopTrigger'),
  ),
  'aws:glue/workflow:Workflow': always(onGlue('Workflow', 'workflow/NAME')),
  'aws:glue/crawler:Crawler': always(
    onGlue('Crawler', 'crawler/NAME-*', 'StopCrawler StartCrawlerSchedule StopCrawlerSchedule'),
    passTo('glue.amazonaws.com'),
  ),
  'aws:glue/connection:Connection': where(
    withNetwork,
    right(
      'glue',
      `CreateConnection GetConnection UpdateConnection DeleteConnection PassConnection`,
      glue('catalog', 'connection/NAME-network'),
    ),
    right('glue', 'GetTags TagResource UntagResource', glue('connection/NAME-network')),
  ),
  'aws:athena/workgroup:Workgroup': always(
    right(
      'athena',
      `CreateWorkGroup GetWorkGroup UpdateWorkGroup DeleteWorkGroup ListTagsForResource
          TagResource UntagResource`,
      [regional('athena', 'workgroup/NAME'), regional('athena', 'workgroup/NAME-*')],
    ),
  ),
  'aws:athena/namedQuery:NamedQuery': always(
    right('athena', 'CreateNamedQuery GetNamedQuery DeleteNamedQuery', [
      regional('athena', 'workgroup/NAME'),
      regional('athena', 'workgroup/NAME-*'),
    ]),
  ),
  'aws:cloudwatch/logGroup:LogGroup': always(
    right(
      'logs',
      `CreateLogGroup DeleteLogGroup PutRetentionPolicy AssociateKmsKey DisassociateKmsKey
          ListTagsForResource TagResource UntagResource DeleteRetentionPolicy`,
      [regional('logs', 'log-group:/aws-glue/NAME/*')],
    ),
    right('logs', 'DescribeLogGroups', [regional('logs', 'log-group:*')]),
  ),
  'aws:cloudwatch/metricAlarm:MetricAlarm': where(
    withAlerts,
    right(
      'cloudwatch',
      `PutMetricAlarm DescribeAlarms DeleteAlarms ListTagsForResource TagResource UntagResource`,
      [regional('cloudwatch', 'alarm:NAME-*')],
    ),
  ),
  'aws:cloudwatch/dashboard:Dashboard': where(
    ({ dashboard }) => dashboard,
    right('cloudwatch', 'PutDashboard GetDashboard DeleteDashboards', [
      'arn:aws:cloudwatch::ACCOUNT:dashboard/NAME',
    ]),
  ),
  'aws:lakeformation/resource:Resource': where(
    byLakeFormation,
    right(
      'lakeformation',
      'RegisterResource DescribeResource UpdateResource DeregisterResource GetDataLakeSettings',
      ['*'],
    ),
    passTo('lakeformation.amazonaws.com'),
  ),
  'aws:lakeformation/permissions:Permissions': where(
    byLakeFormation,
    right('lakeformation', 'GrantPermissions RevokePermissions ListPermissions', ['*']),
  ),
  'aws:lakeformation/optIn:OptIn': where(
    byLakeFormation,
    right('lakeformation', 'CreateLakeFormationOptIn DeleteLakeFormationOptIn ListLakeFormationOptIns', [
      '*',
    ]),
  ),
  'aws:cloudwatch/eventRule:EventRule': where(
    withRules,
    right(
      'events',
      `PutRule DescribeRule DeleteRule EnableRule ListTagsForResource TagResource UntagResource
          DisableRule`,
      [regional('events', 'rule/NAME-*')],
    ),
  ),
  'aws:cloudwatch/eventTarget:EventTarget': where(
    withRules,
    right('events', 'PutTargets ListTargetsByRule RemoveTargets', [regional('events', 'rule/NAME-*')]),
    passTo('events.amazonaws.com'),
  ),
  'aws:sns/topic:Topic': where(
    withAlerts,
    right(
      'sns',
      `CreateTopic GetTopicAttributes SetTopicAttributes DeleteTopic ListTagsForResource
          TagResource UntagResource`,
      [regional('sns', 'NAME-alerts')],
    ),
  ),
  'aws:sns/topicPolicy:TopicPolicy': where(
    withAlerts,
    right('sns', 'GetTopicAttributes SetTopicAttributes', [regional('sns', 'NAME-alerts')]),
  ),
  'aws:sns/topicSubscription:TopicSubscription': where(
    withAlerts,
    right('sns', 'Subscribe ListSubscriptionsByTopic', [regional('sns', 'NAME-alerts')]),
    // IAM knows no resource for a subscription.
    right('sns', 'GetSubscriptionAttributes SetSubscriptionAttributes Unsubscribe', ['*']),
  ),
  'aws:secretsmanager/secret:Secret': always(
    right(
      'secretsmanager',
      `CreateSecret DescribeSecret UpdateSecret DeleteSecret GetResourcePolicy TagResource
          UntagResource`,
      [regional('secretsmanager', 'secret:NAME/pseudonym-key-??????')],
    ),
  ),
  'aws:secretsmanager/secretVersion:SecretVersion': always(
    // The provider reads the value back.
    right('secretsmanager', `PutSecretValue GetSecretValue UpdateSecretVersionStage ListSecretVersionIds`, [
      regional('secretsmanager', 'secret:NAME/pseudonym-key-??????'),
    ]),
  ),
  'aws:cloudtrail/trail:Trail': where(
    ({ auditTrail }) => auditTrail,
    right(
      'cloudtrail',
      `CreateTrail GetTrail UpdateTrail DeleteTrail GetTrailStatus StartLogging StopLogging
          GetEventSelectors PutEventSelectors GetInsightSelectors AddTags RemoveTags ListTags`,
      [regional('cloudtrail', 'trail/NAME')],
    ),
    right('cloudtrail', 'DescribeTrails', ['*']),
  ),
  'aws:ec2/vpc:Vpc': ofNetwork(
    'CreateVpc',
    'DeleteVpc ModifyVpcAttribute',
    'DescribeVpcs DescribeVpcAttribute DescribeNetworkAcls DescribeRouteTables DescribeSecurityGroups',
  ),
  'aws:ec2/subnet:Subnet': ofNetwork(
    'CreateSubnet',
    'DeleteSubnet ModifySubnetAttribute',
    'DescribeSubnets DescribeNetworkInterfaces DescribeAvailabilityZones',
  ),
  'aws:ec2/internetGateway:InternetGateway': ofNetwork(
    'CreateInternetGateway',
    'AttachInternetGateway DetachInternetGateway DeleteInternetGateway',
    'DescribeInternetGateways',
  ),
  'aws:ec2/routeTable:RouteTable': ofNetwork('CreateRouteTable', 'DeleteRouteTable', 'DescribeRouteTables'),
  'aws:ec2/routeTableAssociation:RouteTableAssociation': where(
    withNetwork,
    right(
      'ec2',
      `AssociateRouteTable DisassociateRouteTable ReplaceRouteTableAssociation`,
      [regional('ec2', 'route-table/*'), regional('ec2', 'subnet/*')],
      TAGGED,
    ),
  ),
  'aws:ec2/securityGroup:SecurityGroup': ofNetwork(
    'CreateSecurityGroup',
    'DeleteSecurityGroup RevokeSecurityGroupEgress RevokeSecurityGroupIngress',
    `${SECURITY_GROUP_READS} DescribeNetworkInterfaces`,
  ),
  'aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule': ofNetwork(
    'AuthorizeSecurityGroupIngress',
    'RevokeSecurityGroupIngress ModifySecurityGroupRules',
    SECURITY_GROUP_READS,
  ),
  'aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule': ofNetwork(
    'AuthorizeSecurityGroupEgress',
    'RevokeSecurityGroupEgress ModifySecurityGroupRules',
    SECURITY_GROUP_READS,
  ),
  'aws:ec2/vpcEndpoint:VpcEndpoint': ofNetwork(
    'CreateVpcEndpoint',
    'DeleteVpcEndpoints ModifyVpcEndpoint',
    'DescribeVpcEndpoints DescribeVpcEndpointServices DescribePrefixLists DescribeManagedPrefixLists',
  ),
};

/** The kinds of resources that a stack of these settings has. */
export const kindsOf = (settings: Settings, pipeline: Pipeline): string[] =>
  Object.keys(KINDS).filter((kind) => KINDS[kind]?.when?.(settings, pipeline) ?? true);
