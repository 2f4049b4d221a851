import * as pulumi from '@pulumi/pulumi';

const PROJECT = 'stedi-lakehouse-deployments';
const DEV = 'arn:aws:iam::111111111111:role/deploy-dev';
const PROD = 'arn:aws:iam::222222222222:role/deploy-prod';

interface Recorded {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
}

/** Runs the program as the CLI would, and returns every resource that it asked for. */
async function run(values: Record<string, unknown>): Promise<Recorded[]> {
  const recorded: Recorded[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        recorded.push({ type, name, inputs });
        return { id: `${name}-id`, state: inputs };
      },
      call: ({ token }) => {
        throw new Error(`unexpected call of ${token}`);
      },
    },
    PROJECT,
    'main',
  );
  const entries = Object.entries(values).map(([key, value]) => [
    `${PROJECT}:${key}`,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  pulumi.runtime.setAllConfig(Object.fromEntries(entries));
  let failure: unknown;
  try {
    jest.isolateModules(() => {
      // The program shares the SDK with the mocks; only its own files are loaded afresh.
      jest.doMock('@pulumi/pulumi', () => pulumi);
      require('./index');
    });
  } catch (error) {
    failure = error;
  }
  await pulumi.runtime.disconnect();
  if (failure !== undefined) throw Object.assign(failure as Error, { recorded });
  return recorded;
}

const values = {
  organization: 'acme',
  repository: 'acme/lakehouse',
  branch: 'trunk',
  stacks: {
    dev: { roleArn: DEV, deployCommits: true, previewPullRequests: true },
    prod: { roleArn: PROD, deployCommits: false, previewPullRequests: false },
  },
};

const settingsOf = (stack: string, roleARN: string, on: boolean, otherStack: string) => ({
  type: 'pulumiservice:index:DeploymentSettings',
  name: stack,
  inputs: {
    organization: 'acme',
    project: 'stedi-lakehouse',
    stack,
    sourceContext: { git: { branch: 'refs/heads/trunk' } },
    vcs: {
      provider: 'github',
      repository: 'acme/lakehouse',
      deployCommits: on,
      previewPullRequests: on,
      pullRequestTemplate: false,
      paths: [
        '!**/*.md',
        '!**/*.test.ts',
        '!bench/**',
        '!deployments/**',
        '!docs/**',
        '!tests/**',
        `!Pulumi.${otherStack}.yaml`,
      ],
    },
    executorContext: { executorImage: 'pulumi/pulumi:3.255.0' },
    operationContext: {
      oidc: {
        aws: {
          roleARN,
          // biome-ignore lint/suspicious/noTemplateCurlyInString: Pulumi Cloud replaces these
          sessionName: 'stedi-lakehouse-${stack.name}-${deployment.version}',
          duration: '1h0m0s',
        },
      },
      options: { skipInstallDependencies: true },
      preRunCommands: ['npm ci --ignore-scripts'],
      environmentVariables: { PULUMI_OPTION_POLICY_PACK: 'policy' },
    },
  },
});

const driftOf = (stack: string) => ({
  type: 'pulumiservice:index:DriftSchedule',
  name: stack,
  inputs: {
    organization: 'acme',
    project: 'stedi-lakehouse',
    stack,
    scheduleCron: '0 5 * * 1',
    autoRemediate: false,
  },
});

test('sets up dev and prod, each with its own role, and nothing else', async () => {
  const recorded = await run(values);
  // Strict: a key with the value undefined is another input than an absent one.
  expect(recorded.toSorted((a, b) => order(a).localeCompare(order(b)))).toStrictEqual([
    settingsOf('dev', DEV, true, 'prod'),
    settingsOf('prod', PROD, false, 'dev'),
    driftOf('dev'),
    driftOf('prod'),
  ]);
});

test('makes a schedule only after the settings that it needs', async () => {
  const names = (await run(values)).map(order);
  for (const stack of ['dev', 'prod'])
    expect(names.indexOf(`pulumiservice:index:DriftSchedule ${stack}`)).toBeGreaterThan(
      names.indexOf(`pulumiservice:index:DeploymentSettings ${stack}`),
    );
});

test('switches follow the configuration', async () => {
  const off = { roleArn: DEV, deployCommits: false, previewPullRequests: true };
  const recorded = await run({ ...values, stacks: { ...values.stacks, dev: off } });
  expect(recorded.find(({ name }) => name === 'dev')?.inputs).toMatchObject({
    vcs: { deployCommits: false, previewPullRequests: true },
  });
});

test('makes nothing of a bad configuration', async () => {
  await expect(run({ ...values, repository: 'lakehouse', branch: '' })).rejects.toMatchObject({
    message: expect.stringMatching(/repository: "lakehouse".*\n.*branch: ""/),
    recorded: [],
  });
});

function order({ type, name }: Recorded): string {
  return `${type} ${name}`;
}
