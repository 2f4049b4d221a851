import fc from 'fast-check';
import { given, told, unknown } from './given';
import { iamNoWildcards, iamTrust, isWideResource, isWildAction } from './iam';
import type { Value, Values } from './values';

const ROLE_POLICY = 'aws:iam/rolePolicy:RolePolicy';
const KEY = 'aws:kms/key:Key';
const ROOT = { AWS: 'arn:aws:iam::123456789012:root' };

const check = (type: string, props: Values) => told(iamNoWildcards.check(given(type, props), {}));
/** The same statement as text and as an object: both are policies to Pulumi. */
const policy = (statement: Value, type = ROLE_POLICY) => {
  const asObject = check(type, { policy: { Version: '2012-10-17', Statement: statement } });
  expect(check(type, { policy: JSON.stringify({ Version: '2012-10-17', Statement: statement }) })).toEqual(
    asObject,
  );
  return asObject;
};
const allow = (Action: Value, Resource: Value, more: Values = {}): Values => ({
  Effect: 'Allow',
  Action,
  Resource,
  ...more,
});

const ACTION_REMEDY =
  'an Allow names each action; list the actions it needs, or add an exception with its reason to policy/exceptions.ts';
const RESOURCE_REMEDY =
  'an Allow names the resources it is for; give their ARNs, or add an exception with its reason to policy/exceptions.ts';

describe('iam-no-wildcards', () => {
  it('accepts named actions on named resources, and wildcards behind a beginning', () => {
    expect(policy(allow('s3:GetObject', 'arn:aws:s3:::landing/*'))).toEqual([]);
    expect(
      policy(
        allow(
          ['glue:GetTable', 'logs:PutLogEvents'],
          [
            'arn:aws:glue:eu-west-1:123456789012:table/stedi/*',
            'arn:aws:logs:eu-west-1:123456789012:log-group:/aws-glue/jobs/stedi:*',
          ],
        ),
      ),
    ).toEqual([]);
  });

  it('names each action with a wildcard', () => {
    expect(
      policy([allow('s3:GetObject', 'arn:aws:s3:::a/*'), allow(['s3:Get*', 'kms:?', '*'], 'arn:aws:s3:::a')]),
    ).toEqual([
      `it.policy.Statement[1].Action: is "s3:Get*"; ${ACTION_REMEDY}`,
      `it.policy.Statement[1].Action: is "kms:?"; ${ACTION_REMEDY}`,
      `it.policy.Statement[1].Action: is "*"; ${ACTION_REMEDY}`,
    ]);
  });

  it.each([
    '*',
    'arn:aws:s3:::*',
    'arn:aws:s3:::*/*',
    'arn:aws:glue:*:123456789012:job/a',
    'arn:aws:logs:eu-west-1:*:log-group:a',
    'arn:aws:*:::a',
    'arn:*:s3:::a',
    'arn:aws:s3:::?',
  ])('refuses the resource %s', (resource) => {
    expect(policy(allow(['a:A', 'b:B'], ['arn:aws:s3:::a', resource]))).toEqual([
      `it.policy.Statement[0].Resource: is "${resource}" for a:A, b:B; ${RESOURCE_REMEDY}`,
    ]);
  });

  it.each(['Action', 'Resource', 'Principal'])('refuses Not%s in an Allow, not in a Deny', (name) => {
    const statement = { ...allow('s3:GetObject', 'arn:aws:s3:::a'), [`Not${name}`]: 'x' };
    expect(policy(statement)).toEqual([
      `it.policy.Statement[0].Not${name}: is "x"; an Allow with Not${name} grants all that it doesn't name; name what it needs in ${name}`,
    ]);
    expect(policy({ ...statement, Effect: 'Deny' })).toEqual([]);
  });

  it('says so where a wide resource is for unnamed actions', () => {
    expect(policy({ Effect: 'Allow', NotAction: 'iam:*', Resource: '*' })).toEqual([
      expect.stringContaining('.NotAction: is "iam:*"'),
      `it.policy.Statement[0].Resource: is "*" for unnamed actions; ${RESOURCE_REMEDY}`,
    ]);
  });

  it('excuses a wild action only where all its resources are excused', () => {
    expect(policy(allow('kms:*', ['*', 'arn:aws:kms:eu-west-1:1:key/k'], { Principal: ROOT }), KEY)).toEqual([
      `it.policy.Statement[0].Action: is "kms:*"; ${ACTION_REMEDY}`,
    ]);
  });

  it('reports all faults of a policy', () => {
    expect(policy([allow('*', '*'), allow('s3:*', 'arn:aws:s3:::a')])).toHaveLength(3);
  });

  it('reads inline policies of a role, each by its place', () => {
    const inline = (Action: string) => ({
      name: 'x',
      policy: JSON.stringify({ Statement: allow(Action, 'arn:aws:s3:::a') }),
    });
    expect(check('aws:iam/role:Role', { inlinePolicies: [inline('s3:GetObject'), inline('s3:*')] })).toEqual([
      `it.inlinePolicies.1.policy.Statement[0].Action: is "s3:*"; ${ACTION_REMEDY}`,
    ]);
  });

  it.each([
    'aws:glue/resourcePolicy:ResourcePolicy',
    'aws:iam/groupPolicy:GroupPolicy',
    'aws:iam/policy:Policy',
    'aws:iam/userPolicy:UserPolicy',
    KEY,
    'aws:kms/keyPolicy:KeyPolicy',
    'aws:s3/bucket:Bucket',
    'aws:s3/bucketPolicy:BucketPolicy',
    'aws:s3/bucketV2:BucketV2',
    'aws:secretsmanager/secret:Secret',
    'aws:secretsmanager/secretPolicy:SecretPolicy',
    'aws:sns/topic:Topic',
    'aws:sns/topicPolicy:TopicPolicy',
    'aws:sqs/queue:Queue',
    'aws:sqs/queuePolicy:QueuePolicy',
  ])('reads the policy of %s', (type) => {
    expect(policy(allow('s3:*', 'arn:aws:s3:::a', { Principal: ROOT }), type)).toHaveLength(1);
    expect(policy(allow('s3:GetObject', 'arn:aws:s3:::a', { Principal: ROOT }), type)).toEqual([]);
  });

  it('refuses a topic that is open to everyone', () => {
    const publish = allow('sns:Publish', 'arn:aws:sns:eu-west-1:123456789012:alerts', {
      Principal: { AWS: '*' },
    });
    expect(policy(publish, 'aws:sns/topicPolicy:TopicPolicy')).toEqual([
      'it.policy.Statement[0].Principal: is {"AWS":"*"} without a condition on the caller; no policy is open to everyone; name the principals, or add a condition on aws:SourceAccount or another key of the caller',
    ]);
    const tied = { ...publish, Condition: { StringEquals: { 'AWS:SourceOwner': '123456789012' } } };
    expect(policy(tied, 'aws:sns/topicPolicy:TopicPolicy')).toEqual([]);
    const service = { ...publish, Principal: { Service: 'events.amazonaws.com' } };
    expect(policy(service, 'aws:sns/topicPolicy:TopicPolicy')).toEqual([]);
  });

  it.each<[string, Values, string]>([
    [
      'aws:iam/rolePolicyAttachment:RolePolicyAttachment',
      { policyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' },
      'policyArn',
    ],
    [
      'aws:iam/policyAttachment:PolicyAttachment',
      { policyArn: 'arn:aws-cn:iam::aws:policy/service-role/AWSGlueServiceRole' },
      'policyArn',
    ],
    [
      'aws:iam/userPolicyAttachment:UserPolicyAttachment',
      { policyArn: 'arn:aws:iam::aws:policy/A' },
      'policyArn',
    ],
    [
      'aws:iam/groupPolicyAttachment:GroupPolicyAttachment',
      { policyArn: 'arn:aws:iam::aws:policy/A' },
      'policyArn',
    ],
    [
      'aws:iam/role:Role',
      { managedPolicyArns: ['arn:aws:iam::1:policy/own', 'arn:aws:iam::aws:policy/A'] },
      'managedPolicyArns.1',
    ],
    [
      'aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive',
      { policyArns: ['arn:aws:iam::aws:policy/A'] },
      'policyArns.0',
    ],
  ])('refuses AWS managed policies in %s', (type, props, path) => {
    const [message, ...others] = check(type, props);
    expect(message).toMatch(
      new RegExp(
        `^it\\.${path}: is "arn:.*"; AWS managed policies grant more than any job needs and change without notice; write a policy`,
      ),
    );
    expect(others).toEqual([]);
  });

  it('accepts a policy of the account', () => {
    const type = 'aws:iam/rolePolicyAttachment:RolePolicyAttachment';
    expect(check(type, { policyArn: 'arn:aws:iam::123456789012:policy/stedi' })).toEqual([]);
    expect(check(type, { policyArn: unknown })).toEqual(['(unknown)']);
  });

  it('refuses what is no policy', () => {
    expect(check(ROLE_POLICY, { policy: 'x' })).toEqual([
      'it.policy: is not JSON; a policy is a JSON object with statements; write it with JSON.stringify or pulumi.jsonStringify',
    ]);
    expect(check(ROLE_POLICY, {})).toEqual([]);
  });

  it('tells what it knows beside what it does not', () => {
    const object = (statement: Value) => check(ROLE_POLICY, { policy: { Statement: statement } });
    expect(check(ROLE_POLICY, { policy: unknown })).toEqual(['(unknown)']);
    expect(object([allow(['s3:*', unknown], unknown)])).toEqual([
      `it.policy.Statement[0].Action: is "s3:*"; ${ACTION_REMEDY}`,
      '(unknown)',
      '(unknown)',
    ]);
    // Whether these are excused hangs on what is unknown.
    expect(object(allow('cloudwatch:PutMetricData', '*', { Condition: unknown }))).toEqual(['(unknown)']);
    expect(object({ Effect: 'Allow', NotAction: unknown })).toEqual(['(unknown)']);
    expect(object({ ...allow('*', '*'), Effect: unknown })).toEqual(['(unknown)']);
    expect(check(KEY, { policy: { Statement: allow('kms:*', '*', { Principal: unknown }) } })).toEqual([
      '(unknown)',
    ]);
    expect(
      check(KEY, { policy: { Statement: allow('kms:*', '*', { Principal: { AWS: unknown } }) } }),
    ).toEqual(['(unknown)']);
  });
});

describe('any statement', () => {
  const word = fc.stringMatching(/^[a-zA-Z0-9]{1,8}$/);
  const plainAction = fc.tuple(word, word).map(([service, action]) => `${service}:${action}`);
  /** Puts a wildcard anywhere into a text. */
  const starred = (text: fc.Arbitrary<string>) =>
    fc.tuple(text, fc.nat(), fc.constantFrom('*', '?')).map(([t, n, star]) => {
      const at = n % (t.length + 1);
      return t.slice(0, at) + star + t.slice(at);
    });
  const wildAction = starred(plainAction);
  const plainResource = fc
    .tuple(word, word, word, fc.constantFrom('', '/*', '*', ':*'))
    .map(([service, region, name, end]) => `arn:aws:${service}:${region}:123456789012:${name}${end}`);
  const wideResource = fc.oneof(
    fc.constant('*'),
    word.map((service) => `arn:aws:${service}:::*`),
    fc.tuple(word, word).map(([service, end]) => `arn:aws:${service}:::*${end}`),
    fc.tuple(word, word).map(([service, name]) => `arn:aws:${service}:*:1:${name}`),
  );
  const oneOrMore = (items: readonly string[], asText: boolean): Value =>
    asText && items.length === 1 ? (items[0] ?? '') : [...items];
  const effect = fc.constantFrom('Allow', 'allow', 'ALLOW');
  const several = (item: fc.Arbitrary<string>, minLength: number) =>
    fc.array(item, { minLength, maxLength: 4 });

  it('is told exactly by its wildcards, however it is written', () => {
    fc.assert(
      fc.property(
        effect,
        several(plainAction, 0),
        several(wildAction, 0),
        several(plainResource, 0),
        several(wideResource, 0),
        fc.boolean(),
        fc.boolean(),
        (Effect, plain, wild, named, wide, asText, alone) => {
          fc.pre(plain.length + wild.length > 0 && named.length + wide.length > 0);
          const statement = {
            Effect,
            Action: oneOrMore([...plain, ...wild], asText),
            Resource: oneOrMore([...wide, ...named], asText),
          };
          const messages = policy(alone ? statement : [statement]);
          expect(messages.filter((m) => m.includes('.Action: '))).toHaveLength(wild.length);
          expect(messages.filter((m) => m.includes('.Resource: '))).toHaveLength(wide.length);
          expect(messages).toHaveLength(wild.length + wide.length);
        },
      ),
    );
  });

  it('is never refused when it denies', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('Deny', 'deny', 'DENY'),
        several(wildAction, 1),
        several(wideResource, 1),
        (Effect, Action, Resource) => {
          expect(policy({ Effect, Action, Resource })).toEqual([]);
        },
      ),
    );
  });

  it('is refused without an effect, or with an odd one', () => {
    expect(policy({ Action: '*', Resource: 'arn:aws:s3:::a' })).toHaveLength(1);
    expect(policy({ Effect: 'Allows', Action: '*', Resource: 'arn:aws:s3:::a' })).toHaveLength(1);
    expect(policy({ effect: 'Allow', action: '*', resource: 'arn:aws:s3:::a' })).toHaveLength(1);
  });

  it('has the parts told right', () => {
    fc.assert(fc.property(plainAction, (a) => !isWildAction(a)));
    fc.assert(fc.property(wildAction, isWildAction));
    fc.assert(fc.property(plainResource, (r) => !isWideResource(r)));
    fc.assert(fc.property(wideResource, isWideResource));
  });
});

describe('iam-trust', () => {
  const trust = (statement: Value) => {
    const of = (assumeRolePolicy: Value) =>
      told(iamTrust.check(given('aws:iam/role:Role', { assumeRolePolicy }), {}));
    const asObject = of({ Statement: statement });
    expect(of(JSON.stringify({ Statement: statement }))).toEqual(asObject);
    return asObject;
  };
  const by = (Principal: Value, more: Values = {}) => ({
    Effect: 'Allow',
    Action: 'sts:AssumeRole',
    Principal,
    ...more,
  });
  const mine = { Condition: { StringEquals: { 'aws:SourceAccount': '123456789012' } } };
  const everyone = (found: string, element = 'Principal') =>
    `it.assumeRolePolicy.Statement[0].${element}: is ${found}; a role names the services or principals that may take it; name them in Principal, without "*"`;

  it('accepts services and principals by name', () => {
    expect(trust(by({ Service: 'glue.amazonaws.com' }, mine))).toEqual([]);
    expect(trust(by({ Service: 'cloudtrail.amazonaws.com' }))).toEqual([]);
    expect(trust(by(ROOT))).toEqual([]);
    expect(trust({ Effect: 'Deny', Principal: '*', Action: 'sts:AssumeRole' })).toEqual([]);
  });

  it('refuses everyone', () => {
    expect(trust(by('*'))).toEqual([everyone('"*"')]);
    expect(trust(by({ AWS: '*' }))).toEqual([everyone('{"AWS":"*"}')]);
    expect(
      trust(by({ Service: 'glue.amazonaws.com', AWS: ['arn:aws:iam::1:root', '*'] }, mine)),
    ).toHaveLength(1);
    expect(trust({ Effect: 'Allow', Action: 'sts:AssumeRole' })).toEqual([everyone('not set')]);
    expect(trust({ Effect: 'Allow', Action: 'sts:AssumeRole', NotPrincipal: ROOT })).toEqual([
      everyone(JSON.stringify(ROOT), 'NotPrincipal'),
    ]);
  });

  it.each(['events', 'scheduler'])('ties %s to an account', (service) => {
    const Service = `${service}.amazonaws.com`;
    const message = (found: string) =>
      `it.assumeRolePolicy.Statement[0].Condition: is ${found}; a role that trusts ${Service} says for which account; add {"StringEquals": {"aws:SourceAccount": "<the account's id>"}}`;
    expect(trust(by({ Service }))).toEqual([message('not set')]);
    expect(trust(by({ Service: ['lambda.amazonaws.com', Service] }))).toEqual([message('not set')]);
    for (const condition of [
      { StringEquals: { 'aws:PrincipalAccount': '123456789012' } },
      { StringLike: { 'aws:SourceAccount': '*' } },
      { StringLike: { 'aws:SourceAccount': [] } },
      { StringNotEquals: { 'aws:SourceAccount': '123456789012' } },
      { StringEqualsIfExists: { 'aws:SourceAccount': '123456789012' } },
    ]) {
      expect(trust(by({ Service }, { Condition: condition }))).toEqual([message(JSON.stringify(condition))]);
    }
    expect(
      trust(by({ Service }, { Condition: { StringLike: { 'AWS:sourceaccount': ['1', '2'] } } })),
    ).toEqual([]);
  });

  it('does not judge what is unknown', () => {
    const of = (value: Value) =>
      told(iamTrust.check(given('aws:iam/role:Role', { assumeRolePolicy: value }), {}));
    expect(of(unknown)).toEqual(['(unknown)']);
    expect(of({ Statement: by({ AWS: unknown }) })).toEqual(['(unknown)']);
    const service = { Service: 'events.amazonaws.com' };
    expect(
      of({ Statement: by(service, { Condition: { StringEquals: { 'aws:SourceAccount': unknown } } }) }),
    ).toEqual(['(unknown)']);
    expect(of({ Statement: by(service, { Condition: { StringEquals: unknown } }) })).toEqual(['(unknown)']);
    expect(of({ Statement: [by({ AWS: unknown }), by('*')] })).toHaveLength(2);
  });
});
