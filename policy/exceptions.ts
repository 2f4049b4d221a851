import { isTied, principalsOf, type Statement } from './documents';

const IDENTITY_POLICIES = ['aws:iam/policy:Policy', 'aws:iam/role:Role', 'aws:iam/rolePolicy:RolePolicy'];
const KEY_POLICIES = ['aws:kms/key:Key', 'aws:kms/keyPolicy:KeyPolicy'];

/** Wildcards that AWS leaves no way around. Each holds for these actions on this resource only. */
export interface Exception {
  readonly actions: readonly string[];
  readonly resource: string;
  readonly reason: string;
  /** Types whose policies may use it. */
  readonly onlyFor: readonly string[];
  /** The statement must tie this condition key to values. */
  readonly condition?: string;
  /** The statement must be for the account's root and nobody else. */
  readonly rootOnly?: true;
}

export const exceptions: readonly Exception[] = [
  {
    actions: ['cloudwatch:PutMetricData'],
    resource: '*',
    reason: 'PutMetricData knows no resources; the namespace is what can be limited.',
    onlyFor: IDENTITY_POLICIES,
    condition: 'cloudwatch:namespace',
  },
  {
    actions: [
      'ec2:CreateNetworkInterface',
      'ec2:DeleteNetworkInterface',
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeRouteTables',
      'ec2:DescribeSecurityGroups',
      'ec2:DescribeSubnets',
      'ec2:DescribeVpcAttribute',
      'ec2:DescribeVpcEndpoints',
    ],
    resource: '*',
    reason: 'Glue makes network interfaces for a job in a VPC; Describe actions know no resources.',
    onlyFor: IDENTITY_POLICIES,
  },
  {
    actions: ['lakeformation:GetDataAccess'],
    resource: '*',
    reason: 'GetDataAccess knows no resources; what it gives is limited by the grants of Lake Formation.',
    onlyFor: IDENTITY_POLICIES,
  },
  {
    actions: ['kms:*'],
    resource: '*',
    reason: 'A key that its account may not manage can never be mended; "*" is the key itself.',
    onlyFor: KEY_POLICIES,
    rootOnly: true,
  },
  {
    actions: [
      'kms:Decrypt',
      'kms:DescribeKey',
      'kms:Encrypt',
      'kms:GenerateDataKey',
      'kms:GenerateDataKeyWithoutPlaintext',
      'kms:ReEncryptFrom',
      'kms:ReEncryptTo',
    ],
    resource: '*',
    reason: 'In the policy of a key, "*" is the key itself.',
    onlyFor: KEY_POLICIES,
  },
];

const isRootAlone = (statement: Statement): boolean => {
  const principals = principalsOf(statement);
  if (principals.length === 0) return statement.unknowns.length > 0;
  return principals.every(({ kind, who }) => kind === 'AWS' && /^arn:aws[\w-]*:iam::\d{12}:root$/.test(who));
};

export const exceptionFor = (
  type: string,
  statement: Statement,
  action: string,
  resource: string,
  table: readonly Exception[] = exceptions,
): Exception | undefined =>
  table.find(
    (exception) =>
      exception.onlyFor.includes(type) &&
      exception.resource === resource &&
      exception.actions.some((a) => a.toLowerCase() === action.toLowerCase()) &&
      (exception.condition === undefined || isTied(statement, [exception.condition])) &&
      (exception.rootOnly === undefined || isRootAlone(statement)),
  );
