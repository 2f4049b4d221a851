// What the program makes, held against what AWS's own tools know of it: botocore's models of the services, cfn-lint with
// the schemas of CloudFormation and its rules for IAM policies, and the rights of the role that deploys it.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KINDS, kindsOf } from '../deployments/deploy-rights';
import { deployPolicies, MAX_POLICIES, MAX_POLICY } from '../deployments/deploy-role';
import { venvTool } from '../engines/python';
import { lake } from '../pipeline';
import { callsOf, type Template, templateOf } from './support/aws-calls';
import { type Emitted, type EmittedStack, emitted } from './support/emitted';
import { ROOT } from './support/lake';
import { hasDevelopmentTools, PYTHON } from './support/python';

const PLACE = { account: '123456789012', region: 'us-east-1' };
const DEV = { stack: 'dev', config: {} };
const PROD = { stack: 'prod', config: {} };
// All that a stack can have.
const ALL = {
  stack: 'prod',
  config: {
    network: {},
    start: 'files',
    dashboard: true,
    page: true,
    permissions: 'lake-formation',
    analysts: [
      'arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/analyst',
      'arn:aws:iam::123456789012:user/ana',
    ],
  },
};
const STACKS = [
  DEV,
  PROD,
  ALL,
  // The parts apart.
  { stack: 'dev', config: { encryption: 'kms', start: 'files' } },
  { stack: 'dev', config: { network: {}, alerts: { email: 'who@example.com' } } },
  {
    stack: 'dev',
    config: {
      auditTrail: true,
      dashboard: true,
      zones: { trusted: { optimizeTables: false }, curated: { optimizeTables: false } },
    },
  },
];
type Made = (typeof STACKS)[number];
const WHOLE: readonly Made[] = [DEV, PROD, ALL];

const made = new Map<Made, EmittedStack>();
const madeOf = (one: Made): EmittedStack => {
  const found = made.get(one);
  if (!found) throw new Error(`nothing was made of ${JSON.stringify(one)}`);
  return found;
};
beforeAll(async () => {
  for (const one of STACKS) made.set(one, await emitted(one.stack, one.config));
});

describe('the role that deploys', () => {
  test.each(STACKS)('has rights for each kind of resource of $stack with $config, and no others', (one) => {
    const { settings, resources } = madeOf(one);
    const kinds = new Set(resources.map(({ type }) => type));
    expect(kindsOf(settings, lake).toSorted()).toEqual([...kinds].toSorted());
  });

  test('may do something for every kind', () => {
    expect(Object.entries(KINDS).filter(([, { rights }]) => rights.length === 0)).toEqual([]);
  });

  test.each(STACKS)('is allowed the very resources of $stack with $config', (one) => {
    const { settings, resources } = madeOf(one);
    const allowed = deployPolicies(lake, settings, PLACE).flatMap(({ Statement }) =>
      Statement.flatMap(({ Resource }) => Resource ?? []),
    );
    // IAM knows no resource for a subscription, nor for what Lake Formation does.
    const named = resources.flatMap(({ arn, type }) =>
      /:TopicSubscription$|^aws:lakeformation/.test(type) ? [] : (arn ?? []),
    );
    expect(named.length).toBeGreaterThan(resources.length / 3);
    // Not by a wildcard for everything: EC2's ids alone are told by tags.
    const outside = named.filter(
      (arn) => !allowed.some((pattern) => pattern !== '*' && matches(pattern, arn)),
    );
    expect(outside).toEqual([]);
  });

  test.each(STACKS)('is within the limits of IAM in $stack with $config', (one) => {
    const policies = deployPolicies(lake, madeOf(one).settings, PLACE);
    expect(policies.length).toBeLessThanOrEqual(MAX_POLICIES);
    for (const policy of policies) expect(JSON.stringify(policy).length).toBeLessThanOrEqual(MAX_POLICY);
  });

  test('deletes objects of the data only where they go with the stack', () => {
    const deletes = (one: Made) =>
      deployPolicies(lake, madeOf(one).settings, PLACE)
        .flatMap(({ Statement }) => Statement)
        .filter(({ Action }) => Action.includes('s3:DeleteObject'))
        .flatMap(({ Resource }) => Resource ?? []);
    const [dev, prod] = [DEV, PROD].map(deletes);
    expect(dev).toContain('arn:aws:s3:::stedi-lakehouse-dev-landing-123456789012/*');
    expect(prod).toEqual([
      'arn:aws:s3:::stedi-lakehouse-prod-artifacts-123456789012/runner/*',
      'arn:aws:s3:::stedi-lakehouse-prod-artifacts-123456789012/jobs/*',
      'arn:aws:s3:::stedi-lakehouse-prod-artifacts-123456789012/docs/*',
    ]);
  });

  test('is printed by the command of the documentation', () => {
    const docs = readFileSync(join(ROOT, 'docs', 'deployments.md'), 'utf8');
    const [, command] = /^npm run --silent (deploy-role) -- prod ACCOUNT$/m.exec(docs) ?? [];
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const run = (stack: string) => {
      const args = String(scripts[command ?? ''])
        .split(' ')
        .slice(1);
      return spawnSync(process.execPath, [...args, stack, PLACE.account], { cwd: ROOT, encoding: 'utf8' });
    };
    expect(JSON.parse(run('prod').stdout)).toEqual(deployPolicies(lake, madeOf(PROD).settings, PLACE));
    expect(run('nosuch')).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^no stack "nosuch", .*\n$/),
    });
  });
});

const matches = (pattern: string, text: string) =>
  new RegExp(
    `^${pattern
      .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  ).test(text);

const change = (resources: readonly Emitted[], type: string, inputs: Readonly<Record<string, unknown>>) => {
  const index = resources.findIndex((one) => one.type === type);
  const found = resources[index];
  if (!found) throw new Error(`there is no ${type}`);
  return resources.with(index, { ...found, inputs: { ...found.inputs, ...inputs } });
};

const withTools = hasDevelopmentTools("checks by AWS's own tools") ? describe : describe.skip;

withTools("botocore's models of the services", () => {
  const faultsOf = (resources: readonly Emitted[]): string[] => {
    const program = join(ROOT, 'tests', 'support', 'aws_models.py');
    const input = JSON.stringify(callsOf(resources));
    const { status, stdout, stderr } = spawnSync(PYTHON, [program], { input, encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout);
  };

  test.each(WHOLE)('know all that $stack with $config asks for', (one) => {
    expect(faultsOf(madeOf(one).resources)).toEqual([]);
  });

  test('find out a wrong text, choice, length, name or kind of value, and what is missing', () => {
    const planted: [string, Record<string, unknown>, RegExp][] = [
      ['aws:glue/job:Job', { name: 'line\nbreak' }, /Name: .* does not match/],
      ['aws:glue/job:Job', { executionClass: 'CHEAP' }, /ExecutionClass: 'CHEAP' is none of FLEX/],
      ['aws:glue/crawler:Crawler', { name: 'x'.repeat(256) }, /Name: 256 is more than 255/],
      ['aws:iam/role:Role', { assumeRolePolicy: undefined }, /PolicyDocument: is missing/],
      ['aws:glue/workflow:Workflow', { colour: 'red' }, /Colour: is no parameter/],
      ['aws:glue/job:Job', { maxRetries: 'none' }, /MaxRetries: is no number/],
    ];
    const { resources } = madeOf(DEV);
    const wrong = planted.flatMap(([type, inputs]) =>
      change(resources.filter((one) => one.type === type).slice(0, 1), type, inputs),
    );
    expect(faultsOf(wrong)).toEqual(planted.map(([, , says]) => expect.stringMatching(says)));
  });
});

withTools('cfn-lint', () => {
  /** Rules that say nothing of these templates, each with its reason. */
  const IGNORED = {
    I3011: 'what stays of a stack is said to Pulumi: protect and retainOnDelete',
    W3010: "the network's zone is chosen by where AWS has endpoints",
  };

  const faultsOf = (template: Template): string[] => {
    const folder = mkdtempSync(join(tmpdir(), 'cfn-lint-'));
    try {
      const file = join(folder, 'template.json');
      writeFileSync(file, JSON.stringify({ AWSTemplateFormatVersion: '2010-09-09', Resources: template }));
      const args = ['--format', 'json', '--regions', PLACE.region, '--include-checks', 'I'];
      const ignored = ['--ignore-checks', ...Object.keys(IGNORED)];
      const ran = spawnSync(venvTool('cfn-lint'), [...args, ...ignored, '--template', file], {
        encoding: 'utf8',
        maxBuffer: 1 << 26,
      });
      if (ran.error || !ran.stdout.startsWith('[')) throw new Error(ran.error?.message ?? ran.stderr);
      const found: { Rule: { Id: string }; Message: string; Location: { Path: string[] } }[] = JSON.parse(
        ran.stdout,
      );
      return found.map(({ Rule, Message, Location }) => `${Rule.Id} ${Location.Path.join('.')}: ${Message}`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };

  const deployer = ({ settings }: EmittedStack): Template =>
    Object.fromEntries(
      deployPolicies(lake, settings, PLACE).map((PolicyDocument, i) => [
        `Deployer${i}`,
        { Type: 'AWS::IAM::ManagedPolicy', Properties: { PolicyDocument } },
      ]),
    );

  test.each(WHOLE)(
    'finds nothing in $stack with $config, its policies and the role that deploys it',
    (one) => {
      const stack = madeOf(one);
      expect(faultsOf({ ...templateOf(stack.resources), ...deployer(stack) })).toEqual([]);
    },
  );

  test('finds out a wrong value, an action that there is not, an ARN of another kind and a wrong statement', () => {
    const policy = (...Statement: readonly object[]) => ({
      Type: 'AWS::IAM::ManagedPolicy',
      Properties: { PolicyDocument: { Version: '2012-10-17', Statement } },
    });
    const allow = { Effect: 'Allow', Action: ['s3:GetObject'], Resource: ['arn:aws:s3:::b/*'] };
    const jobs = madeOf(DEV).resources.filter(({ type }) => type === 'aws:glue/job:Job');
    const faults = faultsOf({
      ...templateOf(change(jobs.slice(0, 1), 'aws:glue/job:Job', { executionClass: 'CHEAP' })),
      NoAction: policy({ ...allow, Action: ['s3:GetObjekt'] }),
      WrongArn: policy({ ...allow, Action: ['glue:GetTable'] }),
      WrongEffect: policy({ ...allow, Effect: 'Maybe' }),
    });
    expect(faults.toSorted()).toEqual([
      expect.stringMatching(/^E3030 .*CHEAP/),
      expect.stringMatching(/^E3510 .*Effect.*Maybe/),
      expect.stringMatching(/^I3510 .*WrongArn/),
      expect.stringMatching(/^W3037 .*NoAction/),
    ]);
  });
});
