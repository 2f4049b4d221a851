import { createHash } from 'node:crypto';
import { Role } from '@pulumi/aws/iam/role';
import { RolePolicy } from '@pulumi/aws/iam/rolePolicy';
import {
  ComponentResource,
  type ComponentResourceOptions,
  type Input,
  jsonStringify,
  type Output,
  output,
} from '@pulumi/pulumi';
import { document, keyAccess, type Statement, trust } from './access';
import type { Site } from './site';

export interface ServiceRoleArgs {
  readonly site: Site;
  /** What for; ends the role's name. */
  readonly purpose: string;
  /** The service that takes the role, such as `glue.amazonaws.com`. */
  readonly service: string;
  /** The same in a sentence. */
  readonly description: string;
  /** All that it may do, but for the stack's key. */
  readonly statements: readonly Statement[];
  /** Whether it reads or writes what the stack's key encrypts, if the stack has one. Default: true. */
  readonly usesKey?: boolean;
}

/** IAM's limit, in characters. */
const MAX_ROLE_NAME = 64;

/** A name that is too long keeps its beginning, and gets a hash of the whole. */
export function roleName(site: Site, purpose: string): string {
  const whole = `${site.name}-${purpose}`;
  if (whole.length <= MAX_ROLE_NAME) return whole;
  const hash = createHash('sha256').update(whole).digest('hex').slice(0, 8);
  return `${whole.slice(0, MAX_ROLE_NAME - hash.length - 1)}-${hash}`;
}

/**
 * A role that one service of AWS takes, with a policy of its own. The right to the stack's
 * key is a policy apart: no preview knows a key's ARN before there is the key, and the rest is to be read in each.
 */
export class ServiceRole extends ComponentResource {
  /** The role's ARN, once its policy is attached. */
  readonly arn: Output<string>;
  readonly nodes: { readonly role: Role; readonly policies: readonly RolePolicy[] };

  constructor(name: string, args: ServiceRoleArgs, opts?: ComponentResourceOptions) {
    super('lakehouse:access:ServiceRole', name, {}, opts);
    const role = new Role(
      `${name}-role`,
      {
        name: roleName(args.site, args.purpose),
        description: args.description,
        assumeRolePolicy: JSON.stringify(trust(args.site, args.service)),
        tags: args.site.tags,
      },
      { parent: this },
    );
    const attached = (kind: string, policy: Input<string>) =>
      new RolePolicy(`${name}-${kind}`, { role: role.name, policy }, { parent: this });
    const { key } = args.site;
    const policies = [
      attached('policy', JSON.stringify(document(args.statements))),
      ...(key === undefined || args.usesKey === false
        ? []
        : [attached('key-policy', jsonStringify(output(key).apply((arn) => document([keyAccess(arn)]))))]),
    ];
    this.arn = output(policies.map(({ id }) => id)).apply(() => role.arn);
    this.nodes = { role, policies };
    this.registerOutputs({ arn: this.arn });
  }
}
