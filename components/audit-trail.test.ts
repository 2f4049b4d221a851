import { AuditTrail, type AuditTrailArgs } from './audit-trail';
import { deployed, site } from './testing';

const TRAIL = 'aws:cloudtrail/trail:Trail';
const BUCKET = 'acme-test-audit-123456789012';

const trailOf = (args: Partial<AuditTrailArgs> = {}) =>
  deployed(() => {
    const places = [
      { bucket: 'raw', prefix: '' },
      { bucket: 'artifacts', prefix: 'results/all/' },
    ];
    return new AuditTrail('audit', { site, places, protect: true, keep: true, ...args });
  });

const selectors = [
  {
    name: 'Objects that may hold personal data',
    fieldSelectors: [
      { field: 'eventCategory', equals: ['Data'] },
      { field: 'resources.type', equals: ['AWS::S3::Object'] },
      {
        field: 'resources.ARN',
        startsWiths: ['arn:aws-cn:s3:::raw/', 'arn:aws-cn:s3:::artifacts/results/all/'],
      },
    ],
  },
];

test('a trail records all access to the objects of some places, into one of its own', async () => {
  const { one, inputs } = await trailOf();
  expect(one(TRAIL)).toStrictEqual({
    type: TRAIL,
    name: 'audit-trail',
    parent: 'audit',
    inputs: {
      name: 'acme-test',
      s3BucketName: BUCKET,
      enableLogFileValidation: true,
      includeGlobalServiceEvents: false,
      advancedEventSelectors: selectors,
      tags: { project: 'acme', team: 'data' },
    },
    // CloudTrail tries whether it may write: all of the bucket is there first.
    after: [
      'audit-bucket',
      'audit-encryption',
      'audit-lifecycle',
      'audit-ownership',
      'audit-policy',
      'audit-public-access',
      'audit-versioning',
    ],
  });
  expect(one('lakehouse:security:AuditTrail')).toStrictEqual({
    type: 'lakehouse:security:AuditTrail',
    name: 'audit',
    inputs: {},
    after: [],
    outputs: { bucket: BUCKET },
  });
  expect(one('lakehouse:storage:SecureBucket', 'audit').parent).toBe('audit');
  expect(
    inputs('aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration', 'audit-lifecycle').rules,
  ).toEqual([expect.objectContaining({ noncurrentVersionExpiration: { noncurrentDays: 90 } })]);
});

test('a transform cannot weaken what is recorded', async () => {
  const { inputs } = await trailOf({
    transform: {
      trail: {
        name: 'other',
        s3BucketName: 'other',
        enableLogging: false,
        enableLogFileValidation: false,
        kmsKeyId: 'other',
        advancedEventSelectors: [],
        isMultiRegionTrail: true,
      },
    },
  });
  expect(inputs(TRAIL)).toStrictEqual({
    name: 'acme-test',
    s3BucketName: BUCKET,
    enableLogFileValidation: true,
    includeGlobalServiceEvents: false,
    advancedEventSelectors: selectors,
    isMultiRegionTrail: true,
    tags: site.tags,
  });
});
