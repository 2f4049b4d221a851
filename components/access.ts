import { arn, bucketArn, metricsNamespaceOf, type Place, type Site } from './site';

/** A statement of an IAM policy or of a resource's own policy. */
export interface Statement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal?: '*' | Readonly<Record<string, string | readonly string[]>>;
  readonly Action: string | readonly string[];
  /** A role's trust policy has none. */
  readonly Resource?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

export interface PolicyDocument {
  readonly Version: '2012-10-17';
  readonly Statement: readonly Statement[];
}

export const document = (statements: readonly Statement[]): PolicyDocument => ({
  Version: '2012-10-17',
  Statement: statements,
});

/** An Allow of an identity's policy. */
export const allow = (Sid: string, Action: readonly string[], Resource: readonly string[]): Statement => ({
  Sid,
  Effect: 'Allow',
  Action,
  Resource,
});

/** Several sources may read one folder. */
const objects = (site: Site, places: readonly Place[]) => [
  ...new Set(places.map(({ bucket, prefix }) => `${bucketArn(site, bucket)}/${prefix}*`)),
];

const buckets = (places: readonly Place[]) => [...new Set(places.map(({ bucket }) => bucket))];

/** Whoever lists a prefix may ask for it with and without what follows its last slash. */
const wholeFolder = ({ prefix }: Place) => [`${prefix}*`, prefix.replace(/\/$/, '')];
const listing = (site: Site, places: readonly Place[]): Statement[] =>
  listAccess(site, 'List', 's3:ListBucket', 'StringLike', places, wholeFolder);

/** A statement for each bucket. */
const listAccess = (
  site: Site,
  sid: string,
  action: string | readonly string[],
  operator: 'StringEquals' | 'StringLike',
  places: readonly Place[],
  prefixesOf: (place: Place) => readonly string[],
): Statement[] =>
  buckets(places).map((bucket, i) => ({
    Sid: `${sid}${i}`,
    Effect: 'Allow',
    Action: action,
    Resource: bucketArn(site, bucket),
    Condition: {
      [operator]: {
        's3:prefix': [...new Set(places.filter((place) => place.bucket === bucket).flatMap(prefixesOf))],
      },
    },
  }));

const OBJECT_WRITES = [
  's3:PutObject',
  's3:DeleteObject',
  's3:AbortMultipartUpload',
  's3:ListMultipartUploadParts',
];

/** Reads the objects of some places and writes those of others; who may write may read, as Iceberg does. */
export function objectAccess(
  site: Site,
  { reads, writes }: { readonly reads: readonly Place[]; readonly writes: readonly Place[] },
): Statement[] {
  const all = [...reads, ...writes];
  return [
    allow('ReadObjects', ['s3:GetObject'], objects(site, all)),
    ...(writes.length === 0
      ? []
      : [
          allow('WriteObjects', OBJECT_WRITES, objects(site, writes)),
          allow(
            'ListUploads',
            ['s3:ListBucketMultipartUploads'],
            buckets(writes).map((bucket) => bucketArn(site, bucket)),
          ),
        ]),
    ...listing(site, all),
    allow(
      'LocateBuckets',
      ['s3:GetBucketLocation'],
      buckets(all).map((bucket) => bucketArn(site, bucket)),
    ),
  ];
}

/** The folders that a place is in, as keys: of `a/b/` they are `a/b` and `a`. */
const foldersOf = ({ prefix }: Place): string[] => {
  const parts = prefix.split('/').slice(0, -1);
  return parts.map((_, i) => parts.slice(0, parts.length - i).join('/'));
};

/**
 * Before Hadoop writes a file it asks of each folder above whether it is there. No object has such a key, but who may
 * not read it is told that it is forbidden, not that there is none.
 */
export function folderAccess(site: Site, writes: readonly Place[]): Statement[] {
  if (writes.length === 0) return [];
  const keys = writes.flatMap((place) =>
    foldersOf(place).map((folder) => `${bucketArn(site, place.bucket)}/${folder}`),
  );
  return [
    allow('AskForFolders', ['s3:GetObject'], [...new Set(keys)]),
    ...listAccess(site, 'ListFolders', 's3:ListBucket', 'StringEquals', writes, (place) =>
      foldersOf(place).flatMap((folder) => [folder, `${folder}/`]),
    ),
  ];
}

/**
 * Reads and writes the objects of some places, and deletes them for good, with what S3 kept of those that were replaced
 * or deleted. In few statements: an eraser's places are all that there are, and IAM takes 10,240 characters of a role.
 */
export const erasureAccess = (site: Site, places: readonly Place[]): Statement[] => [
  allow('EraseObjects', ['s3:GetObject', ...OBJECT_WRITES, 's3:DeleteObjectVersion'], objects(site, places)),
  ...listAccess(
    site,
    'ListErased',
    ['s3:ListBucket', 's3:ListBucketVersions'],
    'StringLike',
    places,
    wholeFolder,
  ),
  allow(
    'LocateErased',
    ['s3:GetBucketLocation', 's3:ListBucketMultipartUploads'],
    buckets(places).map((bucket) => bucketArn(site, bucket)),
  ),
];

/** The ARNs that rights to some tables of the catalog need: every ancestor's too. */
export const catalogArns = (site: Site, tables: readonly string[]) => [
  arn(site, 'glue', 'catalog'),
  arn(site, 'glue', `database/${site.database}`),
  ...tables.map((table) => arn(site, 'glue', `table/${site.database}/${table}`)),
];

/** Reads the catalog's entries of some tables, and commits to others. */
export function catalogAccess(
  site: Site,
  { reads, writes }: { readonly reads: readonly string[]; readonly writes: readonly string[] },
): Statement[] {
  return [
    allow('ReadCatalog', ['glue:GetDatabase', 'glue:GetTable'], catalogArns(site, [...reads, ...writes])),
    ...(writes.length === 0 ? [] : [allow('CommitTables', ['glue:UpdateTable'], catalogArns(site, writes))]),
  ];
}

/** Writes the log groups whose names match `groups`, which may hold a `*`. */
export const logAccess = (site: Site, groups: string): Statement =>
  allow(
    'WriteLogs',
    ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
    // The ARN of a group, and those of its streams.
    [arn(site, 'logs', `log-group:${groups}`), arn(site, 'logs', `log-group:${groups}:*`)],
  );

/** PutMetricData knows no resource; the namespace limits it. */
export const metricAccess = (site: Site): Statement => ({
  ...allow('ReportMetrics', ['cloudwatch:PutMetricData'], ['*']),
  Condition: { StringEquals: { 'cloudwatch:namespace': ['Glue', metricsNamespaceOf(site)] } },
});

export const keyAccess = (key: string): Statement =>
  allow('UseKey', ['kms:Decrypt', 'kms:GenerateDataKey'], [key]);

/** Secrets Manager adds six characters to a secret's name. */
export const secretAccess = (site: Site, secret: string): Statement =>
  allow(
    'ReadSecret',
    ['secretsmanager:GetSecretValue'],
    [arn(site, 'secretsmanager', `secret:${secret}-??????`)],
  );

/** What Glue does to put a job into a private network. The describing actions know no resource. */
export const networkAccess = (site: Site, connection: string): Statement[] => [
  allow(
    'DescribeNetwork',
    [
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeRouteTables',
      'ec2:DescribeSecurityGroups',
      'ec2:DescribeSubnets',
      'ec2:DescribeVpcAttribute',
      'ec2:DescribeVpcEndpoints',
    ],
    ['*'],
  ),
  allow('AttachNetwork', ['ec2:CreateNetworkInterface', 'ec2:DeleteNetworkInterface'], ['*']),
  {
    ...allow('TagNetwork', ['ec2:CreateTags', 'ec2:DeleteTags'], [arn(site, 'ec2', 'network-interface/*')]),
    Condition: { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['aws-glue-service-resource'] } },
  },
  allow(
    'ReadConnection',
    ['glue:GetConnection'],
    [arn(site, 'glue', 'catalog'), arn(site, 'glue', `connection/${connection}`)],
  ),
];

/** Services whose documentation says that they tell the account for which they take a role. */
const TELL_THEIR_ACCOUNT = ['events.amazonaws.com'];

/**
 * A service may take the role. No service can do so for another account: who sets it up has to pass the role, and IAM
 * lets nobody pass a role of another account. Where the service tells its account, that is checked too; the
 * documentation of Glue and Lake Formation does not say so, and a condition on what is not sent would stop everything.
 */
export const trust = (site: Site, service: string): PolicyDocument =>
  document([
    {
      Effect: 'Allow',
      Principal: { Service: service },
      Action: 'sts:AssumeRole',
      ...(TELL_THEIR_ACCOUNT.includes(service) && {
        Condition: { StringEquals: { 'aws:SourceAccount': site.account } },
      }),
    },
  ]);
