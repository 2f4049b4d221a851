import type { PolicyDocument, Statement } from '../components/access';
import type { Settings } from '../components/settings';
import type { Pipeline } from '../model';
import { KINDS, kindsOf } from './deploy-rights';

/** IAM's limits: characters of a managed policy, white space not counted, and managed policies of a role. */
export const MAX_POLICY = 6144;
export const MAX_POLICIES = 10;

export interface Place {
  readonly account: string;
  readonly region: string;
}

/** Data goes with its bucket only where stack and zone say so; nowhere else may a deployment delete any. */
const deletesData = ({ dataOnDestroy, zones }: Settings): string[] =>
  dataOnDestroy === 'delete'
    ? Object.keys(zones).filter((zone) => zones[zone]?.dataOnDestroy === 'delete')
    : [];

function emptying(settings: Settings): Statement[] {
  const zones = deletesData(settings);
  if (zones.length === 0) return [];
  // The artifacts' bucket, with results of queries, goes with the rest.
  const all = zones.length === Object.keys(settings.zones).length;
  const buckets = [...zones, ...(all ? ['artifacts'] : [])].map(
    (zone) => `arn:aws:s3:::NAME-${zone}-ACCOUNT`,
  );
  return [
    { Effect: 'Allow', Action: ['s3:ListBucketVersions'], Resource: buckets },
    {
      Effect: 'Allow',
      Action: ['s3:DeleteObject', 's3:DeleteObjectVersion'],
      Resource: buckets.map((bucket) => `${bucket}/*`),
    },
  ];
}

/** One statement for all actions on the same resources under the same condition. */
function merged(kinds: readonly string[]): Statement[] {
  const statements = new Map<string, Set<string>>();
  for (const { actions, on, condition } of kinds.flatMap((kind) => KINDS[kind]?.rights ?? [])) {
    const scope = JSON.stringify({ Resource: on, ...(condition && { Condition: condition }) });
    const known = statements.get(scope) ?? new Set();
    for (const action of actions) known.add(action);
    statements.set(scope, known);
  }
  return [...statements].map(([scope, actions]) => ({
    Effect: 'Allow',
    Action: [...actions].toSorted(),
    ...(JSON.parse(scope) as Pick<Statement, 'Resource' | 'Condition'>),
  }));
}

/** The managed policies of the role that deploys a stack of these settings, by as few as IAM's limit allows. */
export function deployPolicies(
  pipeline: Pipeline,
  settings: Settings,
  { account, region }: Place,
): PolicyDocument[] {
  const { name, tags } = settings;
  const values: Readonly<Record<string, string>> = {
    NAME: name,
    DATABASE: name.replaceAll('-', '_'),
    ACCOUNT: account,
    REGION: region,
    PROJECT: String(tags.project),
    STACK: String(tags.stack),
  };
  const policies: Statement[][] = [];
  for (const statement of [...merged(kindsOf(settings, pipeline)), ...emptying(settings)]) {
    const filled = JSON.parse(
      JSON.stringify(statement).replaceAll(
        /\b(?:NAME|DATABASE|ACCOUNT|REGION|PROJECT|STACK)\b/g,
        (key) => values[key] ?? key,
      ),
    );
    const last = policies.at(-1);
    if (last && sizeOf([...last, filled]) <= MAX_POLICY) last.push(filled);
    else policies.push([filled]);
  }
  return policies.map((Statement) => ({ Version: '2012-10-17', Statement }));
}

const sizeOf = (Statement: readonly Statement[]) =>
  JSON.stringify({ Version: '2012-10-17', Statement }).replaceAll(/\s/g, '').length;
