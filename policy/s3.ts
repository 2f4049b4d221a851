import {
  type Document,
  documentOf,
  isPublic,
  listOf,
  principalsOf,
  type Statement,
  textsOf,
} from './documents';
import { demand, type Finding, type Resource, type Rule, violation } from './rule';
import { at, isList, isValues, show, Unknown, unknownsIn, type Value, type Values } from './values';

/** `BucketVersioning`, also for its deprecated twin `BucketVersioningV2`: old names are no way around a rule. */
const kindOf = ({ type }: Resource): string => /^aws:s3\/\w+:(\w+?)(V2)?$/.exec(type)?.[1] ?? '';

export const isBucket = (resource: Resource): boolean => kindOf(resource) === 'Bucket';

/** The bucket that a companion belongs to; undefined where it is none of the stack's. */
const ownerOf = (companion: Resource, buckets: readonly Resource[]): Resource | Unknown | undefined => {
  const { bucket: name } = companion.props;
  const named =
    typeof name === 'string' && buckets.find(({ props }) => props.bucket === name || props.id === name);
  if (named) return named;
  // A preview of a new stack does not know the name yet, but does know which bucket it comes from.
  const sources = buckets.filter(({ urn }) => companion.comesFrom.bucket?.includes(urn));
  if (sources.length === 1) return sources[0];
  return name instanceof Unknown ? name : undefined;
};

/** Every bucket has a companion of the kind, since what a bucket lacks shows in no resource. */
const everyBucketHas =
  (kind: string, rule: string) =>
  (resources: readonly Resource[]): readonly Finding[] => {
    const buckets = resources.filter(isBucket);
    const owners = resources.filter((r) => kindOf(r) === kind).map((r) => ownerOf(r, buckets));
    const undecided = owners.filter((owner) => owner instanceof Unknown);
    return buckets
      .filter((bucket) => !owners.includes(bucket))
      .flatMap((bucket): readonly Finding[] =>
        undecided.length > 0
          ? undecided
          : [
              violation(
                bucket,
                '',
                `has no ${kind}`,
                rule,
                `declare an aws.s3.${kind} whose bucket is this one`,
              ),
            ],
      );
  };

const BLOCKS = ['blockPublicAcls', 'blockPublicPolicy', 'ignorePublicAcls', 'restrictPublicBuckets'];
const PUBLIC_ACLS: readonly unknown[] = ['authenticated-read', 'public-read', 'public-read-write'];
const PUBLIC_GROUPS = /\/groups\/global\/(AllUsers|AuthenticatedUsers)$/;

const isPublicGrant = (grant: Value): boolean => {
  const uri = isValues(grant) ? at(grant, 'grantee.uri') : undefined;
  return typeof uri === 'string' && PUBLIC_GROUPS.test(uri);
};

export const s3NoPublicAccess: Rule = {
  name: 's3-no-public-access',
  description:
    'Every bucket has a BucketPublicAccessBlock with all four settings true and BucketOwnershipControls with BucketOwnerEnforced; no ACL is public.',
  check: (resource) => {
    const privateAcl = () =>
      demand(
        resource,
        'acl',
        (acl) => !PUBLIC_ACLS.includes(acl),
        'no bucket is public',
        'remove the ACL; grant access in a bucket policy',
      );
    switch (kindOf(resource)) {
      case 'Bucket':
        return privateAcl();
      case 'BucketAcl': {
        const grants = at(resource.props, 'accessControlPolicy.grants');
        const open = listOf(grants).filter(isPublicGrant);
        return [
          ...privateAcl(),
          ...open.map((grant) =>
            violation(
              resource,
              'accessControlPolicy.grants',
              `holds ${show(grant)}`,
              'no bucket is public',
              'remove the grant; grant access in a bucket policy',
            ),
          ),
          ...unknownsIn(grants),
        ];
      }
      case 'BucketPublicAccessBlock':
        return BLOCKS.flatMap((block) =>
          demand(
            resource,
            block,
            (v) => v === true,
            'all four settings block public access',
            'set it to true',
          ),
        );
      case 'BucketOwnershipControls':
        return demand(
          resource,
          'rule.objectOwnership',
          (v) => v === 'BucketOwnerEnforced',
          'ACLs are off, so that policies alone decide',
          'set it to "BucketOwnerEnforced"',
        );
      default:
        return [];
    }
  },
  checkStack: (resources) => [
    ...everyBucketHas('BucketPublicAccessBlock', 'no bucket is public')(resources),
    ...everyBucketHas('BucketOwnershipControls', 'ACLs are off, so that policies alone decide')(resources),
  ],
};

const ENCRYPTED = 'every bucket is encrypted, with AES256 or with aws:kms and a bucket key';

/** Indexes of a list property; none where it is unknown, absent or no list. */
const indexes = (value: Value | undefined): readonly number[] =>
  isList(value) ? value.map((_, i) => i) : [];

export const s3Encrypted: Rule = {
  name: 's3-encrypted',
  description:
    'Every bucket has a BucketServerSideEncryptionConfiguration with AES256, or with aws:kms and a bucket key.',
  check: (resource) => {
    if (kindOf(resource) !== 'BucketServerSideEncryptionConfiguration') return [];
    const algorithmAt = (i: number) => `rules.${i}.applyServerSideEncryptionByDefault.sseAlgorithm`;
    return [
      ...demand(
        resource,
        'rules',
        (rules) => isList(rules) && rules.length > 0,
        ENCRYPTED,
        'add a rule with applyServerSideEncryptionByDefault',
      ),
      ...indexes(resource.props.rules).flatMap((i) => [
        ...demand(
          resource,
          algorithmAt(i),
          (v) => v === 'AES256' || v === 'aws:kms',
          ENCRYPTED,
          'set it to "AES256" or "aws:kms"',
        ),
        ...(at(resource.props, algorithmAt(i)) === 'aws:kms'
          ? demand(
              resource,
              `rules.${i}.bucketKeyEnabled`,
              (v) => v === true,
              'without a bucket key each object costs a call to KMS',
              'set it to true',
            )
          : []),
      ]),
    ];
  },
  checkStack: everyBucketHas('BucketServerSideEncryptionConfiguration', ENCRYPTED),
};

const VERSIONED = 'every bucket keeps what is overwritten or deleted';

export const s3Versioned: Rule = {
  name: 's3-versioned',
  description: 'Every bucket has a BucketVersioning with the status Enabled.',
  check: (resource) =>
    kindOf(resource) === 'BucketVersioning'
      ? demand(
          resource,
          'versioningConfiguration.status',
          (v) => v === 'Enabled',
          VERSIONED,
          'set it to "Enabled"',
        )
      : [],
  checkStack: everyBucketHas('BucketVersioning', VERSIONED),
};

const LIFECYCLE = 'what is left over does not stay for ever';

const isEmpty = (value: Value | undefined): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  (isValues(value) && Object.values(value).every(isEmpty));

/** Whether a lifecycle rule is on, and on for the whole bucket. */
const coversBucket = (rule: Values): boolean =>
  rule.status === 'Enabled' && isEmpty(rule.filter) && isEmpty(rule.prefix);

/** Settings that a lifecycle must have somewhere, for the whole bucket. */
const SWEEPS = {
  'abortIncompleteMultipartUpload.daysAfterInitiation': 'aborts incomplete multipart uploads',
  'noncurrentVersionExpiration.noncurrentDays': 'expires noncurrent versions',
};

export const s3Lifecycle: Rule = {
  name: 's3-lifecycle',
  description:
    'Every bucket has a BucketLifecycleConfiguration that aborts incomplete multipart uploads and expires noncurrent versions in all of the bucket.',
  check: (resource) => {
    if (kindOf(resource) !== 'BucketLifecycleConfiguration') return [];
    const { rules } = resource.props;
    const unknowns = unknownsIn(rules);
    const covering = listOf(rules).filter(isValues).filter(coversBucket);
    return Object.entries(SWEEPS).flatMap(([setting, does]): readonly Finding[] => {
      if (covering.some((rule) => Number(at(rule, setting)) > 0)) return [];
      if (unknowns.length > 0) return unknowns;
      return [
        violation(
          resource,
          'rules',
          `hold no enabled rule for the whole bucket that ${does}`,
          LIFECYCLE,
          `add one with ${setting}, without a filter`,
        ),
      ];
    });
  },
  checkStack: everyBucketHas('BucketLifecycleConfiguration', LIFECYCLE),
};

const TLS = 'a bucket answers over TLS only';

const isInsecureAlone = (condition: Value | undefined): boolean => {
  if (!isValues(condition)) return false;
  const tests = Object.entries(condition).flatMap(([operator, test]) =>
    isValues(test) ? Object.entries(test).map(([key, value]) => ({ operator, key, value })) : [],
  );
  const [test, ...others] = tests;
  if (test === undefined || others.length > 0) return false;
  return (
    /^Bool(IfExists)?$/i.test(test.operator) &&
    test.key.toLowerCase() === 'aws:securetransport' &&
    textsOf(test.value).join() === 'false'
  );
};

/** A Deny of everything to everyone, in the bucket and all its objects, whenever the transport is not secure. */
const deniesPlainHttp = (statement: Statement, bucket: Value | undefined): boolean => {
  const { denies, elements } = statement;
  const targets = textsOf(elements.resource);
  return (
    denies &&
    principalsOf(statement).some(({ kind, who }) => who === '*' && ['*', 'AWS'].includes(kind)) &&
    textsOf(elements.action).some((action) => action === '*' || action.toLowerCase() === 's3:*') &&
    targets.some(
      (arn) =>
        (typeof bucket === 'string' ? arn.endsWith(`:::${bucket}`) : /:::[^/*]+$/.test(arn)) &&
        targets.includes(`${arn}/*`),
    ) &&
    isInsecureAlone(elements.condition)
  );
};

const tlsIn = (resource: Resource, { statements, unknowns, fault }: Document): readonly Finding[] => {
  if (statements.some((statement) => deniesPlainHttp(statement, resource.props.bucket))) return [];
  // What is unknown in an Allow cannot turn out to be the Deny that is looked for.
  const hidden =
    statements.length > 0 ? statements.filter((s) => !s.allows).flatMap((s) => s.unknowns) : unknowns;
  if (fault === undefined && hidden.length > 0) return [];
  return [
    violation(
      resource,
      'policy',
      fault ?? 'has no statement that denies s3:* to "*" when aws:SecureTransport is "false"',
      TLS,
      'add one whose Resource is the bucket\'s ARN and that ARN with "/*", without other conditions',
    ),
  ];
};

export const s3TlsOnly: Rule = {
  name: 's3-tls-only',
  description:
    'Every bucket has a BucketPolicy that denies all access without TLS, and that lets nobody in by Principal "*" alone.',
  check: (resource) => {
    const kind = kindOf(resource);
    const { policy } = resource.props;
    if ((kind !== 'Bucket' && kind !== 'BucketPolicy') || policy === undefined) return [];
    const document = documentOf(policy);
    return [
      ...(kind === 'BucketPolicy' ? tlsIn(resource, document) : []),
      ...document.statements
        .filter(isPublic)
        .map(({ label, elements }) =>
          violation(
            resource,
            `policy.${label}.Principal`,
            `is ${show(elements.principal)} without a condition on the caller`,
            'no bucket is public',
            'name the principals, or add a condition on aws:SourceAccount or another key of the caller',
          ),
        ),
      ...document.unknowns,
    ];
  },
  checkStack: everyBucketHas('BucketPolicy', TLS),
};
