import type { PolicyResource, ResourceValidationArgs, StackValidationArgs } from '@pulumi/policy';
import { given, unknownCheckingProxy, unknownStringValue } from './given';
import { policies, rules } from './index';
import { demand, policyOf, type Rule, stackOf } from './rule';

const opts = {
  protect: true,
  ignoreChanges: [],
  aliases: [],
  customTimeouts: { createSeconds: 0, updateSeconds: 0, deleteSeconds: 0 },
  additionalSecretOutputs: [],
};
const base = { isType: () => false, asType: () => undefined, stackTags: new Map<string, string>() };
const notApplicable = (): never => {
  throw new Error('not applicable');
};

const argsOf = (props: Record<string, unknown>): ResourceValidationArgs => ({
  ...base,
  type: 't',
  urn: 'urn:pulumi:dev::p::t::it',
  name: 'it',
  props: unknownCheckingProxy(props),
  opts,
  getConfig: <T extends object>(): T => JSON.parse('{"limit":1}'),
  notApplicable,
});

const rule: Rule = {
  name: 'limits',
  description: 'Limits.',
  check: (resource, { limit }) =>
    ['a', 'b', 'c'].flatMap((p) => demand(resource, p, (v) => v === limit, 'the limit is 1', 'set it to 1')),
  checkStack: (resources) =>
    resources.flatMap((r) => (r.comesFrom.a ?? []).map((urn) => ({ urn, message: `${r.name} uses it` }))),
};

const run = (props: Record<string, unknown>) => {
  const reported: (string | undefined)[][] = [];
  let thrown: unknown;
  const { validateResource } = policyOf(rule);
  if (typeof validateResource !== 'function') throw new Error('no validateResource');
  try {
    validateResource(argsOf(props), (message, urn) => reported.push([message, urn]));
  } catch (error) {
    thrown = error;
  }
  return { reported, thrown };
};

describe('a rule as a policy', () => {
  it('reports every violation of a resource', () => {
    expect(run({ a: 2, b: 1 })).toEqual({
      reported: [
        ['it.a: is 2; the limit is 1; set it to 1', 'urn:pulumi:dev::p::t::it'],
        ['it.c: is not set; the limit is 1; set it to 1', 'urn:pulumi:dev::p::t::it'],
      ],
      thrown: undefined,
    });
  });

  it('reports violations first, then hands Pulumi the error of what is unknown', () => {
    const { reported, thrown } = run({ a: unknownStringValue, b: 2, c: 1 });
    expect(reported).toHaveLength(1);
    expect(thrown).toMatchObject({ message: "string value at .a can't be known during preview" });
    expect((thrown as Error).constructor.name).toBe('UnknownValueError');
  });

  it('tells a stack check which resources a property comes from', () => {
    const of = (name: string): PolicyResource => ({
      ...argsOf({}),
      name,
      urn: `urn:${name}`,
      dependencies: [],
      propertyDependencies: {},
    });
    const source = of('source');
    const args: StackValidationArgs = {
      resources: [source, { ...of('user'), propertyDependencies: { a: [source] } }],
      stackTags: base.stackTags,
      getConfig: <T extends object>(): T => JSON.parse('{}'),
      notApplicable,
    };
    const policy = policyOf(rule);
    const reported: unknown[] = [];
    if ('validateStack' in policy)
      policy.validateStack(args, (message, urn) => reported.push([message, urn]));
    expect(reported).toEqual([['user uses it', 'urn:source']]);
  });

  it('has the stack from the URN', () => {
    expect(stackOf(given('aws:s3/bucket:Bucket', {}, { stack: 'prod' }))).toBe('prod');
  });
});

describe('the pack', () => {
  it('is mandatory in every policy, each with a name and a rule of its own', () => {
    expect(policies.map((p) => p.name)).toEqual(rules.map((r) => r.name));
    expect(new Set(policies.map((p) => p.name)).size).toBe(policies.length);
    for (const { enforcementLevel, description } of policies) {
      expect(enforcementLevel).toBe('mandatory');
      expect(description).toMatch(/^[A-Z].*\.$/);
    }
  });

  it('has settings only where a rule declares them', () => {
    expect(policies.filter((p) => 'configSchema' in p).map((p) => p.name)).toEqual(['prod-protected']);
  });

  it('finds nothing in a resource that no rule is about', () => {
    for (const { check, checkStack } of rules) {
      const other = given('random:index/randomPassword:RandomPassword', { length: 3 });
      expect(check(other, { stacks: ['dev'] })).toEqual([]);
      expect(checkStack?.([other]) ?? []).toEqual([]);
    }
  });

  it('breaks on no resource whose values are all unknown, and claims no violation in it', () => {
    const inputs = ['acl', 'policy', 'assumeRolePolicy', 'inlinePolicies', 'managedPolicyArns', 'policyArn'];
    inputs.push('rules', 'rule', 'versioningConfiguration', 'tags', 'timeout', 'glueVersion', 'maxRetries');
    inputs.push('jobRunQueuingEnabled', 'defaultArguments', 'catalogTargets', 'schemaChangePolicy', 'bucket');
    inputs.push('openTableFormatInput', 'parameters', 'tableType', 'storageDescriptor', 'description');
    inputs.push('retentionInDays', 'configuration', 'forceDestroy', 'blockPublicAcls', 'blockPublicPolicy');
    inputs.push(
      'ignorePublicAcls',
      'restrictPublicBuckets',
      'accessControlPolicy',
      'nonOverridableArguments',
    );
    const props = Object.fromEntries(inputs.map((name) => [name, unknownStringValue]));
    const types = [
      'athena/workgroup:Workgroup',
      'cloudwatch/logGroup:LogGroup',
      'glue/catalogTable:CatalogTable',
      'glue/crawler:Crawler',
      'glue/job:Job',
      'iam/role:Role',
      'iam/rolePolicy:RolePolicy',
      'iam/rolePolicyAttachment:RolePolicyAttachment',
      'kms/key:Key',
      's3/bucket:Bucket',
      's3/bucketAcl:BucketAcl',
      's3/bucketLifecycleConfiguration:BucketLifecycleConfiguration',
      's3/bucketOwnershipControls:BucketOwnershipControls',
      's3/bucketPolicy:BucketPolicy',
      's3/bucketPublicAccessBlock:BucketPublicAccessBlock',
      's3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration',
      's3/bucketVersioning:BucketVersioning',
      'sns/topicPolicy:TopicPolicy',
    ];
    const blind = new Set(rules.map((r) => r.name));
    for (const type of types) {
      for (const policy of policies) {
        const args = {
          ...argsOf(props),
          type: `aws:${type}`,
          getConfig: <T extends object>(): T => JSON.parse('{"stacks":["dev"]}'),
        };
        const reported: string[] = [];
        if (typeof policy.validateResource !== 'function') throw new Error('no validateResource');
        try {
          policy.validateResource(args, (message) => reported.push(message));
        } catch (error) {
          expect((error as Error).constructor.name).toBe('UnknownValueError');
          blind.delete(policy.name);
        }
        expect(reported).toEqual([]);
      }
    }
    // Each rule has met an unknown value and said so.
    expect([...blind]).toEqual([]);
  });
});
