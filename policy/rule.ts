import type {
  PolicyConfigSchema,
  PolicyResource,
  ReportViolation,
  ResourceValidationArgs,
  ResourceValidationPolicy,
  StackValidationPolicy,
} from '@pulumi/policy';
import { at, show, Unknown, type Value, type Values, valuesOf } from './values';

/** A resource as the rules see it: plain data, without Pulumi. */
export interface Resource {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  readonly protect: boolean;
  readonly props: Values;
  /** The provider's configuration. */
  readonly provider: Values;
  /** The URNs of the resources that a property's value comes from. Known to stack checks only. */
  readonly comesFrom: Readonly<Record<string, readonly string[]>>;
}

export interface Violation {
  readonly urn: string;
  readonly message: string;
}

/** What a check came upon: a broken rule, or a value that cannot be judged yet. */
export type Finding = Violation | Unknown;

export interface Rule {
  readonly name: string;
  /** The rule in one sentence. Pulumi prints it above every violation. */
  readonly description: string;
  readonly configSchema?: PolicyConfigSchema;
  /** Judges one resource by its inputs, before it is made. */
  readonly check: (resource: Resource, config: Readonly<Record<string, unknown>>) => readonly Finding[];
  /** Judges what only all resources together can tell, such as that something is missing. */
  readonly checkStack?: (resources: readonly Resource[]) => readonly Finding[];
}

/** Says the property (none where the resource as a whole is meant), what was found, the rule and what to do. */
export const violation = (
  { urn, name }: Resource,
  path: string,
  found: string,
  rule: string,
  remedy: string,
): Violation => ({ urn, message: `${path === '' ? name : `${name}.${path}`}: ${found}; ${rule}; ${remedy}` });

/** Nothing where the value at the path holds; a violation, or the unknown value, where it doesn't. */
export const demand = (
  resource: Resource,
  path: string,
  holds: (value: Value | undefined) => boolean,
  rule: string,
  remedy: string,
): readonly Finding[] => {
  const value = at(resource.props, path);
  if (value instanceof Unknown) return [value];
  return holds(value) ? [] : [violation(resource, path, `is ${show(value)}`, rule, remedy)];
};

/** `prod` of `urn:pulumi:prod::shop::aws:s3/bucket:Bucket::landing`. */
export const stackOf = ({ urn }: Resource): string => urn.split('::')[0]?.split(':')[2] ?? '';

/**
 * Pulumi shows the violations, then turns the error of an unknown value into an advisory line "can't be known
 * during preview". So a value that hides nothing and one that hides a fault never look the same.
 */
const tell = (findings: readonly Finding[], report: ReportViolation): void => {
  for (const finding of findings) if (!(finding instanceof Unknown)) report(finding.message, finding.urn);
  for (const finding of findings) if (finding instanceof Unknown) throw finding.error;
};

const seen = (given: ResourceValidationArgs | PolicyResource): Resource => ({
  urn: given.urn,
  type: given.type,
  name: given.name,
  protect: given.opts.protect,
  props: valuesOf(given.props),
  provider: valuesOf(given.provider?.props ?? {}),
  comesFrom:
    'propertyDependencies' in given
      ? Object.fromEntries(
          Object.entries(given.propertyDependencies).map(([name, from]) => [name, from.map((r) => r.urn)]),
        )
      : {},
});

export const policyOf = ({
  name,
  description,
  configSchema,
  check,
  checkStack,
}: Rule): ResourceValidationPolicy | (ResourceValidationPolicy & StackValidationPolicy) => ({
  name,
  description,
  enforcementLevel: 'mandatory',
  ...(configSchema && { configSchema }),
  validateResource: (args, report) => tell(check(seen(args), args.getConfig()), report),
  ...(checkStack && {
    validateStack: ({ resources }, report) => tell(checkStack(resources.map(seen)), report),
  }),
});
