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

/** Actions of a service, by their names. */
const can = (service: string, names: string) => names.split(/\s+/).map((name) => `${service}:${name}`);

const onBuckets = (names: string): Right => ({ actions: can('s3', names), on: [BUCKET] });

/** An entry of Glue's catalogue, whose ARNs have all that it is in. */
const onGlue = (noun: string, resource: string, more = ''): Right => ({
  actions: can(
    'glue',
    `Create${noun} Get${noun} Update${noun} Delete${noun} GetTags TagResource UntagResource ${more}`.trim(),
  ),
  on: glue(resource),
});

const passTo = (service: string): Right => ({
  actions: can('iam', 'PassRole'),
  on: ['arn:aws:iam::ACCOUNT:role/NAME-*'],
  condition: { StringEquals: { 'iam:PassedToService': service } },
});

/** EC2 gives out ids of its own: what is there is told by its tags. */
const ec2 = (make: string, changes: string, reads: string): Right[] => [
  { actions: can('ec2', make), on: [regional('ec2', '*/*')] },
  { actions: can('ec2', changes), on: [regional('ec2', '*/*')], condition: TAGGED },
  { actions: can('ec2', reads), on: ['*'] },
  {
    actions: can('ec2', 'CreateTags'),
    on: [regional('ec2', '*/*')],
    condition: { StringEquals: { 'ec2:CreateAction': [make] } },
  },
  { actions: can('ec2', 'CreateTags DeleteTags'), on: [regional('ec2', '*/*')], condition: TAGGED },
];

const ofNetwork = (...rights: Parameters<typeof ec2>): Kind => ({
  when: withNetwork,
  rights: ec2(...rights),
});

const SECURITY_GROUP_READS = 'DescribeSecurityGroups DescribeSecurityGroupRules';

export const KINDS: Readonly<Record<string, Kind>> = {
  'aws:s3/bucket:Bucket': {
    rights: [
      onBuckets(`CreateBucket DeleteBucket ListBucket GetBucketLocation GetBucketAcl GetBucketCORS
        GetBucketLogging GetBucketObjectLockConfiguration GetBucketRequestPayment GetBucketWebsite
        GetAccelerateConfiguration GetReplicationConfiguration GetBucketTagging PutBucketTagging
        ListTagsForResource TagResource UntagResource`),
    ],
  },
  'aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock': {
    rights: [onBuckets('GetBucketPublicAccessBlock PutBucketPublicAccessBlock')],
  },
  'aws:s3/bucketOwnershipControls:BucketOwnershipControls': {
    rights: [onBuckets('GetBucketOwnershipControls PutBucketOwnershipControls')],
  },
  'aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration': {
    rights: [onBuckets('GetEncryptionConfiguration PutEncryptionConfiguration')],
  },
  'aws:s3/bucketVersioning:BucketVersioning': {
    rights: [onBuckets('GetBucketVersioning PutBucketVersioning')],
  },
  'aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration': {
    rights: [onBuckets('GetLifecycleConfiguration PutLifecycleConfiguration')],
  },
  'aws:s3/bucketPolicy:BucketPolicy': {
    rights: [onBuckets('GetBucketPolicy PutBucketPolicy DeleteBucketPolicy')],
  },
  'aws:s3/bucketNotification:BucketNotification': {
    when: byFiles,
    rights: [onBuckets('GetBucketNotification PutBucketNotification')],
  },
  // Of the artifacts alone: no deployment reads or writes data.
  'aws:s3/bucketObjectv2:BucketObjectv2': {
    rights: [
      {
        actions: can(
          's3',
          `PutObject GetObject DeleteObject DeleteObjectVersion GetObjectTagging PutObjectTagging`,
        ),
        on: ['runner', 'jobs', 'docs'].map((folder) => `arn:aws:s3:::NAME-artifacts-ACCOUNT/${folder}/*`),
      },
      { actions: can('s3', 'ListBucketVersions'), on: ['arn:aws:s3:::NAME-artifacts-ACCOUNT'] },
    ],
  },
  'aws:kms/key:Key': {
    when: withKey,
    rights: [
      {
        actions: can('kms', 'CreateKey'),
        on: ['*'],
        condition: { StringEquals: { 'aws:RequestTag/project': 'PROJECT', 'aws:RequestTag/stack': 'STACK' } },
      },
      {
        actions: can(
          'kms',
          `DescribeKey EnableKeyRotation GetKeyPolicy GetKeyRotationStatus ListResourceTags`,
        ),
        on: [regional('kms', 'key/*')],
      },
      {
        // KMS takes up to five minutes to know a new key's tags; nothing here is needed before.
        actions: can(
          'kms',
          `DisableKeyRotation PutKeyPolicy ScheduleKeyDeletion UntagResource UpdateKeyDescription`,
        ),
        on: [regional('kms', 'key/*')],
        condition: TAGGED,
      },
      {
        actions: can('kms', 'TagResource'),
        on: [regional('kms', 'key/*')],
        condition: { StringEquals: { 'aws:RequestTag/project': 'PROJECT', 'aws:RequestTag/stack': 'STACK' } },
      },
      {
        // Scripts, the first metadata of a table and the secret are encrypted by it.
        actions: can('kms', 'Decrypt GenerateDataKey'),
        on: [regional('kms', 'key/*')],
        condition: {
          StringEquals: {
            'kms:ViaService': ['s3', 'secretsmanager'].map((service) => `${service}.REGION.amazonaws.com`),
          },
        },
      },
    ],
  },
  'aws:kms/alias:Alias': {
    when: withKey,
    rights: [
      {
        actions: can('kms', 'CreateAlias DeleteAlias UpdateAlias'),
        on: [regional('kms', 'alias/NAME'), regional('kms', 'key/*')],
      },
      { actions: can('kms', 'ListAliases'), on: ['*'] },
    ],
  },
  'aws:iam/role:Role': {
    rights: [
      {
        actions: can(
          'iam',
          `CreateRole DeleteRole GetRole UpdateRole UpdateRoleDescription UpdateAssumeRolePolicy
          TagRole UntagRole ListRolePolicies ListAttachedRolePolicies ListInstanceProfilesForRole
          ListRoleTags`,
        ),
        on: ['arn:aws:iam::ACCOUNT:role/NAME-*'],
      },
    ],
  },
  'aws:iam/rolePolicy:RolePolicy': {
    rights: [
      {
        actions: can('iam', 'PutRolePolicy GetRolePolicy DeleteRolePolicy'),
        on: ['arn:aws:iam::ACCOUNT:role/NAME-*'],
      },
    ],
  },
  'aws:iam/policy:Policy': {
    rights: [
      {
        actions: can(
          'iam',
          `CreatePolicy DeletePolicy GetPolicy GetPolicyVersion TagPolicy CreatePolicyVersion
          DeletePolicyVersion ListPolicyVersions UntagPolicy ListPolicyTags`,
        ),
        on: ['arn:aws:iam::ACCOUNT:policy/NAME-analyst'],
      },
    ],
  },
  'aws:glue/catalogDatabase:CatalogDatabase': {
    rights: [
      {
        actions: can('glue', 'CreateDatabase GetDatabase UpdateDatabase DeleteDatabase'),
        on: glue('catalog', 'database/DATABASE', 'table/DATABASE/*'),
      },
      {
        actions: can('glue', 'GetTags TagResource UntagResource'),
        on: glue('database/DATABASE'),
      },
    ],
  },
  'aws:glue/catalogTable:CatalogTable': {
    rights: [
      {
        actions: can('glue', 'CreateTable GetTable UpdateTable DeleteTable GetPartitionIndexes'),
        on: glue('catalog', 'database/DATABASE', 'table/DATABASE/*'),
      },
      {
        // Glue writes the first metadata of an Iceberg table as whoever makes the table.
        actions: can('s3', 'GetObject PutObject'),
        on: [`${BUCKET}/*/metadata/*`],
      },
    ],
  },
  'aws:glue/catalogTableOptimizer:CatalogTableOptimizer': {
    when: optimizing,
    rights: [
      {
        actions: can(
          'glue',
          `CreateTableOptimizer GetTableOptimizer UpdateTableOptimizer DeleteTableOptimizer`,
        ),
        on: glue('catalog', 'database/DATABASE', 'table/DATABASE/*'),
      },
      passTo('glue.amazonaws.com'),
    ],
  },
  'aws:glue/job:Job': { rights: [onGlue('Job', 'job/NAME-*'), passTo('glue.amazonaws.com')] },
  'aws:glue/trigger:Trigger': {
    // Those that wait for a clock or a job are started when they are made, and stopped before they go.
    rights: [onGlue('Trigger', 'trigger/NAME-*', 'StartTrigger StopTrigger')],
  },
  'aws:glue/workflow:Workflow': { rights: [onGlue('Workflow', 'workflow/NAME')] },
  'aws:glue/crawler:Crawler': {
    rights: [
      onGlue('Crawler', 'crawler/NAME-*', 'StopCrawler StartCrawlerSchedule StopCrawlerSchedule'),
      passTo('glue.amazonaws.com'),
    ],
  },
  'aws:glue/connection:Connection': {
    when: withNetwork,
    rights: [
      {
        actions: can(
          'glue',
          `CreateConnection GetConnection UpdateConnection DeleteConnection PassConnection`,
        ),
        on: glue('catalog', 'connection/NAME-network'),
      },
      {
        actions: can('glue', 'GetTags TagResource UntagResource'),
        on: glue('connection/NAME-network'),
      },
    ],
  },
  'aws:athena/workgroup:Workgroup': {
    rights: [
      {
        actions: can(
          'athena',
          `CreateWorkGroup GetWorkGroup UpdateWorkGroup DeleteWorkGroup ListTagsForResource
          TagResource UntagResource`,
        ),
        on: [regional('athena', 'workgroup/NAME'), regional('athena', 'workgroup/NAME-*')],
      },
    ],
  },
  'aws:athena/namedQuery:NamedQuery': {
    rights: [
      {
        actions: can('athena', 'CreateNamedQuery GetNamedQuery DeleteNamedQuery'),
        on: [regional('athena', 'workgroup/NAME'), regional('athena', 'workgroup/NAME-*')],
      },
    ],
  },
  'aws:cloudwatch/logGroup:LogGroup': {
    rights: [
      {
        actions: can(
          'logs',
          `CreateLogGroup DeleteLogGroup PutRetentionPolicy AssociateKmsKey DisassociateKmsKey
          ListTagsForResource TagResource UntagResource DeleteRetentionPolicy`,
        ),
        on: [regional('logs', 'log-group:/aws-glue/NAME/*')],
      },
      { actions: can('logs', 'DescribeLogGroups'), on: [regional('logs', 'log-group:*')] },
    ],
  },
  'aws:cloudwatch/metricAlarm:MetricAlarm': {
    when: withAlerts,
    rights: [
      {
        actions: can(
          'cloudwatch',
          `PutMetricAlarm DescribeAlarms DeleteAlarms ListTagsForResource TagResource UntagResource`,
        ),
        on: [regional('cloudwatch', 'alarm:NAME-*')],
      },
    ],
  },
  'aws:cloudwatch/dashboard:Dashboard': {
    when: ({ dashboard }) => dashboard,
    rights: [
      {
        actions: can('cloudwatch', 'PutDashboard GetDashboard DeleteDashboards'),
        on: ['arn:aws:cloudwatch::ACCOUNT:dashboard/NAME'],
      },
    ],
  },
  'aws:lakeformation/resource:Resource': {
    when: byLakeFormation,
    rights: [
      {
        actions: can(
          'lakeformation',
          'RegisterResource DescribeResource UpdateResource DeregisterResource GetDataLakeSettings',
        ),
        on: ['*'],
      },
      passTo('lakeformation.amazonaws.com'),
    ],
  },
  'aws:lakeformation/permissions:Permissions': {
    when: byLakeFormation,
    rights: [
      { actions: can('lakeformation', 'GrantPermissions RevokePermissions ListPermissions'), on: ['*'] },
    ],
  },
  'aws:lakeformation/optIn:OptIn': {
    when: byLakeFormation,
    rights: [
      {
        actions: can(
          'lakeformation',
          'CreateLakeFormationOptIn DeleteLakeFormationOptIn ListLakeFormationOptIns',
        ),
        on: ['*'],
      },
    ],
  },
  'aws:cloudwatch/eventRule:EventRule': {
    when: withRules,
    rights: [
      {
        actions: can(
          'events',
          `PutRule DescribeRule DeleteRule EnableRule ListTagsForResource TagResource UntagResource
          DisableRule`,
        ),
        on: [regional('events', 'rule/NAME-*')],
      },
    ],
  },
  'aws:cloudwatch/eventTarget:EventTarget': {
    when: withRules,
    rights: [
      {
        actions: can('events', 'PutTargets ListTargetsByRule RemoveTargets'),
        on: [regional('events', 'rule/NAME-*')],
      },
      passTo('events.amazonaws.com'),
    ],
  },
  'aws:sns/topic:Topic': {
    when: withAlerts,
    rights: [
      {
        actions: can(
          'sns',
          `CreateTopic GetTopicAttributes SetTopicAttributes DeleteTopic ListTagsForResource
          TagResource UntagResource`,
        ),
        on: [regional('sns', 'NAME-alerts')],
      },
    ],
  },
  'aws:sns/topicPolicy:TopicPolicy': {
    when: withAlerts,
    rights: [
      {
        actions: can('sns', 'GetTopicAttributes SetTopicAttributes'),
        on: [regional('sns', 'NAME-alerts')],
      },
    ],
  },
  'aws:sns/topicSubscription:TopicSubscription': {
    when: withAlerts,
    rights: [
      {
        actions: can('sns', 'Subscribe ListSubscriptionsByTopic'),
        on: [regional('sns', 'NAME-alerts')],
      },
      // IAM knows no resource for a subscription.
      {
        actions: can('sns', 'GetSubscriptionAttributes SetSubscriptionAttributes Unsubscribe'),
        on: ['*'],
      },
    ],
  },
  'aws:secretsmanager/secret:Secret': {
    rights: [
      {
        actions: can(
          'secretsmanager',
          `CreateSecret DescribeSecret UpdateSecret DeleteSecret GetResourcePolicy TagResource
          UntagResource`,
        ),
        on: [regional('secretsmanager', 'secret:NAME/pseudonym-key-??????')],
      },
    ],
  },
  'aws:secretsmanager/secretVersion:SecretVersion': {
    rights: [
      {
        // The provider reads the value back.
        actions: can(
          'secretsmanager',
          `PutSecretValue GetSecretValue UpdateSecretVersionStage ListSecretVersionIds`,
        ),
        on: [regional('secretsmanager', 'secret:NAME/pseudonym-key-??????')],
      },
    ],
  },
  'aws:cloudtrail/trail:Trail': {
    when: ({ auditTrail }) => auditTrail,
    rights: [
      {
        actions: can(
          'cloudtrail',
          `CreateTrail GetTrail UpdateTrail DeleteTrail GetTrailStatus StartLogging StopLogging
          GetEventSelectors PutEventSelectors GetInsightSelectors AddTags RemoveTags ListTags`,
        ),
        on: [regional('cloudtrail', 'trail/NAME')],
      },
      { actions: can('cloudtrail', 'DescribeTrails'), on: ['*'] },
    ],
  },
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
  'aws:ec2/routeTableAssociation:RouteTableAssociation': {
    when: withNetwork,
    rights: [
      {
        actions: can('ec2', `AssociateRouteTable DisassociateRouteTable ReplaceRouteTableAssociation`),
        on: [regional('ec2', 'route-table/*'), regional('ec2', 'subnet/*')],
        condition: TAGGED,
      },
    ],
  },
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
