import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as pulumi from '@pulumi/pulumi';
import { parse } from 'yaml';
import { readSettings } from './settings';

const DEV = 'arn:aws:iam::111111111111:role/deploy-dev';
const PROD = 'arn:aws:iam::222222222222:role/teams/deploy-prod';

const stacks = {
  dev: { roleArn: DEV, deployCommits: true, previewPullRequests: true },
  prod: { roleArn: PROD, deployCommits: false, previewPullRequests: false },
};
const good = { organization: 'acme', repository: 'acme/stedi-lakehouse', branch: 'main', stacks };

/** Sets values as the CLI hands them over: mappings as JSON. A key that is not given is absent. */
function read(values: object) {
  const entries = Object.entries(values).map(([key, value]) => [
    `test:${key}`,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  pulumi.runtime.setAllConfig(Object.fromEntries(entries));
  return readSettings(new pulumi.Config('test'));
}

function faultsOf(values: object): string[] {
  try {
    read(values);
  } catch (error) {
    expect(pulumi.RunError.isInstance(error)).toBe(true);
    const [heading, ...faults] = (error as Error).message.split('\n');
    expect(heading).toBe('The configuration has faults; nothing was made:');
    return faults;
  }
  return [];
}

test('reads what is right', () => {
  expect(read(good)).toEqual({
    organization: 'acme',
    repository: 'acme/stedi-lakehouse',
    branch: 'main',
    stacks: [
      { name: 'dev', ...stacks.dev },
      { name: 'prod', ...stacks.prod },
    ],
  });
});

test('tells all that is missing', () => {
  expect(faultsOf({})).toEqual([
    '- test:organization: missing, must be a Pulumi organization in lower case; take it from app.pulumi.com/<organization>',
    '- test:repository: missing, must be "owner/name"; take it from github.com/<owner>/<name>, without host and .git',
    '- test:branch: missing, must be the name of a branch, without refs/heads/; give the branch that is deployed, usually main',
    '- test:stacks: missing, must be a mapping of dev and prod; see Pulumi.main.yaml',
  ]);
});

test('tells all that is wrong in the stacks', () => {
  const wrong = {
    dev: { roleArn: 'deploy-dev', deployCommits: 'true', prevewPullRequests: true },
    prod: 'on',
    test: {},
  };
  expect(faultsOf({ ...good, stacks: wrong })).toEqual([
    '- test:stacks.test: {}, must be one of dev, prod; remove or rename it',
    '- test:stacks.dev.prevewPullRequests: true, must be one of roleArn, deployCommits, previewPullRequests; remove or rename it',
    '- test:stacks.dev.roleArn: "deploy-dev", must be the ARN of an IAM role, arn:aws:iam::<12 digits>:role/<name>; make the role as docs/deployments.md says, and give its ARN',
    '- test:stacks.dev.deployCommits: "true", must be true or false; say it, as the default would switch it on',
    '- test:stacks.dev.previewPullRequests: missing, must be true or false; say it, as the default would switch it on',
    '- test:stacks.prod: "on", must be a mapping of roleArn, deployCommits and previewPullRequests; see Pulumi.main.yaml',
  ]);
});

test.each([
  ['organization', 'Acme'],
  ['repository', 'https://github.com/acme/stedi-lakehouse'],
  ['repository', 'stedi-lakehouse'],
  ['branch', 'refs/heads/main'],
  ['stacks', '{'],
  ['stacks', []],
])('refuses %s %p', (key, value) => {
  expect(faultsOf({ ...good, [key]: value })).toEqual([expect.stringContaining(`- test:${key}: `)]);
});

test.each([
  'arn:aws:iam::1111:role/deploy-dev',
  'arn:aws:iam::111111111111:user/deploy-dev',
  'arn:aws:sts::111111111111:assumed-role/deploy-dev/me',
])('refuses %s for a role', (roleArn) => {
  const dev = { ...stacks.dev, roleArn };
  expect(faultsOf({ ...good, stacks: { ...stacks, dev } })).toEqual([
    expect.stringContaining(`- test:stacks.dev.roleArn: "${roleArn}", must be the ARN of an IAM role`),
  ]);
});

test('lets no push deploy prod', () => {
  const prod = { ...stacks.prod, deployCommits: true };
  expect(faultsOf({ ...good, stacks: { ...stacks, prod } })).toEqual([
    '- test:stacks.prod.deployCommits: true, must be false, as Pulumi Deployments cannot wait for an approval; start deployments of prod by hand',
  ]);
});

test('lets dev and prod share no role', () => {
  const prod = { ...stacks.prod, roleArn: DEV };
  expect(faultsOf({ ...good, stacks: { ...stacks, prod } })).toEqual([
    `- test:stacks.prod.roleArn: "${DEV}", must differ from dev's, or what deploys dev could change prod; make a role for each`,
  ]);
});

test('refuses the example until its placeholders are replaced, and nothing else in it', () => {
  const { config } = parse(readFileSync(join(__dirname, 'Pulumi.main.yaml'), 'utf8'));
  const { name } = parse(readFileSync(join(__dirname, 'Pulumi.yaml'), 'utf8'));
  const values = Object.entries(config).map(([key, value]) => {
    expect(key).toMatch(`${name}:`);
    return [key.replace(`${name}:`, ''), value] as const;
  });
  expect(faultsOf(Object.fromEntries(values)).map((fault) => fault.split(',')[0])).toEqual([
    '- test:organization: "<organization>"',
    '- test:repository: "<owner>/<name>"',
    '- test:stacks.dev.roleArn: "<role of dev>"',
    '- test:stacks.prod.roleArn: "<role of prod>"',
  ]);
});
