import { createHash } from 'node:crypto';
import { Role } from '@pulumi/aws/iam/role';
import { RolePolicy } from '@pulumi/aws/iam/rolePolicy';
import {
  all,
  ComponentResource,
  type ComponentResourceOptions,
  type Input,
  jsonStringify,
  type Output,
  output,
} from '@pulumi/pulumi';
import { document, type Statement, trust } from './access';
import type { Site } from './site';

export interface ServiceRoleArgs {
  readonly site: Site;
  /** What for; ends the role's name. */
  readonly purpose: string;
  /** The service that takes the role, such as `glue.amazonaws.com`. */
  readonly service: string;
  /** The same in a sentence. */
  readonly description: string;
  /** All that it may do. */
  readonly statements: Input<readonly Statement[]>;
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

/** A role that one service of AWS takes, in this account only, with one policy of its own. */
export class ServiceRole extends ComponentResource {
  /** The role's ARN, once its policy is attached. */
  readonly arn: Output<string>;
  readonly nodes: { readonly role: Role; readonly policy: RolePolicy };

  constructor(name: string, args: ServiceRoleArgs, opts?: ComponentResourceOptions) {
    super('lakehouse:access:ServiceRole', name, {}, opts);
    const role = new Role(
      `${name}-role`,
      {
        name: roleName(args.site, args.purpose),
        description: args.description,
        assumeRolePolicy: jsonStringify(trust(args.site, args.service)),
        tags: args.site.tags,
      },
      { parent: this },
    );
    const policy = new RolePolicy(
      `${name}-policy`,
      { role: role.name, policy: jsonStringify(output(args.statements).apply(document)) },
      { parent: this },
    );
    this.arn = all([role.arn, policy.id]).apply(([arn]) => arn);
    this.nodes = { role, policy };
    this.registerOutputs({ arn: this.arn });
  }
}
