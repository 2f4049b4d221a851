import { athenaLimits } from './athena';
import { crawlerDoesNotChangeTables, glueJobLimits, icebergOwnedByProgram } from './glue';
import { iamNoWildcards, iamTrust } from './iam';
import { logRetention } from './logs';
import { prodProtected } from './prod';
import { policyOf, type Rule } from './rule';
import { s3Encrypted, s3Lifecycle, s3NoPublicAccess, s3TlsOnly, s3Versioned } from './s3';
import { tags } from './tags';

export const rules: readonly Rule[] = [
  s3NoPublicAccess,
  s3Encrypted,
  s3Versioned,
  s3Lifecycle,
  s3TlsOnly,
  iamNoWildcards,
  iamTrust,
  tags,
  glueJobLimits,
  crawlerDoesNotChangeTables,
  icebergOwnedByProgram,
  logRetention,
  athenaLimits,
  prodProtected,
];

export const policies = rules.map(policyOf);
