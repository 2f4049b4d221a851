import { documentOf, isEveryone, isPublic, isTied, principalsOf, type Statement, textsOf } from './documents';
import { exceptionFor } from './exceptions';
import { type Finding, type Resource, type Rule, violation } from './rule';
import { at, isList, show, Unknown, type Value } from './values';

/** Where policies are written, by type. `*` in a path stands for every member of a list. */
const POLICIES: Readonly<Record<string, string>> = {
  'aws:glue/resourcePolicy:ResourcePolicy': 'policy',
  'aws:iam/groupPolicy:GroupPolicy': 'policy',
  'aws:iam/policy:Policy': 'policy',
  'aws:iam/role:Role': 'inlinePolicies.*.policy',
  'aws:iam/rolePolicy:RolePolicy': 'policy',
  'aws:iam/userPolicy:UserPolicy': 'policy',
  'aws:kms/key:Key': 'policy',
  'aws:kms/keyPolicy:KeyPolicy': 'policy',
  'aws:s3/bucket:Bucket': 'policy',
  'aws:s3/bucketV2:BucketV2': 'policy',
  'aws:s3/bucketPolicy:BucketPolicy': 'policy',
  'aws:secretsmanager/secret:Secret': 'policy',
  'aws:secretsmanager/secretPolicy:SecretPolicy': 'policy',
  'aws:sns/topic:Topic': 'policy',
  'aws:sns/topicPolicy:TopicPolicy': 'policy',
  'aws:sqs/queue:Queue': 'policy',
  'aws:sqs/queuePolicy:QueuePolicy': 'policy',
};

const ATTACHMENTS: Readonly<Record<string, string>> = {
  'aws:iam/groupPolicyAttachment:GroupPolicyAttachment': 'policyArn',
  'aws:iam/policyAttachment:PolicyAttachment': 'policyArn',
  'aws:iam/role:Role': 'managedPolicyArns.*',
  'aws:iam/rolePolicyAttachment:RolePolicyAttachment': 'policyArn',
  'aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive': 'policyArns.*',
  'aws:iam/userPolicyAttachment:UserPolicyAttachment': 'policyArn',
};

interface Place {
  readonly path: string;
  readonly value: Value;
}

const placesOf = ({ props }: Resource, pattern: string | undefined): readonly Place[] => {
  if (pattern === undefined) return [];
  const [list = '', member] = pattern.split('.*');
  const value = at(props, list);
  if (value === undefined) return [];
  if (member === undefined || !isList(value)) return [{ path: list, value }];
  return value.flatMap((_, i) => {
    const path = `${list}.${i}${member}`;
    const found = at(props, path);
    return found === undefined ? [] : [{ path, value: found }];
  });
};

/** IAM's wildcards are `*` and `?`. */
export const isWildAction = (action: string): boolean => /[*?]/.test(action);

/**
 * A resource that leaves open whose, where or what it is: `*`, `arn:aws:s3:::*`, `arn:aws:glue:*:*:table/x`.
 * A wildcard behind a beginning (`arn:aws:s3:::landing/*`) is one table, prefix or log group: that is fine.
 */
export const isWideResource = (resource: string): boolean => {
  const [arn, partition, service, region, account, ...rest] = resource.split(':');
  if (arn !== 'arn') return /[*?]/.test(resource);
  if ([partition, service, region, account].some((part) => /[*?]/.test(part ?? ''))) return true;
  return /^[*?]/.test(rest.join(':'));
};

const NEGATIONS = ['Action', 'Resource', 'Principal'];

export const wildcardsIn = (resource: Resource, path: string, statement: Statement): readonly Finding[] => {
  if (!statement.allows) return [];
  const { elements } = statement;
  const where = `${path}.${statement.label}`;
  const actions = textsOf(elements.action);
  const targets = textsOf(elements.resource);
  const excused = (action: string, target: string) =>
    exceptionFor(resource.type, statement, action, target) !== undefined;
  const findings: Finding[] = [];
  for (const name of NEGATIONS) {
    const negation = elements[`not${name.toLowerCase()}`];
    if (negation === undefined || negation instanceof Unknown) continue;
    findings.push(
      violation(
        resource,
        `${where}.Not${name}`,
        `is ${show(negation)}`,
        `an Allow with Not${name} grants all that it doesn't name`,
        `name what it needs in ${name}`,
      ),
    );
  }
  for (const action of actions.filter(isWildAction)) {
    if (targets.length > 0 && targets.every((target) => excused(action, target))) continue;
    findings.push(
      violation(
        resource,
        `${where}.Action`,
        `is ${show(action)}`,
        'an Allow names each action',
        'list the actions it needs, or add an exception with its reason to policy/exceptions.ts',
      ),
    );
  }
  for (const target of targets.filter(isWideResource)) {
    const open = actions.filter((action) => !excused(action, target));
    if (open.length === 0 && actions.length > 0) continue;
    findings.push(
      violation(
        resource,
        `${where}.Resource`,
        `is ${show(target)} for ${open.join(', ') || 'unnamed actions'}`,
        'an Allow names the resources it is for',
        'give their ARNs, or add an exception with its reason to policy/exceptions.ts',
      ),
    );
  }
  // The policy of a bucket is s3-tls-only's: two rules would tell one fault twice.
  if (!resource.type.startsWith('aws:s3/') && isPublic(statement)) {
    findings.push(
      violation(
        resource,
        `${where}.Principal`,
        `is ${show(elements.principal)} without a condition on the caller`,
        'no policy is open to everyone',
        'name the principals, or add a condition on aws:SourceAccount or another key of the caller',
      ),
    );
  }
  return findings;
};

const inDocument = (
  resource: Resource,
  { path, value }: Place,
  check: (statement: Statement) => readonly Finding[],
): readonly Finding[] => {
  const { statements, unknowns, fault } = documentOf(value);
  if (fault !== undefined) {
    const remedy = 'write it with JSON.stringify or pulumi.jsonStringify';
    return [violation(resource, path, fault, 'a policy is a JSON object with statements', remedy)];
  }
  return [...statements.flatMap(check), ...unknowns];
};

export const iamNoWildcards: Rule = {
  name: 'iam-no-wildcards',
  description:
    'No Allow grants an action or a resource by wildcard, except as policy/exceptions.ts lists; AWS managed policies are not attached.',
  check: (resource) => [
    ...placesOf(resource, POLICIES[resource.type]).flatMap((place) =>
      inDocument(resource, place, (statement) => wildcardsIn(resource, place.path, statement)),
    ),
    ...placesOf(resource, ATTACHMENTS[resource.type]).flatMap(({ path, value }): readonly Finding[] => {
      if (value instanceof Unknown) return [value];
      if (!/^arn:aws[\w-]*:iam::aws:policy\//.test(String(value))) return [];
      const remedy = 'write a policy with the actions and resources it needs';
      const rule = 'AWS managed policies grant more than any job needs and change without notice';
      return [violation(resource, path, `is ${show(value)}`, rule, remedy)];
    }),
  ],
};

/**
 * Services that say for which account they take a role, so that a role can ask for it. Glue's documentation does not
 * say that it does, and a condition on what is not sent would stop every job.
 */
const BORROWABLE = ['events.amazonaws.com', 'scheduler.amazonaws.com'];

const trustIn = (resource: Resource, statement: Statement): readonly Finding[] => {
  if (!statement.allows) return [];
  const { elements } = statement;
  const where = `assumeRolePolicy.${statement.label}`;
  const nobody = elements.principal === undefined;
  if (nobody || isEveryone(statement)) {
    const element = nobody && elements.notprincipal !== undefined ? 'NotPrincipal' : 'Principal';
    const found = `is ${show(elements[element.toLowerCase()])}`;
    const rule = 'a role names the services or principals that may take it';
    return [violation(resource, `${where}.${element}`, found, rule, 'name them in Principal, without "*"')];
  }
  const services = principalsOf(statement)
    .map(({ who }) => who)
    .filter((who) => BORROWABLE.includes(who));
  if (services.length === 0 || isTied(statement, ['aws:SourceAccount'])) return [];
  return [
    violation(
      resource,
      `${where}.Condition`,
      `is ${show(elements.condition)}`,
      `a role that trusts ${services.join(', ')} says for which account`,
      'add {"StringEquals": {"aws:SourceAccount": "<the account\'s id>"}}',
    ),
  ];
};

export const iamTrust: Rule = {
  name: 'iam-trust',
  description:
    'A role names who may take it, never "*"; trust in EventBridge or its scheduler is tied to an account by aws:SourceAccount.',
  check: (resource) =>
    resource.type === 'aws:iam/role:Role'
      ? placesOf(resource, 'assumeRolePolicy').flatMap((place) =>
          inDocument(resource, place, (statement) => trustIn(resource, statement)),
        )
      : [],
};
