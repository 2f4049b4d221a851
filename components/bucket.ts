import type { types } from '@pulumi/aws';
import { Bucket, type BucketArgs } from '@pulumi/aws/s3/bucket';
import {
  BucketLifecycleConfiguration,
  type BucketLifecycleConfigurationArgs,
} from '@pulumi/aws/s3/bucketLifecycleConfiguration';
import { BucketNotification } from '@pulumi/aws/s3/bucketNotification';
import { BucketOwnershipControls } from '@pulumi/aws/s3/bucketOwnershipControls';
import { BucketPolicy } from '@pulumi/aws/s3/bucketPolicy';
import { BucketPublicAccessBlock } from '@pulumi/aws/s3/bucketPublicAccessBlock';
import { BucketServerSideEncryptionConfiguration } from '@pulumi/aws/s3/bucketServerSideEncryptionConfiguration';
import { BucketVersioning } from '@pulumi/aws/s3/bucketVersioning';
import {
  all,
  ComponentResource,
  type ComponentResourceOptions,
  jsonStringify,
  type Output,
} from '@pulumi/pulumi';
import { document, type Statement } from './access';
import { EXPIRED_VERSION_DAYS } from './constants';
import { bucketArn, bucketName, type Site } from './site';
import { type Transform, transformed } from './transform';

export interface SecureBucketArgs {
  readonly site: Site;
  /** What the bucket is for; ends its name. */
  readonly purpose: string;
  /** Days after which an old version of an object goes. */
  readonly oldVersionDays: number;
  /** Days after which the objects of a prefix go. Default: none does. */
  readonly expire?: readonly { readonly prefix: string; readonly days: number }[];
  /** Whether Pulumi refuses to delete the bucket. */
  readonly protect: boolean;
  /** Whether `destroy` leaves the bucket and its settings; otherwise it deletes them with all objects. */
  readonly keep: boolean;
  /** Whether S3 reports new objects to EventBridge. Default: false. */
  readonly reportsObjects?: boolean;
  /** Statements of the bucket's policy besides those that refuse plain HTTP. Default: none. */
  readonly statements?: readonly Statement[];
  readonly transform?: {
    readonly bucket?: Transform<BucketArgs>;
    readonly lifecycle?: Transform<BucketLifecycleConfigurationArgs>;
  };
}

/** Refuses plain HTTP and old TLS, to everybody and for everything. Source: AWS Config rule s3-bucket-ssl-requests-only. */
const tlsOnly = (site: Site, bucket: string): Statement[] => {
  const refuse = (Sid: string, Condition: NonNullable<Statement['Condition']>): Statement => ({
    Sid,
    Effect: 'Deny',
    Principal: '*',
    Action: 's3:*',
    Resource: [bucketArn(site, bucket), `${bucketArn(site, bucket)}/*`],
    Condition,
  });
  return [
    refuse('RefusePlainHttp', { Bool: { 'aws:SecureTransport': 'false' } }),
    refuse('RefuseOldTls', { NumericLessThan: { 's3:TlsVersion': '1.2' } }),
  ];
};

const lifecycleRules = ({
  oldVersionDays,
  expire = [],
}: SecureBucketArgs): types.input.s3.BucketLifecycleConfigurationRule[] => [
  {
    id: 'old-versions-and-aborted-uploads',
    status: 'Enabled',
    filter: { prefix: '' },
    abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
    noncurrentVersionExpiration: { noncurrentDays: oldVersionDays },
    expiration: { expiredObjectDeleteMarker: true },
  },
  ...expire.map(({ prefix, days }) => ({
    id: `expire-${prefix.replaceAll('/', '-')}objects`,
    status: 'Enabled',
    filter: { prefix },
    expiration: { days },
    // To expire an object of a versioned bucket makes it an old version, which has to go too.
    noncurrentVersionExpiration: { noncurrentDays: EXPIRED_VERSION_DAYS },
  })),
];

/** A bucket that is private, encrypted, versioned, owned by its account and reached by TLS only. */
export class SecureBucket extends ComponentResource {
  /** The bucket's name, known before the bucket is there. */
  readonly name: string;
  /** The same name, once the bucket and all that secures it are there. */
  readonly ready: Output<string>;
  readonly nodes: { readonly bucket: Bucket; readonly policy: BucketPolicy };

  constructor(name: string, args: SecureBucketArgs, opts?: ComponentResourceOptions) {
    super('lakehouse:storage:SecureBucket', name, {}, opts);
    const { site, transform = {} } = args;
    this.name = bucketName(site, args.purpose);
    const kept = { parent: this, retainOnDelete: args.keep };

    const bucket = new Bucket(
      `${name}-bucket`,
      transformed<BucketArgs>(
        { bucket: this.name, forceDestroy: !args.keep, tags: site.tags },
        transform.bucket,
        ['bucket', 'forceDestroy', 'acl', 'grants', 'policy'],
      ),
      { ...kept, protect: args.protect },
    );
    const of = { bucket: bucket.bucket };
    const block = new BucketPublicAccessBlock(
      `${name}-public-access`,
      {
        ...of,
        blockPublicAcls: true,
        blockPublicPolicy: true,
        ignorePublicAcls: true,
        restrictPublicBuckets: true,
      },
      kept,
    );
    const ownership = new BucketOwnershipControls(
      `${name}-ownership`,
      { ...of, rule: { objectOwnership: 'BucketOwnerEnforced' } },
      kept,
    );
    const encryption = new BucketServerSideEncryptionConfiguration(
      `${name}-encryption`,
      {
        ...of,
        rules: [
          site.key === undefined
            ? { applyServerSideEncryptionByDefault: { sseAlgorithm: 'AES256' } }
            : {
                applyServerSideEncryptionByDefault: { sseAlgorithm: 'aws:kms', kmsMasterKeyId: site.key },
                bucketKeyEnabled: true,
              },
        ],
      },
      kept,
    );
    const versioning = new BucketVersioning(
      `${name}-versioning`,
      { ...of, versioningConfiguration: { status: 'Enabled' } },
      kept,
    );
    new BucketLifecycleConfiguration(
      `${name}-lifecycle`,
      transformed<BucketLifecycleConfigurationArgs>(
        { ...of, rules: lifecycleRules(args) },
        transform.lifecycle,
        ['bucket'],
      ),
      // S3 takes rules for old versions only of a bucket that keeps them.
      { ...kept, dependsOn: [versioning] },
    );
    const policy = new BucketPolicy(
      `${name}-policy`,
      {
        ...of,
        policy: jsonStringify(document([...tlsOnly(site, this.name), ...(args.statements ?? [])])),
      },
      // Two changes of one bucket's access at a time are refused by S3.
      { ...kept, dependsOn: [block] },
    );
    if (args.reportsObjects) {
      new BucketNotification(`${name}-notification`, { ...of, eventbridge: true }, { parent: this });
    }
    // Each tells the bucket's name again, which a preview knows too.
    const secured = [policy, block, ownership, encryption, versioning];
    this.ready = all(secured.map((part) => part.bucket)).apply(() => bucket.bucket);
    this.nodes = { bucket, policy };
    this.registerOutputs({ name: this.name });
  }
}
