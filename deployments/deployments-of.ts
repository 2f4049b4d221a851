import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DeploymentSettings, DriftSchedule } from '@pulumi/pulumiservice';
import { parse } from 'yaml';
import { type Settings, STACKS, type StackSettings } from './settings';

/** The project whose stacks are deployed. */
export const PROJECT: string = parse(readFileSync(join(__dirname, '..', 'Pulumi.yaml'), 'utf8')).name;

/** A deployment runs the CLI that the workflows run: another may reject or rewrite the stack's state. */
export const CLI_VERSION = '3.255.0';

/**
 * What no deployment depends on. Exclusions only: with a list of what to include, a folder added later would never be
 * deployed, and nobody would be told. `.github/workflows/deploy.yml` ignores the same.
 */
export const NOT_DEPLOYED = ['**/*.md', '**/*.test.ts', 'bench/**', 'deployments/**', 'docs/**', 'tests/**'];

const MONDAY_MORNING = '0 5 * * 1';

/** The deployments of one stack and, once a week, a look for what was changed by hand. */
export function deploymentsOf(stack: StackSettings, { organization, repository, branch }: Settings): void {
  const id = { organization, project: PROJECT, stack: stack.name };
  const otherStacks = STACKS.filter((name) => name !== stack.name).map((name) => `Pulumi.${name}.yaml`);

  const settings = new DeploymentSettings(stack.name, {
    ...id,
    sourceContext: { git: { branch: `refs/heads/${branch}` } },
    vcs: {
      provider: 'github',
      repository,
      deployCommits: stack.deployCommits,
      previewPullRequests: stack.previewPullRequests,
      // A review stack would be a lakehouse of its own for every pull request.
      pullRequestTemplate: false,
      paths: [...NOT_DEPLOYED, ...otherStacks].map((path) => `!${path}`),
    },
    executorContext: { executorImage: `pulumi/pulumi:${CLI_VERSION}` },
    operationContext: {
      oidc: {
        aws: {
          roleARN: stack.roleArn,
          // Pulumi fills these in: CloudTrail then tells which deployment made a call.
          sessionName: [PROJECT, placeholder('stack.name'), placeholder('deployment.version')].join('-'),
          // The spelling that the provider stores; `1h` would show as a change.
          duration: '1h0m0s',
        },
      },
      // `npm install`, which would run otherwise, may take other versions than the lock file's.
      options: { skipInstallDependencies: true },
      // Scripts of packages have no business where the role is.
      preRunCommands: ['npm ci --ignore-scripts'],
      // Deployments have no setting for a policy pack in the repository; the CLI takes any flag as a variable.
      environmentVariables: { PULUMI_OPTION_POLICY_PACK: 'policy' },
    },
  });

  new DriftSchedule(
    stack.name,
    // Told, not undone: what somebody changed by hand, perhaps to save data, is for people to judge.
    { ...id, scheduleCron: MONDAY_MORNING, autoRemediate: false },
    // Pulumi Cloud refuses a schedule for a stack without settings.
    { dependsOn: settings },
  );
}

function placeholder(name: string): string {
  return `\${${name}}`;
}
