import type { Statement } from './access';
import { SecureBucket, type SecureBucketArgs } from './bucket';
import { bucketArgs, deployed, KEY, keyed, site } from './testing';

const NAME = 'acme-test-artifacts-123456789012';
const ARN = `arn:aws-cn:s3:::${NAME}`;
const of = { bucket: NAME };

const BUCKET = 'aws:s3/bucket:Bucket';
const LIFECYCLE = 'aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration';
const POLICY = 'aws:s3/bucketPolicy:BucketPolicy';
const ENCRYPTION = 'aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration';
const NOTIFICATION = 'aws:s3/bucketNotification:BucketNotification';

const OLD_VERSIONS = {
  id: 'old-versions-and-aborted-uploads',
  status: 'Enabled',
  filter: { prefix: '' },
  abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
  noncurrentVersionExpiration: { noncurrentDays: 9 },
  expiration: { expiredObjectDeleteMarker: true },
};
/** What they refuse: tests/access.test.ts. */
const TLS_ONLY = ['RefusePlainHttp', 'RefuseOldTls'].map((Sid) =>
  expect.objectContaining({ Sid, Effect: 'Deny', Resource: [ARN, `${ARN}/*`] }),
);

const bucketOf = (args: Partial<SecureBucketArgs> = {}) =>
  deployed(() => new SecureBucket('files', { ...bucketArgs, ...args }));

test('a bucket comes with all that secures it, and with nothing else', async () => {
  const { resources } = await bucketOf();
  const child = { parent: 'files', retainOnDelete: false };
  expect(resources).toStrictEqual([
    {
      ...child,
      type: BUCKET,
      name: 'files-bucket',
      inputs: { bucket: NAME, forceDestroy: true, tags: { project: 'acme', team: 'data' } },
      after: [],
      protect: false,
    },
    {
      ...child,
      type: LIFECYCLE,
      name: 'files-lifecycle',
      inputs: { ...of, rules: [OLD_VERSIONS] },
      after: ['files-bucket', 'files-versioning'],
    },
    {
      ...child,
      type: 'aws:s3/bucketOwnershipControls:BucketOwnershipControls',
      name: 'files-ownership',
      inputs: { ...of, rule: { objectOwnership: 'BucketOwnerEnforced' } },
      after: ['files-bucket'],
    },
    {
      ...child,
      type: POLICY,
      name: 'files-policy',
      inputs: { ...of, policy: { json: { Version: '2012-10-17', Statement: TLS_ONLY } } },
      after: ['files-bucket', 'files-public-access'],
    },
    {
      ...child,
      type: 'aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock',
      name: 'files-public-access',
      inputs: {
        ...of,
        blockPublicAcls: true,
        blockPublicPolicy: true,
        ignorePublicAcls: true,
        restrictPublicBuckets: true,
      },
      after: ['files-bucket'],
    },
    {
      ...child,
      type: ENCRYPTION,
      name: 'files-encryption',
      inputs: { ...of, rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: 'AES256' } }] },
      after: ['files-bucket'],
    },
    {
      ...child,
      type: 'aws:s3/bucketVersioning:BucketVersioning',
      name: 'files-versioning',
      inputs: { ...of, versioningConfiguration: { status: 'Enabled' } },
      after: ['files-bucket'],
    },
    {
      type: 'lakehouse:storage:SecureBucket',
      name: 'files',
      inputs: {},
      after: [],
      outputs: { name: NAME },
    },
  ]);
});

test('a stack with a key encrypts with it, by a key of the bucket', async () => {
  const { inputs } = await bucketOf({ site: keyed });
  expect(inputs(ENCRYPTION)).toStrictEqual({
    ...of,
    rules: [
      {
        applyServerSideEncryptionByDefault: { sseAlgorithm: 'aws:kms', kmsMasterKeyId: KEY },
        bucketKeyEnabled: true,
      },
    ],
  });
});

test('what is kept stays with all that secures it; only the bucket itself is protected', async () => {
  const { resources, inputs } = await bucketOf({ keep: true, protect: true, reportsObjects: true });
  expect(inputs(BUCKET)).toStrictEqual({ bucket: NAME, forceDestroy: false, tags: site.tags });
  const children = resources.filter(({ parent }) => parent === 'files');
  expect(children).toHaveLength(8);
  // To report objects to a stack that is gone helps nobody.
  expect(children.filter(({ retainOnDelete }) => !retainOnDelete).map(({ type }) => type)).toEqual([
    NOTIFICATION,
  ]);
  expect(children.filter((one) => one.protect).map(({ type }) => type)).toEqual([BUCKET]);
});

test('objects of a prefix go after their days', async () => {
  const { inputs } = await bucketOf({
    expire: [
      { prefix: 'quarantine/', days: 30 },
      { prefix: 'a/b/', days: 7 },
    ],
  });
  expect(inputs(LIFECYCLE)).toStrictEqual({
    ...of,
    rules: [
      OLD_VERSIONS,
      {
        id: 'expire-quarantine-objects',
        status: 'Enabled',
        filter: { prefix: 'quarantine/' },
        expiration: { days: 30 },
        noncurrentVersionExpiration: { noncurrentDays: 1 },
      },
      {
        id: 'expire-a-b-objects',
        status: 'Enabled',
        filter: { prefix: 'a/b/' },
        expiration: { days: 7 },
        noncurrentVersionExpiration: { noncurrentDays: 1 },
      },
    ],
  });
});

test('a bucket reports objects where it was told to', async () => {
  const reporting = await bucketOf({ reportsObjects: true });
  const silent = await bucketOf({ reportsObjects: false });
  expect(reporting.one(NOTIFICATION)).toStrictEqual({
    type: NOTIFICATION,
    name: 'files-notification',
    parent: 'files',
    inputs: { ...of, eventbridge: true },
    after: ['files-bucket'],
  });
  expect(reporting.list.filter((one) => !silent.list.includes(one))).toEqual([
    `${NOTIFICATION} files-notification`,
  ]);
});

test('statements of its user follow those that refuse plain HTTP', async () => {
  const own: Statement = {
    Sid: 'Own',
    Effect: 'Allow',
    Principal: '*',
    Action: 's3:GetObject',
    Resource: ARN,
  };
  const { inputs } = await bucketOf({ statements: [own] });
  expect(inputs(POLICY).policy).toStrictEqual({
    json: { Version: '2012-10-17', Statement: [...TLS_ONLY, own] },
  });
});

test('a transform changes all but the name and what becomes of the objects', async () => {
  const { inputs } = await bucketOf({
    keep: true,
    transform: {
      bucket: {
        bucket: 'other',
        forceDestroy: true,
        acl: 'public-read',
        grants: [],
        policy: '{}',
        tags: { mine: 'yes' },
        objectLockEnabled: true,
      },
      lifecycle: (args) => ({
        ...args,
        bucket: 'other',
        transitionDefaultMinimumObjectSize: 'varies_by_storage_class',
      }),
    },
  });
  expect(inputs(BUCKET)).toStrictEqual({
    bucket: NAME,
    forceDestroy: false,
    tags: { mine: 'yes' },
    objectLockEnabled: true,
  });
  expect(inputs(LIFECYCLE)).toStrictEqual({
    ...of,
    rules: [OLD_VERSIONS],
    transitionDefaultMinimumObjectSize: 'varies_by_storage_class',
  });
});

test('what waits for the bucket waits for all that secures it', async () => {
  const { value, one } = await deployed(() => {
    const files = new SecureBucket('files', bucketArgs);
    const later = new SecureBucket('later', {
      ...bucketArgs,
      purpose: 'later',
      transform: { bucket: { tags: { from: files.ready } } },
    });
    return { files, later };
  });
  expect(value.files.name).toBe(NAME);
  expect(one(BUCKET, 'later-bucket').after).toEqual([
    'files-bucket',
    'files-encryption',
    'files-ownership',
    'files-policy',
    'files-public-access',
    'files-versioning',
  ]);
  expect(one(BUCKET, 'later-bucket').inputs.tags).toEqual({ from: NAME });
});
