import type { Finding, Resource } from './rule';
import { Unknown, type Value, type Values } from './values';

/** For tests: a resource with these inputs. */
export const given = (
  type: string,
  props: Values,
  more: Partial<Resource> & { stack?: string } = {},
): Resource => {
  const { stack = 'dev', name = 'it', ...rest } = more;
  return {
    urn: `urn:pulumi:${stack}::shop::${type}::${name}`,
    type,
    name,
    protect: false,
    props,
    provider: {},
    comesFrom: {},
    ...rest,
  };
};

/** For tests: what was found, with `(unknown)` for a value that cannot be judged yet. */
export const told = (findings: readonly Finding[]): readonly string[] =>
  findings.map((finding) => (finding instanceof Unknown ? '(unknown)' : finding.message));

/** For tests: a value that a preview does not know. */
export const unknown: Value = new Unknown(new Error('not known yet'));

/** For tests: what Pulumi hands to a policy. Its types hide it, so it is described here. */
export const { unknownCheckingProxy, unknownStringValue } = jest.requireActual<{
  unknownCheckingProxy: (props: Record<string, unknown>) => Record<string, unknown>;
  unknownStringValue: string;
}>('@pulumi/policy/proxy');
