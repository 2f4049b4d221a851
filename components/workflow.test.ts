import { DefinitionError } from '../model';
import { GlueJob } from './glue-job';
import { GlueTable } from './glue-table';
import type { Site } from './site';
import {
  artifactsOf,
  cleanJob,
  deployed,
  jobSettings,
  openJob,
  reading,
  readingOpen,
  readingRaw,
  site,
} from './testing';
import { Workflow, type WorkflowArgs } from './workflow';

const TRIGGER = 'aws:glue/trigger:Trigger';
const WORKFLOW = 'aws:glue/workflow:Workflow';
const RULE = 'aws:cloudwatch/eventRule:EventRule';
const TARGET = 'aws:cloudwatch/eventTarget:EventTarget';
const TARGET_ARN = 'arn:aws-cn:glue:cn-north-1:123456789012:workflow/acme-test';
const tags = { project: 'acme', team: 'data' };

/** Both jobs of the small definition, the second one after the first. */
function jobsIn(at: Site): GlueJob[] {
  const place = { site: at, bucket: 'b', bucketName: 'b', protect: false, keep: false, optimize: false };
  const source = new GlueTable('raw', { ...place, table: readingRaw });
  const middle = new GlueTable('clean', { ...place, table: reading });
  const end = new GlueTable('open', { ...place, table: readingOpen });
  const common = {
    ...artifactsOf(at),
    site: at,
    code: 'SELECT 1',
    settings: jobSettings,
    logDays: 30,
    parameters: {},
    pseudonymSecret: { name: 's', arn: 's' },
  };
  return [
    new GlueJob('clean', { ...common, job: cleanJob, inputs: { reading_raw: source }, output: middle }),
    new GlueJob('open', { ...common, job: openJob, inputs: { reading: middle }, output: end }),
  ];
}

const workflowOf = (args: Partial<WorkflowArgs> = {}) =>
  deployed(() => new Workflow('flow', { site, jobs: jobsIn(args.site ?? site), ...args }));
const own = ({ list }: Awaited<ReturnType<typeof workflowOf>>) =>
  list.filter((title) => title.includes(' flow'));

const startInputs = {
  name: 'acme-test-start',
  tags,
  workflowName: 'acme-test',
  actions: [{ jobName: 'acme-test-reading' }],
};

test('on demand, the first jobs wait for somebody, and each other job for those before it', async () => {
  const deployment = await workflowOf();
  const { one, value } = deployment;
  expect(own(deployment)).toEqual([
    `${TRIGGER} flow-reading_open`,
    `${TRIGGER} flow-start`,
    `${WORKFLOW} flow-workflow`,
    'lakehouse:jobs:Workflow flow',
  ]);
  expect(one(WORKFLOW)).toStrictEqual({
    type: WORKFLOW,
    name: 'flow-workflow',
    parent: 'flow',
    inputs: {
      name: 'acme-test',
      description: 'Runs every job once, after those that make its inputs.',
      maxConcurrentRuns: 1,
      tags,
    },
    after: [],
  });
  expect(one(TRIGGER, 'flow-start')).toStrictEqual({
    type: TRIGGER,
    name: 'flow-start',
    parent: 'flow',
    // Enabled, it would fire the moment it is made.
    inputs: { ...startInputs, type: 'ON_DEMAND', enabled: false },
    after: ['clean-job', 'flow-workflow'],
  });
  expect(one(TRIGGER, 'flow-reading_open')).toStrictEqual({
    type: TRIGGER,
    name: 'flow-reading_open',
    parent: 'flow',
    inputs: {
      name: 'acme-test-reading_open',
      tags,
      workflowName: 'acme-test',
      actions: [{ jobName: 'acme-test-reading_open' }],
      type: 'CONDITIONAL',
      predicate: {
        logical: 'AND',
        conditions: [{ jobName: 'acme-test-reading', state: 'SUCCEEDED', logicalOperator: 'EQUALS' }],
      },
    },
    after: ['clean-job', 'flow-workflow', 'open-job'],
  });
  expect(one('lakehouse:jobs:Workflow').outputs).toEqual({ name: 'acme-test' });
  expect(Object.keys(value.nodes)).toEqual(['workflow', 'triggers']);
  expect(value.nodes.triggers).toHaveLength(2);
});

test('by the clock, a schedule starts the first jobs', async () => {
  const deployment = await workflowOf({ start: 'cron(0 3 * * ? *)' });
  expect(own(deployment)).toEqual(own(await workflowOf()));
  expect(deployment.inputs(TRIGGER, 'flow-start')).toStrictEqual({
    ...startInputs,
    type: 'SCHEDULED',
    schedule: 'cron(0 3 * * ? *)',
  });
});

// What starts it, and what does not: tests/triggers.test.ts.
test('when files land, S3 tells EventBridge of each folder once, and that tells the workflow', async () => {
  const [reading, other] = ['reading/landing/', 'other/landing/'].map((prefix) => ({
    bucket: 'raw',
    prefix,
  }));
  // Two sources of the same files.
  const landing = [reading, other, reading].flatMap((place) => place ?? []);
  const deployment = await workflowOf({ start: 'files', landing });
  const { one, inputs, value } = deployment;
  const onDemand = own(await workflowOf());
  expect(own(deployment).filter((title) => !onDemand.includes(title))).toEqual([
    `${RULE} flow-files`,
    `${TARGET} flow-files-target`,
    'aws:iam/role:Role flow-notifier-role',
    'aws:iam/rolePolicy:RolePolicy flow-notifier-policy',
    'lakehouse:access:ServiceRole flow-notifier',
  ]);
  const { eventPattern, ...rule } = inputs(RULE);
  expect(rule).toStrictEqual({ name: 'acme-test-files', description: 'Files landed.', tags });
  expect(eventPattern).toMatchObject({
    json: {
      detail: {
        bucket: { name: ['raw'] },
        object: { key: [{ prefix: 'reading/landing/' }, { prefix: 'other/landing/' }] },
      },
    },
  });
  expect(one(TARGET)).toMatchObject({
    inputs: { rule: 'acme-test-files', arn: TARGET_ARN, roleArn: 'flow-notifier-role.arn' },
    after: ['flow-files', 'flow-notifier-policy', 'flow-notifier-role', 'flow-workflow'],
  });
  expect(value.nodes.rule).toBeDefined();
});

test('a transform changes neither what triggers start nor when', async () => {
  const { inputs } = await workflowOf({
    transform: {
      workflow: { name: 'other', maxConcurrentRuns: 5, description: 'Mine.' },
      trigger: {
        name: 'other',
        workflowName: 'other',
        actions: [],
        type: 'SCHEDULED',
        enabled: true,
        predicate: { conditions: [] },
        description: 'Mine.',
      },
    },
  });
  expect(inputs(WORKFLOW)).toStrictEqual({
    name: 'acme-test',
    maxConcurrentRuns: 1,
    description: 'Mine.',
    tags,
  });
  expect(inputs(TRIGGER, 'flow-start')).toStrictEqual({
    ...startInputs,
    type: 'ON_DEMAND',
    enabled: false,
    description: 'Mine.',
  });
  expect(inputs(TRIGGER, 'flow-reading_open')).toMatchObject({
    name: 'acme-test-reading_open',
    type: 'CONDITIONAL',
    predicate: { logical: 'AND', conditions: [{ jobName: 'acme-test-reading' }] },
  });
  expect(inputs(TRIGGER, 'flow-reading_open')).not.toHaveProperty('enabled');
});

describe('Glue takes 100 nodes of a workflow', () => {
  /** As many jobs that all read sources only: with the one trigger, a node more than there are jobs. */
  const build = (count: number) =>
    deployed(() => {
      const [first] = jobsIn(site) as [GlueJob];
      return new Workflow('flow', { site, jobs: Array.from({ length: count }, () => first) });
    });

  test('no more', async () => {
    await expect(build(100)).rejects.toThrow(
      new DefinitionError([
        {
          path: 'flow',
          message: 'has 100 jobs and 1 triggers; Glue takes 100 together: define a second lakehouse',
        },
      ]),
    );
  });

  test('and no less', async () => {
    const { inputs } = await build(99);
    expect(inputs(TRIGGER, 'flow-start').actions).toHaveLength(99);
  });
});
