import * as pulumi from '@pulumi/pulumi';

export const STACKS = ['dev', 'prod'] as const;

export interface StackSettings {
  readonly name: (typeof STACKS)[number];
  /** What every deployment of the stack runs with, a preview of a pull request too: Pulumi knows one role a stack. */
  readonly roleArn: string;
  readonly deployCommits: boolean;
  readonly previewPullRequests: boolean;
}

export interface Settings {
  readonly organization: string;
  /** `owner/name` on GitHub. */
  readonly repository: string;
  readonly branch: string;
  readonly stacks: readonly StackSettings[];
}

interface Rule {
  readonly pattern: RegExp;
  readonly rule: string;
  readonly advice: string;
}

const ORGANIZATION: Rule = {
  pattern: /^[a-z0-9][a-z0-9_-]*$/,
  rule: 'must be a Pulumi organization in lower case',
  advice: 'take it from app.pulumi.com/<organization>',
};
const REPOSITORY: Rule = {
  pattern: /^[A-Za-z0-9][A-Za-z0-9-]*\/[A-Za-z0-9._-]+$/,
  rule: 'must be "owner/name"',
  advice: 'take it from github.com/<owner>/<name>, without host and .git',
};
const BRANCH: Rule = {
  pattern: /^(?!refs\/)[A-Za-z0-9][A-Za-z0-9._/-]*$/,
  rule: 'must be the name of a branch, without refs/heads/',
  advice: 'give the branch that is deployed, usually main',
};
const ROLE_ARN: Rule = {
  pattern: /^arn:aws(?:-cn|-us-gov)?:iam::\d{12}:role\/[\w+=,.@/-]+$/,
  rule: 'must be the ARN of an IAM role, arn:aws:iam::<12 digits>:role/<name>',
  advice: 'make the role as docs/deployments.md says, and give its ARN',
};

/** Reads the whole configuration and reports all that is wrong with it at once, so that one run is enough to mend it. */
export function readSettings(config: pulumi.Config): Settings {
  const faults: string[] = [];
  const fault = (key: string, value: unknown, rule: string, advice: string) => {
    const shown = value === undefined ? 'missing' : JSON.stringify(value);
    faults.push(`${config.name}:${key}: ${shown}, ${rule}; ${advice}`);
  };

  const text = (key: string, value: unknown, { pattern, rule, advice }: Rule): string => {
    if (typeof value === 'string' && pattern.test(value)) return value;
    fault(key, value, rule, advice);
    return '';
  };
  const flag = (key: string, value: unknown): boolean => {
    if (typeof value === 'boolean') return value;
    // Pulumi Cloud takes an absent switch for true.
    fault(key, value, 'must be true or false', 'say it, as the default would switch it on');
    return false;
  };
  const noOthers = (path: string, given: Record<string, unknown>, known: readonly string[]) => {
    for (const key of Object.keys(given).filter((key) => !known.includes(key)))
      fault(`${path}.${key}`, given[key], `must be one of ${known.join(', ')}`, 'remove or rename it');
  };

  const organization = text('organization', config.get('organization'), ORGANIZATION);
  const repository = text('repository', config.get('repository'), REPOSITORY);
  const branch = text('branch', config.get('branch'), BRANCH);

  const given = mapping(config.get('stacks'));
  if (given) noOthers('stacks', given, STACKS);
  else fault('stacks', config.get('stacks'), 'must be a mapping of dev and prod', 'see Pulumi.main.yaml');

  const stacks = (given ? STACKS : []).flatMap((name): StackSettings[] => {
    const path = `stacks.${name}`;
    const stack = given?.[name];
    if (!isMapping(stack)) {
      const rule = 'must be a mapping of roleArn, deployCommits and previewPullRequests';
      fault(path, stack, rule, 'see Pulumi.main.yaml');
      return [];
    }
    noOthers(path, stack, ['roleArn', 'deployCommits', 'previewPullRequests']);
    const roleArn = text(`${path}.roleArn`, stack.roleArn, ROLE_ARN);
    const deployCommits = flag(`${path}.deployCommits`, stack.deployCommits);
    if (name === 'prod' && deployCommits)
      fault(
        `${path}.deployCommits`,
        true,
        'must be false, as Pulumi Deployments cannot wait for an approval',
        'start deployments of prod by hand',
      );
    const previewPullRequests = flag(`${path}.previewPullRequests`, stack.previewPullRequests);
    return [{ name, roleArn, deployCommits, previewPullRequests }];
  });

  const [dev, prod] = stacks;
  if (dev?.roleArn && dev.roleArn === prod?.roleArn)
    fault(
      'stacks.prod.roleArn',
      prod.roleArn,
      "must differ from dev's, or what deploys dev could change prod",
      'make a role for each',
    );

  if (faults.length > 0) {
    const lines = faults.map((fault) => `- ${fault}`);
    // A RunError is shown as it stands; any other error would bury the list below a stack trace.
    throw new pulumi.RunError(['The configuration has faults; nothing was made:', ...lines].join('\n'));
  }
  return { organization, repository, branch, stacks };
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Not `getObject`: that throws at text that is no JSON, and would hide all other faults. */
function mapping(json: string | undefined): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(json ?? '');
    return isMapping(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
