import { given, told, unknown } from './given';
import type { Resource, Rule } from './rule';
import { s3Encrypted, s3Lifecycle, s3NoPublicAccess, s3TlsOnly, s3Versioned } from './s3';
import type { Value, Values } from './values';

const of = (kind: string, props: Values, more: Partial<Resource> = {}) =>
  given(`aws:s3/${kind.charAt(0).toLowerCase()}${kind.slice(1)}:${kind}`, props, more);
const check = (rule: Rule, kind: string, props: Values) => told(rule.check(of(kind, props), {}));

describe('what every bucket has', () => {
  const landing = of('Bucket', { bucket: 'stedi-landing' }, { name: 'landing' });
  const trusted = of('Bucket', {}, { name: 'trusted' });
  const fromTrusted = { comesFrom: { bucket: [trusted.urn] } };
  const stack = (...resources: Resource[]) =>
    told(s3Versioned.checkStack?.([landing, trusted, ...resources]) ?? []);
  const missing = (name: string) =>
    `${name}: has no BucketVersioning; every bucket keeps what is overwritten or deleted; declare an aws.s3.BucketVersioning whose bucket is this one`;

  it.each<[Rule, string]>([
    [s3NoPublicAccess, 'BucketPublicAccessBlock'],
    [s3NoPublicAccess, 'BucketOwnershipControls'],
    [s3Encrypted, 'BucketServerSideEncryptionConfiguration'],
    [s3Versioned, 'BucketVersioning'],
    [s3Lifecycle, 'BucketLifecycleConfiguration'],
    [s3TlsOnly, 'BucketPolicy'],
  ])('$name wants a %s', (rule, kind) => {
    const lacking = `landing: has no ${kind};`;
    const has = of(kind, { bucket: 'stedi-landing' });
    const starts = (resources: Resource[]) =>
      told(rule.checkStack?.(resources) ?? []).filter((text) => text.startsWith(lacking));
    expect(starts([landing])).toHaveLength(1);
    expect(starts([landing, has])).toEqual([]);
  });

  it('knows a companion by the bucket name, or by where an unknown name comes from', () => {
    expect(
      stack(
        of('BucketVersioning', { bucket: 'stedi-landing' }),
        of('BucketVersioning', { bucket: unknown }, fromTrusted),
      ),
    ).toEqual([]);
  });

  it('names every bucket that lacks one', () => {
    expect(stack()).toEqual([missing('landing'), missing('trusted')]);
    expect(stack(of('BucketVersioning', { bucket: unknown }, fromTrusted))).toEqual([missing('landing')]);
    expect(stack(of('BucketVersioning', { bucket: 'another' }))).toHaveLength(2);
  });

  it('does not judge while a companion may still turn out to be the one', () => {
    const both = { comesFrom: { bucket: [landing.urn, trusted.urn] } };
    expect(stack(of('BucketVersioning', { bucket: unknown }))).toEqual(['(unknown)', '(unknown)']);
    expect(stack(of('BucketVersioning', { bucket: unknown }, both))).toEqual(['(unknown)', '(unknown)']);
  });

  it('holds for the deprecated V2 types too', () => {
    const v2 = of('BucketV2', { bucket: 'old' }, { name: 'old' });
    expect(told(s3Versioned.checkStack?.([v2]) ?? [])).toEqual([missing('old')]);
    const twin = of('BucketVersioningV2', { bucket: 'old' });
    expect(told(s3Versioned.checkStack?.([v2, twin]) ?? [])).toEqual([]);
  });
});

describe('s3-no-public-access', () => {
  const blocked = {
    blockPublicAcls: true,
    blockPublicPolicy: true,
    ignorePublicAcls: true,
    restrictPublicBuckets: true,
  };

  it('wants all four blocks', () => {
    expect(check(s3NoPublicAccess, 'BucketPublicAccessBlock', blocked)).toEqual([]);
    for (const name of Object.keys(blocked)) {
      expect(check(s3NoPublicAccess, 'BucketPublicAccessBlock', { ...blocked, [name]: false })).toEqual([
        `it.${name}: is false; all four settings block public access; set it to true`,
      ]);
    }
    expect(check(s3NoPublicAccess, 'BucketPublicAccessBlock', {})).toHaveLength(4);
    expect(
      check(s3NoPublicAccess, 'BucketPublicAccessBlock', { ...blocked, ignorePublicAcls: unknown }),
    ).toEqual(['(unknown)']);
  });

  it.each(['public-read', 'public-read-write', 'authenticated-read'])('refuses the ACL %s', (acl) => {
    const message = `it.acl: is "${acl}"; no bucket is public; remove the ACL; grant access in a bucket policy`;
    expect(check(s3NoPublicAccess, 'Bucket', { acl })).toEqual([message]);
    expect(check(s3NoPublicAccess, 'BucketAcl', { acl })).toEqual([message]);
  });

  it('accepts private buckets', () => {
    expect(check(s3NoPublicAccess, 'Bucket', {})).toEqual([]);
    expect(check(s3NoPublicAccess, 'BucketAcl', { acl: 'log-delivery-write' })).toEqual([]);
  });

  it.each(['AllUsers', 'AuthenticatedUsers'])('refuses a grant to %s', (group) => {
    const grants = (uri: string) => ({
      accessControlPolicy: { grants: [{ permission: 'READ', grantee: { type: 'Group', uri } }] },
    });
    const open = check(
      s3NoPublicAccess,
      'BucketAcl',
      grants(`http://acs.amazonaws.com/groups/global/${group}`),
    );
    expect(open).toEqual([
      expect.stringMatching(
        /^it\.accessControlPolicy\.grants: holds \{.*; no bucket is public; remove the grant; grant access in a bucket policy$/,
      ),
    ]);
    expect(
      check(s3NoPublicAccess, 'BucketAcl', grants('http://acs.amazonaws.com/groups/s3/LogDelivery')),
    ).toEqual([]);
  });

  it('wants ACLs off', () => {
    const owner = (objectOwnership: Value) =>
      check(s3NoPublicAccess, 'BucketOwnershipControls', { rule: { objectOwnership } });
    expect(owner('BucketOwnerEnforced')).toEqual([]);
    expect(owner('BucketOwnerPreferred')).toEqual([
      'it.rule.objectOwnership: is "BucketOwnerPreferred"; ACLs are off, so that policies alone decide; set it to "BucketOwnerEnforced"',
    ]);
  });
});

describe('s3-encrypted', () => {
  const rules = (sseAlgorithm: Value, more: Values = {}) =>
    check(s3Encrypted, 'BucketServerSideEncryptionConfiguration', {
      rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm }, ...more }],
    });

  it('accepts AES256, and aws:kms with a bucket key', () => {
    expect(rules('AES256')).toEqual([]);
    expect(rules('aws:kms', { bucketKeyEnabled: true })).toEqual([]);
  });

  it('refuses other algorithms, aws:kms without a bucket key, and no rules', () => {
    expect(rules('aws:kms:dsse')).toEqual([
      'it.rules.0.applyServerSideEncryptionByDefault.sseAlgorithm: is "aws:kms:dsse"; every bucket is encrypted, with AES256 or with aws:kms and a bucket key; set it to "AES256" or "aws:kms"',
    ]);
    expect(rules('aws:kms')).toEqual([
      'it.rules.0.bucketKeyEnabled: is not set; without a bucket key each object costs a call to KMS; set it to true',
    ]);
    expect(check(s3Encrypted, 'BucketServerSideEncryptionConfiguration', { rules: [] })).toEqual([
      'it.rules: is []; every bucket is encrypted, with AES256 or with aws:kms and a bucket key; add a rule with applyServerSideEncryptionByDefault',
    ]);
  });

  it('does not judge what is unknown', () => {
    expect(rules(unknown)).toEqual(['(unknown)']);
    expect(rules('aws:kms', { bucketKeyEnabled: unknown })).toEqual(['(unknown)']);
  });
});

describe('s3-versioned', () => {
  const status = (value: Value) =>
    check(s3Versioned, 'BucketVersioning', { versioningConfiguration: { status: value } });
  it('wants Enabled', () => {
    expect(status('Enabled')).toEqual([]);
    expect(status('Suspended')).toEqual([
      'it.versioningConfiguration.status: is "Suspended"; every bucket keeps what is overwritten or deleted; set it to "Enabled"',
    ]);
    expect(status(unknown)).toEqual(['(unknown)']);
  });
});

describe('s3-lifecycle', () => {
  const abort = { status: 'Enabled', abortIncompleteMultipartUpload: { daysAfterInitiation: 7 } };
  const expire = { status: 'Enabled', noncurrentVersionExpiration: { noncurrentDays: 30 } };
  const lifecycle = (...rules: Value[]) => check(s3Lifecycle, 'BucketLifecycleConfiguration', { rules });
  const noAbort =
    'it.rules: hold no enabled rule for the whole bucket that aborts incomplete multipart uploads; what is left over does not stay for ever; add one with abortIncompleteMultipartUpload.daysAfterInitiation, without a filter';
  const noExpiry =
    'it.rules: hold no enabled rule for the whole bucket that expires noncurrent versions; what is left over does not stay for ever; add one with noncurrentVersionExpiration.noncurrentDays, without a filter';

  it('accepts both in one rule or in two, with an empty filter or none', () => {
    expect(lifecycle(abort, expire)).toEqual([]);
    expect(lifecycle({ ...abort, ...expire, filter: { prefix: '' } })).toEqual([]);
    expect(lifecycle({ ...abort, ...expire, filter: {}, prefix: '' })).toEqual([]);
  });

  it('says what is missing', () => {
    expect(lifecycle()).toEqual([noAbort, noExpiry]);
    expect(lifecycle(expire)).toEqual([noAbort]);
    expect(lifecycle(abort)).toEqual([noExpiry]);
  });

  it('does not count a rule that is off, has no days or is for a part of the bucket', () => {
    expect(lifecycle(expire, { ...abort, status: 'Disabled' })).toEqual([noAbort]);
    expect(lifecycle(expire, { ...abort, filter: { prefix: 'tmp/' } })).toEqual([noAbort]);
    expect(lifecycle(expire, { ...abort, filter: { and: { tags: { a: 'b' } } } })).toEqual([noAbort]);
    expect(lifecycle(expire, { ...abort, prefix: 'tmp/' })).toEqual([noAbort]);
    expect(
      lifecycle(expire, { ...abort, abortIncompleteMultipartUpload: { daysAfterInitiation: 0 } }),
    ).toEqual([noAbort]);
  });

  it('does not judge while a rule is unknown, unless the known ones do', () => {
    expect(lifecycle(expire, unknown)).toEqual(['(unknown)']);
    expect(lifecycle(abort, expire, unknown)).toEqual([]);
  });
});

describe('s3-tls-only', () => {
  const arn = 'arn:aws:s3:::landing';
  const deny = {
    Effect: 'Deny',
    Principal: '*',
    Action: 's3:*',
    Resource: [arn, `${arn}/*`],
    Condition: { Bool: { 'aws:SecureTransport': 'false' } },
  };
  const policy = (statement: Value, bucket: Value = 'landing') => {
    const asText = told(
      s3TlsOnly.check(of('BucketPolicy', { bucket, policy: JSON.stringify({ Statement: statement }) }), {}),
    );
    const asObject = told(
      s3TlsOnly.check(of('BucketPolicy', { bucket, policy: { Statement: statement } }), {}),
    );
    expect(asObject).toEqual(asText);
    return asText;
  };
  const open =
    'it.policy: has no statement that denies s3:* to "*" when aws:SecureTransport is "false"; a bucket answers over TLS only; add one whose Resource is the bucket\'s ARN and that ARN with "/*", without other conditions';

  it('accepts the ways to write it', () => {
    expect(policy(deny)).toEqual([]);
    expect(policy([{ Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::1:role/x' } }, deny])).toEqual([]);
    expect(policy({ ...deny, Principal: { AWS: '*' } })).toEqual([]);
    expect(policy({ ...deny, Principal: { AWS: ['*'] }, Action: ['*'] })).toEqual([]);
    expect(policy({ ...deny, Condition: { BoolIfExists: { 'AWS:securetransport': [false] } } })).toEqual([]);
    expect(policy({ ...deny, Principal: { AWS: ['arn:aws:iam::1:root', '*'] } })).toEqual([]);
    expect(policy({ ...deny, Action: ['s3:GetObject', 'S3:*'] })).toEqual([]);
    expect(policy({ ...deny, Condition: { bool: { 'aws:SecureTransport': 'false' } } })).toEqual([]);
    expect(policy(deny, unknown)).toEqual([]);
  });

  it.each<[string, Values]>([
    ['an Allow', { Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::1:role/x' } }],
    ['one principal', { Principal: { AWS: 'arn:aws:iam::1:root' } }],
    ['services only', { Principal: { Service: '*' } }],
    ['some actions', { Action: 's3:Get*' }],
    ['objects only', { Resource: `${arn}/*` }],
    ['the bucket only', { Resource: [arn] }],
    ['another bucket', { Resource: ['arn:aws:s3:::other', 'arn:aws:s3:::other/*'] }],
    ['no condition', { Condition: null }],
    ['an empty condition', { Condition: {} }],
    ['the wrong way round', { Condition: { Bool: { 'aws:SecureTransport': 'true' } } }],
    ['another key', { Condition: { Bool: { 'aws:ViaAWSService': 'false' } } }],
    ['another operator', { Condition: { StringEquals: { 'aws:SecureTransport': 'false' } } }],
    [
      'a second condition',
      {
        Condition: { Bool: { 'aws:SecureTransport': 'false' }, StringEquals: { 'aws:PrincipalOrgID': 'o' } },
      },
    ],
  ])('does not count %s', (_, change) => {
    expect(policy({ ...deny, ...change })).toEqual([open]);
  });

  it('refuses an Allow for everyone, unless a condition ties it to a caller', () => {
    const allow = { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `${arn}/*` };
    const message =
      'it.policy.Statement[1].Principal: is "*" without a condition on the caller; no bucket is public; name the principals, or add a condition on aws:SourceAccount or another key of the caller';
    expect(policy([deny, allow])).toEqual([message]);
    expect(policy([deny, { ...allow, Condition: { Bool: { 'aws:SecureTransport': 'true' } } }])).toEqual([
      message,
    ]);
    expect(policy([deny, { ...allow, Condition: { StringLike: { 'aws:PrincipalArn': '*' } } }])).toEqual([
      message,
    ]);
    expect(
      policy([deny, { ...allow, Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-1' } } }]),
    ).toEqual([]);
    expect(
      told(s3TlsOnly.check(of('Bucket', { policy: JSON.stringify({ Statement: allow }) }), {})),
    ).toHaveLength(1);
  });

  it('is about buckets only', () => {
    const open = { Statement: { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: '*' } };
    expect(check(s3TlsOnly, 'AccessPoint', { policy: open })).toEqual([]);
    expect(check(s3TlsOnly, 'Bucket', {})).toEqual([]);
  });

  it('refuses what is no policy', () => {
    const texts = (text: string) => told(s3TlsOnly.check(of('BucketPolicy', { policy: text }), {}));
    expect(texts('{')).toEqual([expect.stringMatching(/^it\.policy: is not JSON;/)]);
    expect(texts('[]')).toEqual([expect.stringMatching(/^it\.policy: is not a JSON object;/)]);
    expect(texts('{}')).toEqual([expect.stringMatching(/^it\.policy: has no Statement;/)]);
  });

  it('does not judge a policy that is unknown where it matters, and does judge the rest', () => {
    const known = (value: Value) =>
      told(s3TlsOnly.check(of('BucketPolicy', { bucket: unknown, policy: value }), {}));
    expect(known(unknown)).toEqual(['(unknown)']);
    expect(known({ Statement: [{ ...deny, Resource: unknown }] })).toEqual(['(unknown)']);
    expect(known({ Statement: [{ ...deny, Effect: unknown }] })).toEqual(['(unknown)']);
    const allow = { Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::1:role/x' }, Resource: unknown };
    expect(known({ Statement: [allow] })).toEqual([open, '(unknown)']);
  });
});
