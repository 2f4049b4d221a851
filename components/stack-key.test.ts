import { StackKey } from './stack-key';
import { deployed, site } from './testing';

const KEY = 'aws:kms/key:Key';

const POLICY = {
  Version: '2012-10-17',
  Statement: [
    {
      Sid: 'LetIamDecide',
      Effect: 'Allow',
      Principal: { AWS: 'arn:aws-cn:iam::123456789012:root' },
      Action: ['kms:*'],
      Resource: ['*'],
    },
    {
      Sid: 'EncryptLogs',
      Effect: 'Allow',
      Principal: { Service: 'logs.cn-north-1.amazonaws.com' },
      Action: [
        'kms:Decrypt',
        'kms:DescribeKey',
        'kms:Encrypt',
        'kms:GenerateDataKey',
        'kms:ReEncryptFrom',
        'kms:ReEncryptTo',
      ],
      Resource: ['*'],
      Condition: {
        ArnLike: {
          'kms:EncryptionContext:aws:logs:arn':
            'arn:aws-cn:logs:cn-north-1:123456789012:log-group:/aws-glue/acme-test/*',
        },
      },
    },
    {
      Sid: 'EncryptAlarms',
      Effect: 'Allow',
      Principal: { Service: 'cloudwatch.amazonaws.com' },
      Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
      Resource: ['*'],
      Condition: { StringEquals: { 'aws:SourceAccount': '123456789012' } },
    },
    // With a condition on the account EventBridge could not use it.
    {
      Sid: 'EncryptEvents',
      Effect: 'Allow',
      Principal: { Service: 'events.amazonaws.com' },
      Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
      Resource: ['*'],
    },
    {
      Sid: 'EncryptAuditTrail',
      Effect: 'Allow',
      Principal: { Service: 'cloudtrail.amazonaws.com' },
      Action: ['kms:DescribeKey', 'kms:GenerateDataKey'],
      Resource: ['*'],
      Condition: {
        StringEquals: { 'aws:SourceArn': 'arn:aws-cn:cloudtrail:cn-north-1:123456789012:trail/acme-test' },
      },
    },
    {
      Sid: 'DecryptAuditTrail',
      Effect: 'Allow',
      Principal: { Service: 'cloudtrail.amazonaws.com' },
      Action: ['kms:Decrypt'],
      Resource: ['*'],
    },
  ],
};

test.each([
  { protect: true, keep: true },
  { protect: true, keep: false },
  { protect: false, keep: false },
])(
  'a key that rotates, with a name and a policy (protect $protect, keep $keep)',
  async ({ protect, keep }) => {
    const { resources } = await deployed(() => new StackKey('stack', { site, protect, keep }));
    expect(resources).toStrictEqual([
      {
        type: 'aws:kms/alias:Alias',
        name: 'stack-alias',
        parent: 'stack',
        inputs: { name: 'alias/acme-test', targetKeyId: 'stack-key.keyId' },
        after: ['stack-key'],
      },
      {
        type: KEY,
        name: 'stack-key',
        parent: 'stack',
        inputs: {
          description: 'Data, logs and alerts of acme-test.',
          enableKeyRotation: true,
          deletionWindowInDays: 30,
          policy: { json: POLICY },
          tags: { project: 'acme', team: 'data' },
        },
        after: [],
        protect,
        retainOnDelete: keep,
      },
      {
        type: 'lakehouse:security:StackKey',
        name: 'stack',
        inputs: {},
        after: [],
        outputs: { arn: 'stack-key.arn' },
      },
    ]);
  },
);

test('a transform changes neither rotation nor policy', async () => {
  const { inputs } = await deployed(
    () =>
      new StackKey('stack', {
        site,
        protect: true,
        keep: true,
        transform: {
          key: { enableKeyRotation: false, policy: '{}', multiRegion: true, deletionWindowInDays: 7 },
        },
      }),
  );
  expect(inputs(KEY)).toStrictEqual({
    description: 'Data, logs and alerts of acme-test.',
    enableKeyRotation: true,
    deletionWindowInDays: 7,
    policy: { json: POLICY },
    multiRegion: true,
    tags: site.tags,
  });
});
