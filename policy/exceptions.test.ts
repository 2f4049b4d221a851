import { documentOf, type Statement } from './documents';
import { type Exception, exceptionFor, exceptions } from './exceptions';
import { given, told } from './given';
import { iamNoWildcards } from './iam';
import type { Values } from './values';

const ROOT = 'arn:aws:iam::123456789012:root';

const bare = ({ resource }: Exception, action: string): Values => ({
  Effect: 'Allow',
  Principal: { AWS: 'arn:aws:iam::123456789012:role/job' },
  Action: action,
  Resource: resource,
});
/** A statement that the exception is for. */
const fit = (exception: Exception, action: string): Values => ({
  ...bare(exception, action),
  ...(exception.rootOnly && { Principal: { AWS: ROOT } }),
  ...(exception.condition && { Condition: { StringEquals: { [exception.condition]: ['stedi'] } } }),
});
const statementOf = (statement: Values): Statement => {
  const [first] = documentOf({ Statement: statement }).statements;
  if (!first) throw new Error('no statement');
  return first;
};
const faults = (type: string, Statement: Values) => {
  const policy = { Statement };
  const props: Values = type === 'aws:iam/role:Role' ? { inlinePolicies: [{ policy }] } : { policy };
  return told(iamNoWildcards.check(given(type, props), {}));
};

const cases = exceptions.flatMap((exception) =>
  exception.onlyFor.flatMap((type) => exception.actions.map((action) => ({ exception, type, action }))),
);

describe('every exception', () => {
  it('gives a reason in a sentence', () => {
    for (const { reason } of exceptions) expect(reason).toMatch(/^[A-Z]\S*( \S+){4,}\.$/);
  });

  it.each(cases)('excuses $action in $type, and would be missed', ({ exception, type, action }) => {
    const statement = fit(exception, action);
    expect(faults(type, statement)).toEqual([]);
    const others = exceptions.filter((e) => e !== exception);
    expect(exceptionFor(type, statementOf(statement), action, exception.resource)).toBe(exception);
    expect(exceptionFor(type, statementOf(statement), action, exception.resource, others)).toBeUndefined();
  });

  it.each(cases)('excuses $action in $type only so', ({ exception, type, action }) => {
    expect(faults('aws:sns/topicPolicy:TopicPolicy', fit(exception, action))).not.toEqual([]);
    expect(faults(type, { ...fit(exception, action), Resource: 'arn:aws:s3:::*' })).not.toEqual([]);
    expect(faults(type, { ...fit(exception, action), Action: [action, 's3:ListAllMyBuckets'] })).not.toEqual(
      [],
    );
    const needs = exception.condition !== undefined || exception.rootOnly === true;
    expect(faults(type, bare(exception, action)).length > 0).toBe(needs);
  });

  it('names no action twice for one type', () => {
    const keys = cases.map(({ exception, type, action }) =>
      `${type} ${action} ${exception.resource}`.toLowerCase(),
    );
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe('exceptions', () => {
  const KEY = 'aws:kms/key:Key';
  const all = (AWS: string | string[]) =>
    faults(KEY, { Effect: 'Allow', Action: 'kms:*', Resource: '*', Principal: { AWS } });

  it('give a key to the root of its account, and to nobody else with it', () => {
    expect(all(ROOT)).toEqual([]);
    expect(all([ROOT, 'arn:aws:iam::123456789012:role/job'])).toHaveLength(2);
    expect(all('arn:aws:iam::123456789012:role/root')).toHaveLength(2);
    expect(faults(KEY, { Effect: 'Allow', Action: 'kms:*', Resource: '*' })).toHaveLength(2);
  });

  it('say for which actions a wide resource is not excused', () => {
    const Action = ['ec2:DescribeSubnets', 'ec2:RunInstances'];
    expect(faults('aws:iam/policy:Policy', { Effect: 'Allow', Action, Resource: '*' })).toEqual([
      expect.stringContaining('Resource: is "*" for ec2:RunInstances;'),
    ]);
  });

  it('let a Glue job into a VPC', () => {
    const Action = [
      'ec2:CreateNetworkInterface',
      'ec2:DeleteNetworkInterface',
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeRouteTables',
      'ec2:DescribeSecurityGroups',
      'ec2:DescribeSubnets',
      'ec2:DescribeVpcAttribute',
      'ec2:DescribeVpcEndpoints',
    ];
    expect(faults('aws:iam/rolePolicy:RolePolicy', { Effect: 'Allow', Action, Resource: '*' })).toEqual([]);
  });

  it('let CloudWatch Logs use a key', () => {
    const Action = [
      'kms:Decrypt',
      'kms:DescribeKey',
      'kms:Encrypt',
      'kms:GenerateDataKey',
      'kms:GenerateDataKeyWithoutPlaintext',
      'kms:ReEncryptFrom',
      'kms:ReEncryptTo',
    ];
    const Principal = { Service: 'logs.eu-west-1.amazonaws.com' };
    expect(faults(KEY, { Effect: 'Allow', Action, Resource: '*', Principal })).toEqual([]);
  });

  it('read actions in any case', () => {
    expect(
      faults('aws:iam/policy:Policy', { Effect: 'Allow', Action: 'EC2:describesubnets', Resource: '*' }),
    ).toEqual([]);
  });
});
