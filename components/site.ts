import type { Input } from '@pulumi/pulumi';
import type { StackNames } from '../model/places';

export * from '../model/places';

/**
 * Where a stack stands. All of it but the key is known before any resource is, so that a preview shows whole names
 * and whole policies.
 */
export interface Site extends StackNames {
  /** What every resource is tagged with. */
  readonly tags: Readonly<Record<string, string>>;
  /** ARN of the stack's KMS key. Absent: S3's and the services' own encryption. */
  readonly key?: Input<string>;
}
