import { Trail, type TrailArgs } from '@pulumi/aws/cloudtrail/trail';
import { ComponentResource, type ComponentResourceOptions } from '@pulumi/pulumi';
import type { Statement } from './access';
import { SecureBucket } from './bucket';
import { arn, bucketArn, bucketName, type Place, type Site } from './site';
import { type Transform, transformed } from './transform';

export interface AuditTrailArgs {
  readonly site: Site;
  /** Where personal data is. */
  readonly places: readonly Place[];
  /** Whether Pulumi refuses to delete the records. */
  readonly protect: boolean;
  /** Whether `destroy` leaves the records. */
  readonly keep: boolean;
  readonly transform?: { readonly trail?: Transform<TrailArgs> };
}

const PURPOSE = 'audit';
/** Days that a record can be had back after somebody deleted it. */
const OLD_VERSION_DAYS = 90;

/**
 * Records who reads, writes or deletes an object that may hold personal data. Not by awsx's Trail: that one gives
 * the bucket a policy of its own, in place of the one that refuses plain HTTP.
 */
export class AuditTrail extends ComponentResource {
  readonly bucket: SecureBucket;
  readonly nodes: { readonly trail: Trail };

  constructor(name: string, args: AuditTrailArgs, opts?: ComponentResourceOptions) {
    super('lakehouse:security:AuditTrail', name, {}, opts);
    const { site } = args;
    this.bucket = new SecureBucket(
      name,
      {
        site,
        purpose: PURPOSE,
        oldVersionDays: OLD_VERSION_DAYS,
        protect: args.protect,
        keep: args.keep,
        statements: deliveryStatements(site),
      },
      { parent: this },
    );
    const trail = new Trail(
      `${name}-trail`,
      transformed<TrailArgs>(
        {
          name: site.name,
          s3BucketName: this.bucket.ready,
          enableLogFileValidation: true,
          includeGlobalServiceEvents: false,
          ...(site.key !== undefined && { kmsKeyId: site.key }),
          advancedEventSelectors: [
            {
              name: 'Objects that may hold personal data',
              fieldSelectors: [
                { field: 'eventCategory', equals: ['Data'] },
                { field: 'resources.type', equals: ['AWS::S3::Object'] },
                {
                  field: 'resources.ARN',
                  startsWiths: args.places.map(
                    ({ bucket, prefix }) => `${bucketArn(site, bucket)}/${prefix}`,
                  ),
                },
              ],
            },
          ],
          tags: site.tags,
        },
        args.transform?.trail,
        [
          'name',
          's3BucketName',
          'enableLogging',
          'enableLogFileValidation',
          'kmsKeyId',
          'advancedEventSelectors',
        ],
      ),
      // CloudTrail tries whether it may write.
      { parent: this, dependsOn: [this.bucket] },
    );
    this.nodes = { trail };
    this.registerOutputs({ bucket: this.bucket.name });
  }
}

/** Lets this stack's trail deliver, and no other. Source: CloudTrail's user guide, "Amazon S3 bucket policy for CloudTrail". */
function deliveryStatements(site: Site): Statement[] {
  const bucket = bucketArn(site, bucketName(site, PURPOSE));
  const source = { 'aws:SourceArn': arn(site, 'cloudtrail', `trail/${site.name}`) };
  const principal = { Service: 'cloudtrail.amazonaws.com' };
  return [
    {
      Sid: 'CheckBucket',
      Effect: 'Allow',
      Principal: principal,
      Action: ['s3:GetBucketAcl'],
      Resource: [bucket],
      Condition: { StringEquals: source },
    },
    {
      Sid: 'DeliverRecords',
      Effect: 'Allow',
      Principal: principal,
      Action: ['s3:PutObject'],
      Resource: [`${bucket}/AWSLogs/${site.account}/*`],
      Condition: { StringEquals: { ...source, 's3:x-amz-acl': 'bucket-owner-full-control' } },
    },
  ];
}
