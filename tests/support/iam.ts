// The IAM policies of a stack, as the provider receives them, and what an evaluator of policies says of them:
// @cloud-copilot/iam-simulate, which knows every action, its kinds of resource and its condition keys from AWS's own
// service reference, and gives an error for a request that there cannot be.
import { isWildcardOnlyAction, runSimulation } from '@cloud-copilot/iam-simulate';
import type { PolicyDocument, Statement } from '../../components/access';
import type { Emitted } from './emitted';

export interface NamedPolicy {
  readonly name: string;
  readonly policy: PolicyDocument;
}

export interface Role {
  readonly arn: string;
  readonly name: string;
  readonly trust: PolicyDocument;
  /** Its own policies. The program attaches no managed one. */
  readonly policies: readonly NamedPolicy[];
}

export interface Policies {
  readonly roles: readonly Role[];
  /** Policies that nobody has before somebody attaches them. */
  readonly managed: readonly NamedPolicy[];
  /** Policies of buckets, keys, topics and secrets, by the resource's ARN. */
  readonly resources: ReadonlyMap<string, PolicyDocument>;
}

const parsed = (text: unknown): PolicyDocument => JSON.parse(String(text));

export const ofType = (resources: readonly Emitted[], type: string) =>
  resources.filter((one) => one.type === type);

export function policiesOf(resources: readonly Emitted[]): Policies {
  const inline = ofType(resources, 'aws:iam/rolePolicy:RolePolicy');
  const roles = ofType(resources, 'aws:iam/role:Role').map(({ inputs, outputs }): Role => {
    const name = String(inputs.name);
    for (const key of ['inlinePolicies', 'managedPolicyArns', 'permissionsBoundary']) {
      if (inputs[key] !== undefined) throw new Error(`role ${name} has ${key}, which is not looked at here`);
    }
    return {
      arn: String(outputs.arn),
      name,
      trust: parsed(inputs.assumeRolePolicy),
      policies: inline
        .filter((policy) => policy.inputs.role === name)
        .map((policy) => ({ name: String(policy.inputs.name), policy: parsed(policy.inputs.policy) })),
    };
  });
  const read = new Set(['role', 'rolePolicy', 'policy']);
  const unread = resources.filter(({ type }) => /^aws:iam\//.test(type) && !read.has(kindOf(type)));
  if (unread.length > 0) throw new Error(`${unread[0]?.type} is not looked at here`);
  return {
    roles,
    managed: ofType(resources, 'aws:iam/policy:Policy').map(({ inputs }) => ({
      name: String(inputs.name),
      policy: parsed(inputs.policy),
    })),
    resources: new Map([
      ...ofType(resources, 'aws:s3/bucketPolicy:BucketPolicy').map(
        ({ inputs }) => [`arn:aws:s3:::${inputs.bucket}`, parsed(inputs.policy)] as const,
      ),
      ...ofType(resources, 'aws:kms/key:Key').map(
        ({ inputs, outputs }) => [String(outputs.arn), parsed(inputs.policy)] as const,
      ),
      ...ofType(resources, 'aws:sns/topicPolicy:TopicPolicy').map(
        ({ inputs }) => [String(inputs.arn), parsed(inputs.policy)] as const,
      ),
    ]),
  };
}

const kindOf = (type: string) => type.split(/[/:]/)[2] ?? '';

export type Context = Readonly<Record<string, string | readonly string[]>>;

export interface Request {
  readonly action: string;
  readonly resource: string;
  readonly context?: Context;
}

export interface Asked extends Request {
  /** An ARN, or a service such as `glue.amazonaws.com`. */
  readonly principal: string;
  readonly identity: readonly NamedPolicy[];
  /** The policy of the resource itself. */
  readonly own?: PolicyDocument | undefined;
  /** The account that the resource is in. */
  readonly account: string;
}

/** Requests that AWS has no kind of resource for, such as to read a table's columns of a database. */
const NO_REQUEST = 'no.resource.types';

/** Whether a text may be what a statement means: a variable stands for anything. */
const matches = (text: string) => (pattern: string) =>
  new RegExp(
    `^${pattern
      .replaceAll(/\$\{[^}]*\}/g, '*')
      .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
    'is',
  ).test(text);

/** Whether a policy may allow a request, were it not for conditions, principals and denials. */
const mayAllow = ({ action, resource }: Request, { Statement }: PolicyDocument) =>
  Statement.some(
    ({ Effect, Action, Resource = '*' }) =>
      Effect === 'Allow' &&
      [Action].flat().some(matches(action)) &&
      [Resource].flat().some(matches(resource)),
  );

/** Whether there is such a request, by action and resource: whoever asks. */
const requests = new Map<string, boolean>();

/** Whether AWS would do it; nothing where there is no such request. */
export async function allows(asked: Asked): Promise<boolean | undefined> {
  const { principal, action, resource, context = {}, identity, own, account } = asked;
  const policies = [...identity.map(({ policy }) => policy), ...(own ? [own] : [])];
  const request = `${action} ${resource}`;
  const isRequest = requests.get(request);
  if (isRequest !== undefined && !policies.some((policy) => mayAllow(asked, policy))) {
    // The evaluator takes milliseconds for what nothing allows.
    return isRequest ? false : undefined;
  }
  const result = await runSimulation(
    {
      request: {
        principal,
        action,
        resource: { resource, accountId: account },
        contextVariables: context as Record<string, string | string[]>,
      },
      identityPolicies: [...identity],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      ...(own && { resourcePolicy: own }),
    },
    {},
  );
  const isNone = result.resultType === 'error' && result.errors.message === NO_REQUEST;
  requests.set(request, !isNone);
  if (result.resultType !== 'error') return result.overallResult === 'Allowed';
  if (isNone) return undefined;
  throw new Error(
    `${principal} ${action} ${resource} cannot be evaluated: ${JSON.stringify(result.errors, undefined, 1)}`,
  );
}

const list = <T>(value: T | readonly T[] | undefined): readonly T[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value as T];

/** A string that a pattern of a policy matches. */
const exampleOf = (pattern: string) => pattern.replaceAll('*', 'probe').replaceAll('?', 'x');

const contextsOf = ({ Condition = {} }: Statement): Context[] => {
  const values = Object.values(Condition).flatMap((keys) =>
    Object.entries(keys).flatMap(([key, patterns]) =>
      list<string>(patterns).map((pattern) => ({ [key]: exampleOf(pattern) })),
    ),
  );
  return values.length === 0 ? [{}] : values;
};

/**
 * For all that a policy's statements speak of, a request that they are for. A matrix that asks these too overlooks no
 * action and no resource that a policy names.
 */
export async function probesOf(policies: readonly NamedPolicy[]): Promise<Request[]> {
  const probes: Request[] = [];
  for (const statement of policies.flatMap(({ policy }) => policy.Statement)) {
    for (const action of list<string>(statement.Action)) {
      if (/[*?]/.test(action)) throw new Error(`a policy speaks of ${action}: it has to name each action`);
      const [service = '', name = ''] = action.split(':');
      const everywhere = await isWildcardOnlyAction(service, name);
      for (const pattern of list<string>(statement.Resource)) {
        // What is allowed of everything is allowed of what the matrix itself asks for.
        if ((pattern === '*') !== everywhere) continue;
        const resource = everywhere ? '*' : exampleOf(pattern);
        for (const context of contextsOf(statement)) probes.push({ action, resource, context });
      }
    }
  }
  return probes;
}
