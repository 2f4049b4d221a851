import { Alias } from '@pulumi/aws/kms/alias';
import { Key, type KeyArgs } from '@pulumi/aws/kms/key';
import { ComponentResource, type ComponentResourceOptions, type Output } from '@pulumi/pulumi';
import { document, type Statement } from './access';
import { arn, type Site } from './site';
import { type Transform, transformed } from './transform';

export interface StackKeyArgs {
  readonly site: Site;
  /** Whether Pulumi refuses to delete the key: what it encrypted could not be read again. */
  readonly protect: boolean;
  /** Whether `destroy` leaves the key. */
  readonly keep: boolean;
  readonly transform?: { readonly key?: Transform<KeyArgs> };
}

/** Days in which a deleted key can be had back: KMS's most. */
const DELETION_WINDOW_DAYS = 30;

/** The key that encrypts everything of a stack that rests. */
export class StackKey extends ComponentResource {
  readonly arn: Output<string>;
  readonly nodes: { readonly key: Key; readonly alias: Alias };

  constructor(name: string, args: StackKeyArgs, opts?: ComponentResourceOptions) {
    super('lakehouse:security:StackKey', name, {}, opts);
    const { site } = args;
    const key = new Key(
      `${name}-key`,
      transformed<KeyArgs>(
        {
          description: `Data, logs and alerts of ${site.name}.`,
          enableKeyRotation: true,
          deletionWindowInDays: DELETION_WINDOW_DAYS,
          policy: JSON.stringify(document(statementsOf(site))),
          tags: site.tags,
        },
        args.transform?.key,
        ['enableKeyRotation', 'policy'],
      ),
      { parent: this, protect: args.protect, retainOnDelete: args.keep },
    );
    const alias = new Alias(
      `${name}-alias`,
      { name: `alias/${site.name}`, targetKeyId: key.keyId },
      { parent: this },
    );
    this.arn = key.arn;
    this.nodes = { key, alias };
    this.registerOutputs({ arn: this.arn });
  }
}

/** IAM decides for the account's own roles; services that write on their own behalf are named. */
const statementsOf = (site: Site): Statement[] => [
  {
    Sid: 'LetIamDecide',
    Effect: 'Allow',
    Principal: { AWS: `arn:${site.partition}:iam::${site.account}:root` },
    Action: ['kms:*'],
    Resource: ['*'],
  },
  {
    Sid: 'EncryptLogs',
    Effect: 'Allow',
    Principal: { Service: `logs.${site.region}.amazonaws.com` },
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
        'kms:EncryptionContext:aws:logs:arn': arn(site, 'logs', `log-group:/aws-glue/${site.name}/*`),
      },
    },
  },
  {
    Sid: 'EncryptAlarms',
    Effect: 'Allow',
    Principal: { Service: 'cloudwatch.amazonaws.com' },
    Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
    Resource: ['*'],
    Condition: { StringEquals: { 'aws:SourceAccount': site.account } },
  },
  {
    // EventBridge does not tell KMS its account: with a condition on it no failed job would be reported. Source: SNS's
    // developer guide, "Enable compatibility between event sources from AWS services and encrypted topics".
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
    Condition: { StringEquals: { 'aws:SourceArn': arn(site, 'cloudtrail', `trail/${site.name}`) } },
  },
  {
    // The trail's bucket has a bucket key, and CloudTrail creates no trail there without this right. Source: CloudTrail's
    // user guide, "Configure AWS KMS key policies for CloudTrail", which gives it without a condition.
    Sid: 'DecryptAuditTrail',
    Effect: 'Allow',
    Principal: { Service: 'cloudtrail.amazonaws.com' },
    Action: ['kms:Decrypt'],
    Resource: ['*'],
  },
];
