// What a role that deploys a stack may do: for each kind of resource that the program makes, the actions by which the
// provider makes, reads, changes and deletes one, on what has the stack's name or tags. Source: the `handlers` of AWS's own
// resource schemas, which cfn-lint brings, less what the program does not use; for S3 what the provider reads besides.
import type { Settings } from '../components/settings';
import { lake } from '../pipeline';

type Condition = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;

/** In an ARN or a condition NAME is the stack's name, DATABASE its database, REGION and ACCOUNT where it is. */
interface Right {
  readonly actions: readonly string[];
  readonly on: readonly string[];
  readonly condition?: Condition;
}

interface Kind {
  /** Which stacks have one. Default: every one. */
  readonly when?: (settings: Settings) => boolean;
  readonly rights: readonly Right[];
}

const BUCKET = 'arn:aws:s3:::NAME-*-ACCOUNT';
const regional = (service: string, resource: string) => `arn:aws:${service}:REGION:ACCOUNT:${resource}`;
const glue = (...resources: readonly string[]) => resources.map((resource) => regional('glue', resource));

const withKey = ({ encryption }: Settings) => encryption === 'kms';
const withAlerts = ({ alerts }: Settings) => alerts !== undefined;
const withNetwork = ({ network }: Settings) => network !== undefined;
const byFiles = ({ start }: Settings) => start === 'files';
const optimizing = ({ zones }: Settings) =>
  lake.zones.some(
    ({ name, tables }) => zones[name]?.optimizeTables && tables.some(({ format }) => format === 'iceberg'),
  );
const withRules = (settings: Settings) => withAlerts(settings) || byFiles(settings);

/** What a resource's tags have to say for it to be the stack's. */
const TAGGED: Condition = {
  StringEquals: { 'aws:ResourceTag/project': 'PROJECT', 'aws:ResourceTag/stack': 'STACK' },
};

const onBuckets = (...actions: readonly string[]): Right => ({
  actions: actions.map((action) => `s3:${action}`),
  on: [BUCKET],
});

/** An entry of Glue's catalogue, whose ARNs have all that it is in. */
const onGlue = (noun: string, resource: string, ...more: readonly string[]): Right => ({
  actions: [
    ...['Create', 'Get', 'Update', 'Delete'].map((verb) => `glue:${verb}${noun}`),
    ...['glue:GetTags', 'glue:TagResource', 'glue:UntagResource'],
    ...more,
  ],
  on: glue(resource),
});

const passTo = (service: string): Right => ({
  actions: ['iam:PassRole'],
  on: ['arn:aws:iam::ACCOUNT:role/NAME-*'],
  condition: { StringEquals: { 'iam:PassedToService': service } },
});

/** EC2 gives out ids of its own: what is there is told by its tags. */
const ec2 = (makes: readonly string[], changes: readonly string[], reads: readonly string[]): Right[] => [
  { actions: makes.map((action) => `ec2:${action}`), on: [regional('ec2', '*/*')] },
  { actions: changes.map((action) => `ec2:${action}`), on: [regional('ec2', '*/*')], condition: TAGGED },
  { actions: reads.map((action) => `ec2:${action}`), on: ['*'] },
  {
    actions: ['ec2:CreateTags'],
    on: [regional('ec2', '*/*')],
    condition: {
      StringEquals: { 'ec2:CreateAction': makes.filter((action) => /^(?:Create|Auth)/.test(action)) },
    },
  },
  { actions: ['ec2:CreateTags', 'ec2:DeleteTags'], on: [regional('ec2', '*/*')], condition: TAGGED },
];

const ofNetwork = (...rights: Parameters<typeof ec2>): Kind => ({
  when: withNetwork,
  rights: ec2(...rights),
});

const SECURITY_GROUP_READS = ['DescribeSecurityGroups', 'DescribeSecurityGroupRules'];

export const KINDS: Readonly<Record<string, Kind>> = {
  'aws:s3/bucket:Bucket': {
    rights: [
      onBuckets(
        ...[
          'CreateBucket',
          'DeleteBucket',
          'ListBucket',
          'GetBucketLocation',
          'GetBucketAcl',
          'GetBucketCORS',
        ],
        ...[
          'GetBucketLogging',
          'GetBucketObjectLockConfiguration',
          'GetBucketRequestPayment',
          'GetBucketWebsite',
        ],
        ...[
          'GetAccelerateConfiguration',
          'GetReplicationConfiguration',
          'GetBucketTagging',
          'PutBucketTagging',
        ],
        ...['ListTagsForResource', 'TagResource', 'UntagResource'],
      ),
    ],
  },
  'aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock': {
    rights: [onBuckets('GetBucketPublicAccessBlock', 'PutBucketPublicAccessBlock')],
  },
  'aws:s3/bucketOwnershipControls:BucketOwnershipControls': {
    rights: [onBuckets('GetBucketOwnershipControls', 'PutBucketOwnershipControls')],
  },
  'aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration': {
    rights: [onBuckets('GetEncryptionConfiguration', 'PutEncryptionConfiguration')],
  },
  'aws:s3/bucketVersioning:BucketVersioning': {
    rights: [onBuckets('GetBucketVersioning', 'PutBucketVersioning')],
  },
  'aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration': {
    rights: [onBuckets('GetLifecycleConfiguration', 'PutLifecycleConfiguration')],
  },
  'aws:s3/bucketPolicy:BucketPolicy': {
    rights: [onBuckets('GetBucketPolicy', 'PutBucketPolicy', 'DeleteBucketPolicy')],
  },
  'aws:s3/bucketNotification:BucketNotification': {
    when: byFiles,
    rights: [onBuckets('GetBucketNotification', 'PutBucketNotification')],
  },
  // Of the artifacts alone: no deployment reads or writes data.
  'aws:s3/bucketObjectv2:BucketObjectv2': {
    rights: [
      {
        actions: [
          ...['s3:PutObject', 's3:GetObject', 's3:DeleteObject', 's3:DeleteObjectVersion'],
          ...['s3:GetObjectTagging', 's3:PutObjectTagging'],
        ],
        on: ['runner', 'jobs'].map((folder) => `arn:aws:s3:::NAME-artifacts-ACCOUNT/${folder}/*`),
      },
      { actions: ['s3:ListBucketVersions'], on: ['arn:aws:s3:::NAME-artifacts-ACCOUNT'] },
    ],
  },
  'aws:kms/key:Key': {
    when: withKey,
    rights: [
      {
        actions: ['kms:CreateKey'],
        on: ['*'],
        condition: { StringEquals: { 'aws:RequestTag/project': 'PROJECT', 'aws:RequestTag/stack': 'STACK' } },
      },
      {
        actions: [
          ...['kms:DescribeKey', 'kms:EnableKeyRotation', 'kms:GetKeyPolicy', 'kms:GetKeyRotationStatus'],
          ...['kms:ListResourceTags'],
        ],
        on: [regional('kms', 'key/*')],
      },
      {
        // KMS takes up to five minutes to know a new key's tags; nothing here is needed before.
        actions: [
          ...['kms:DisableKeyRotation', 'kms:PutKeyPolicy', 'kms:ScheduleKeyDeletion', 'kms:UntagResource'],
          ...['kms:UpdateKeyDescription'],
        ],
        on: [regional('kms', 'key/*')],
        condition: TAGGED,
      },
      {
        actions: ['kms:TagResource'],
        on: [regional('kms', 'key/*')],
        condition: { StringEquals: { 'aws:RequestTag/project': 'PROJECT', 'aws:RequestTag/stack': 'STACK' } },
      },
      {
        // Scripts, the first metadata of a table and the secret are encrypted by it.
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
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
        actions: ['kms:CreateAlias', 'kms:DeleteAlias', 'kms:UpdateAlias'],
        on: [regional('kms', 'alias/NAME'), regional('kms', 'key/*')],
      },
      { actions: ['kms:ListAliases'], on: ['*'] },
    ],
  },
  'aws:iam/role:Role': {
    rights: [
      {
        actions: [
          ...[
            'iam:CreateRole',
            'iam:DeleteRole',
            'iam:GetRole',
            'iam:UpdateRole',
            'iam:UpdateRoleDescription',
          ],
          ...['iam:UpdateAssumeRolePolicy', 'iam:TagRole', 'iam:UntagRole', 'iam:ListRolePolicies'],
          ...['iam:ListAttachedRolePolicies', 'iam:ListInstanceProfilesForRole', 'iam:ListRoleTags'],
        ],
        on: ['arn:aws:iam::ACCOUNT:role/NAME-*'],
      },
    ],
  },
  'aws:iam/rolePolicy:RolePolicy': {
    rights: [
      {
        actions: ['iam:PutRolePolicy', 'iam:GetRolePolicy', 'iam:DeleteRolePolicy'],
        on: ['arn:aws:iam::ACCOUNT:role/NAME-*'],
      },
    ],
  },
  'aws:iam/policy:Policy': {
    rights: [
      {
        actions: [
          ...[
            'iam:CreatePolicy',
            'iam:DeletePolicy',
            'iam:GetPolicy',
            'iam:GetPolicyVersion',
            'iam:TagPolicy',
          ],
          ...[
            'iam:CreatePolicyVersion',
            'iam:DeletePolicyVersion',
            'iam:ListPolicyVersions',
            'iam:UntagPolicy',
          ],
          ...['iam:ListPolicyTags'],
        ],
        on: ['arn:aws:iam::ACCOUNT:policy/NAME-analyst'],
      },
    ],
  },
  'aws:glue/catalogDatabase:CatalogDatabase': {
    rights: [
      {
        actions: ['Create', 'Get', 'Update', 'Delete'].map((verb) => `glue:${verb}Database`),
        on: glue('catalog', 'database/DATABASE', 'table/DATABASE/*'),
      },
      {
        actions: ['glue:GetTags', 'glue:TagResource', 'glue:UntagResource'],
        on: glue('database/DATABASE'),
      },
    ],
  },
  'aws:glue/catalogTable:CatalogTable': {
    rights: [
      {
        actions: [
          ...['Create', 'Get', 'Update', 'Delete'].map((verb) => `glue:${verb}Table`),
          ...['glue:GetPartitionIndexes'],
        ],
        on: glue('catalog', 'database/DATABASE', 'table/DATABASE/*'),
      },
      {
        // Glue writes the first metadata of an Iceberg table as whoever makes the table.
        actions: ['s3:GetObject', 's3:PutObject'],
        on: [`${BUCKET}/*/metadata/*`],
      },
    ],
  },
  'aws:glue/catalogTableOptimizer:CatalogTableOptimizer': {
    when: optimizing,
    rights: [
      {
        actions: ['Create', 'Get', 'Update', 'Delete'].map((verb) => `glue:${verb}TableOptimizer`),
        on: glue('catalog', 'database/DATABASE', 'table/DATABASE/*'),
      },
      passTo('glue.amazonaws.com'),
    ],
  },
  'aws:glue/job:Job': { rights: [onGlue('Job', 'job/NAME-*'), passTo('glue.amazonaws.com')] },
  'aws:glue/trigger:Trigger': {
    // Those that wait for a clock or a job are started when they are made, and stopped before they go.
    rights: [onGlue('Trigger', 'trigger/NAME-*', 'glue:StartTrigger', 'glue:StopTrigger')],
  },
  'aws:glue/workflow:Workflow': { rights: [onGlue('Workflow', 'workflow/NAME')] },
  'aws:glue/crawler:Crawler': {
    rights: [
      onGlue(
        'Crawler',
        'crawler/NAME-*',
        'glue:StopCrawler',
        'glue:StartCrawlerSchedule',
        'glue:StopCrawlerSchedule',
      ),
      passTo('glue.amazonaws.com'),
    ],
  },
  'aws:glue/connection:Connection': {
    when: withNetwork,
    rights: [
      {
        actions: ['Create', 'Get', 'Update', 'Delete', 'Pass'].map((verb) => `glue:${verb}Connection`),
        on: glue('catalog', 'connection/NAME-network'),
      },
      {
        actions: ['glue:GetTags', 'glue:TagResource', 'glue:UntagResource'],
        on: glue('connection/NAME-network'),
      },
    ],
  },
  'aws:athena/workgroup:Workgroup': {
    rights: [
      {
        actions: [
          ...['Create', 'Get', 'Update', 'Delete'].map((verb) => `athena:${verb}WorkGroup`),
          ...['athena:ListTagsForResource', 'athena:TagResource', 'athena:UntagResource'],
        ],
        on: [regional('athena', 'workgroup/NAME'), regional('athena', 'workgroup/NAME-*')],
      },
    ],
  },
  'aws:athena/namedQuery:NamedQuery': {
    rights: [
      {
        actions: ['athena:CreateNamedQuery', 'athena:GetNamedQuery', 'athena:DeleteNamedQuery'],
        on: [regional('athena', 'workgroup/NAME'), regional('athena', 'workgroup/NAME-*')],
      },
    ],
  },
  'aws:cloudwatch/logGroup:LogGroup': {
    rights: [
      {
        actions: [
          ...[
            'logs:CreateLogGroup',
            'logs:DeleteLogGroup',
            'logs:PutRetentionPolicy',
            'logs:AssociateKmsKey',
          ],
          ...[
            'logs:DisassociateKmsKey',
            'logs:ListTagsForResource',
            'logs:TagResource',
            'logs:UntagResource',
          ],
          ...['logs:DeleteRetentionPolicy'],
        ],
        on: [regional('logs', 'log-group:/aws-glue/NAME/*')],
      },
      { actions: ['logs:DescribeLogGroups'], on: [regional('logs', 'log-group:*')] },
    ],
  },
  'aws:cloudwatch/metricAlarm:MetricAlarm': {
    when: withAlerts,
    rights: [
      {
        actions: [
          ...['cloudwatch:PutMetricAlarm', 'cloudwatch:DescribeAlarms', 'cloudwatch:DeleteAlarms'],
          ...['cloudwatch:ListTagsForResource', 'cloudwatch:TagResource', 'cloudwatch:UntagResource'],
        ],
        on: [regional('cloudwatch', 'alarm:NAME-*')],
      },
    ],
  },
  'aws:cloudwatch/dashboard:Dashboard': {
    when: ({ dashboard }) => dashboard,
    rights: [
      {
        actions: ['cloudwatch:PutDashboard', 'cloudwatch:GetDashboard', 'cloudwatch:DeleteDashboards'],
        on: ['arn:aws:cloudwatch::ACCOUNT:dashboard/NAME'],
      },
    ],
  },
  'aws:cloudwatch/eventRule:EventRule': {
    when: withRules,
    rights: [
      {
        actions: [
          ...['events:PutRule', 'events:DescribeRule', 'events:DeleteRule', 'events:EnableRule'],
          ...[
            'events:ListTagsForResource',
            'events:TagResource',
            'events:UntagResource',
            'events:DisableRule',
          ],
        ],
        on: [regional('events', 'rule/NAME-*')],
      },
    ],
  },
  'aws:cloudwatch/eventTarget:EventTarget': {
    when: withRules,
    rights: [
      {
        actions: ['events:PutTargets', 'events:ListTargetsByRule', 'events:RemoveTargets'],
        on: [regional('events', 'rule/NAME-*')],
      },
      passTo('events.amazonaws.com'),
    ],
  },
  'aws:sns/topic:Topic': {
    when: withAlerts,
    rights: [
      {
        actions: [
          ...['sns:CreateTopic', 'sns:GetTopicAttributes', 'sns:SetTopicAttributes', 'sns:DeleteTopic'],
          ...['sns:ListTagsForResource', 'sns:TagResource', 'sns:UntagResource'],
        ],
        on: [regional('sns', 'NAME-alerts')],
      },
    ],
  },
  'aws:sns/topicPolicy:TopicPolicy': {
    when: withAlerts,
    rights: [
      {
        actions: ['sns:GetTopicAttributes', 'sns:SetTopicAttributes'],
        on: [regional('sns', 'NAME-alerts')],
      },
    ],
  },
  'aws:sns/topicSubscription:TopicSubscription': {
    when: withAlerts,
    rights: [
      {
        actions: ['sns:Subscribe', 'sns:ListSubscriptionsByTopic'],
        on: [regional('sns', 'NAME-alerts')],
      },
      // IAM knows no resource for a subscription.
      {
        actions: ['sns:GetSubscriptionAttributes', 'sns:SetSubscriptionAttributes', 'sns:Unsubscribe'],
        on: ['*'],
      },
    ],
  },
  'aws:secretsmanager/secret:Secret': {
    rights: [
      {
        actions: [
          ...['secretsmanager:CreateSecret', 'secretsmanager:DescribeSecret', 'secretsmanager:UpdateSecret'],
          ...[
            'secretsmanager:DeleteSecret',
            'secretsmanager:GetResourcePolicy',
            'secretsmanager:TagResource',
          ],
          ...['secretsmanager:UntagResource'],
        ],
        on: [regional('secretsmanager', 'secret:NAME/pseudonym-key-??????')],
      },
    ],
  },
  'aws:secretsmanager/secretVersion:SecretVersion': {
    rights: [
      {
        // The provider reads the value back.
        actions: [
          ...['secretsmanager:PutSecretValue', 'secretsmanager:GetSecretValue'],
          ...['secretsmanager:UpdateSecretVersionStage', 'secretsmanager:ListSecretVersionIds'],
        ],
        on: [regional('secretsmanager', 'secret:NAME/pseudonym-key-??????')],
      },
    ],
  },
  'aws:cloudtrail/trail:Trail': {
    when: ({ auditTrail }) => auditTrail,
    rights: [
      {
        actions: [
          ...['Create', 'Get', 'Update', 'Delete'].map((verb) => `cloudtrail:${verb}Trail`),
          ...['cloudtrail:GetTrailStatus', 'cloudtrail:StartLogging', 'cloudtrail:StopLogging'],
          ...[
            'cloudtrail:GetEventSelectors',
            'cloudtrail:PutEventSelectors',
            'cloudtrail:GetInsightSelectors',
          ],
          ...['cloudtrail:AddTags', 'cloudtrail:RemoveTags', 'cloudtrail:ListTags'],
        ],
        on: [regional('cloudtrail', 'trail/NAME')],
      },
      { actions: ['cloudtrail:DescribeTrails'], on: ['*'] },
    ],
  },
  'aws:ec2/vpc:Vpc': ofNetwork(
    ['CreateVpc'],
    ['DeleteVpc', 'ModifyVpcAttribute'],
    [
      'DescribeVpcs',
      'DescribeVpcAttribute',
      'DescribeNetworkAcls',
      'DescribeRouteTables',
      'DescribeSecurityGroups',
    ],
  ),
  'aws:ec2/subnet:Subnet': ofNetwork(
    ['CreateSubnet'],
    ['DeleteSubnet', 'ModifySubnetAttribute'],
    ['DescribeSubnets', 'DescribeNetworkInterfaces', 'DescribeAvailabilityZones'],
  ),
  'aws:ec2/internetGateway:InternetGateway': ofNetwork(
    ['CreateInternetGateway'],
    ['AttachInternetGateway', 'DetachInternetGateway', 'DeleteInternetGateway'],
    ['DescribeInternetGateways'],
  ),
  'aws:ec2/routeTable:RouteTable': ofNetwork(
    ['CreateRouteTable'],
    ['DeleteRouteTable'],
    ['DescribeRouteTables'],
  ),
  'aws:ec2/routeTableAssociation:RouteTableAssociation': {
    when: withNetwork,
    rights: [
      {
        actions: [
          'ec2:AssociateRouteTable',
          'ec2:DisassociateRouteTable',
          'ec2:ReplaceRouteTableAssociation',
        ],
        on: [regional('ec2', 'route-table/*'), regional('ec2', 'subnet/*')],
        condition: TAGGED,
      },
    ],
  },
  'aws:ec2/securityGroup:SecurityGroup': ofNetwork(
    ['CreateSecurityGroup'],
    ['DeleteSecurityGroup', 'RevokeSecurityGroupEgress', 'RevokeSecurityGroupIngress'],
    [...SECURITY_GROUP_READS, 'DescribeNetworkInterfaces'],
  ),
  'aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule': ofNetwork(
    ['AuthorizeSecurityGroupIngress'],
    ['RevokeSecurityGroupIngress', 'ModifySecurityGroupRules'],
    SECURITY_GROUP_READS,
  ),
  'aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule': ofNetwork(
    ['AuthorizeSecurityGroupEgress'],
    ['RevokeSecurityGroupEgress', 'ModifySecurityGroupRules'],
    SECURITY_GROUP_READS,
  ),
  'aws:ec2/vpcEndpoint:VpcEndpoint': ofNetwork(
    ['CreateVpcEndpoint'],
    ['DeleteVpcEndpoints', 'ModifyVpcEndpoint'],
    [
      'DescribeVpcEndpoints',
      'DescribeVpcEndpointServices',
      'DescribePrefixLists',
      'DescribeManagedPrefixLists',
    ],
  ),
};

/** The kinds of resources that a stack of these settings has. */
export const kindsOf = (settings: Settings): string[] =>
  Object.keys(KINDS).filter((kind) => KINDS[kind]?.when?.(settings) ?? true);
