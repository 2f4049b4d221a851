import { Alerts, type AlertsArgs, QUARANTINED_SHARE } from './alerts';
import type { Crawler } from './crawler';
import type { GlueJob } from './glue-job';
import { deployed, readingRaw, site } from './testing';

const TOPIC = 'aws:sns/topic:Topic';
const RULE = 'aws:cloudwatch/eventRule:EventRule';
const TARGET = 'aws:cloudwatch/eventTarget:EventTarget';
const ALARM = 'aws:cloudwatch/metricAlarm:MetricAlarm';
const tags = { project: 'acme', team: 'data' };

const alertsOf = (args: Partial<AlertsArgs> = {}) =>
  deployed(
    () =>
      new Alerts('tell', {
        site,
        settings: { email: 'who@example.com', quarantinedShare: 0.02 },
        // Alerts know jobs and crawlers by name.
        jobs: [{ name: 'acme-test-reading' }, { name: 'acme-test-reading_open' }] as GlueJob[],
        crawlers: [{ name: 'acme-test-landing' }] as Crawler[],
        sources: [readingRaw],
        ...args,
      }),
  );

const alarm = {
  name: 'acme-test-reading_raw-quarantine',
  alarmDescription: 'More lines of reading_raw were refused than is normal: see reading_raw_quarantine.',
  namespace: 'Lakehouse/acme-test',
  metricName: 'QuarantinedShare',
  dimensions: { Table: 'reading_raw' },
  statistic: 'Maximum',
  period: 3600,
  evaluationPeriods: 1,
  comparisonOperator: 'GreaterThanThreshold',
  threshold: 0.02,
  treatMissingData: 'notBreaching',
  alarmActions: ['tell-topic.arn'],
  tags,
};

test('failures of jobs and crawlers, and too many refused lines, are mailed', async () => {
  const { value, resources } = await alertsOf();
  const child = { parent: 'tell' };
  const rule = (kind: string, description: string, type: string, detail: object) => ({
    ...child,
    type: RULE,
    name: `tell-${kind}-failures`,
    inputs: {
      name: `acme-test-${kind}-failures`,
      description,
      eventPattern: { json: { source: ['aws.glue'], 'detail-type': [type], detail } },
      tags,
    },
    after: [],
  });
  const target = (kind: string) => ({
    ...child,
    type: TARGET,
    name: `tell-${kind}-failures-target`,
    inputs: { rule: `acme-test-${kind}-failures`, arn: 'tell-topic.arn' },
    // EventBridge is let in before it has something to say.
    after: [`tell-${kind}-failures`, 'tell-topic', 'tell-topic-policy'],
  });
  expect(resources).toStrictEqual([
    rule('crawler', 'A crawler failed.', 'Glue Crawler State Change', {
      crawlerName: ['acme-test-landing'],
      state: ['Failed'],
    }),
    rule('job', 'A job failed, ran out of time or was stopped.', 'Glue Job State Change', {
      jobName: ['acme-test-reading', 'acme-test-reading_open'],
      state: ['FAILED', 'TIMEOUT', 'STOPPED'],
    }),
    target('crawler'),
    target('job'),
    { ...child, type: ALARM, name: 'tell-reading_raw-quarantine', inputs: alarm, after: ['tell-topic'] },
    { ...child, type: TOPIC, name: 'tell-topic', inputs: { name: 'acme-test-alerts', tags }, after: [] },
    {
      ...child,
      type: 'aws:sns/topicPolicy:TopicPolicy',
      name: 'tell-topic-policy',
      inputs: {
        arn: 'tell-topic.arn',
        // What it allows: tests/access.test.ts.
        policy: { json: expect.objectContaining({ Version: '2012-10-17' }) },
      },
      after: ['tell-topic'],
    },
    {
      ...child,
      type: 'aws:sns/topicSubscription:TopicSubscription',
      name: 'tell-mail',
      inputs: { topic: 'tell-topic.arn', protocol: 'email', endpoint: 'who@example.com' },
      after: ['tell-topic'],
    },
    {
      type: 'lakehouse:operations:Alerts',
      name: 'tell',
      inputs: {},
      after: [],
      outputs: { topic: 'tell-topic.arn' },
    },
  ]);
  expect(value.nodes.rules).toHaveLength(2);
  expect(value.nodes.alarms).toHaveLength(1);
});

test('a schedule that nothing follows is mailed, after so many hours that it had to fire in them', async () => {
  const start = 'cron(0 3 ? * MON-FRI *)';
  const { value, inputs } = await alertsOf({ runs: { start, first: 'reading' } });
  expect(inputs(ALARM, 'tell-start')).toStrictEqual({
    name: 'acme-test-start',
    alarmDescription: `No run began in 74 hours; the schedule is ${start}.`,
    namespace: 'Lakehouse/acme-test',
    metricName: 'Started',
    dimensions: { Table: 'reading' },
    statistic: 'Sum',
    period: 3600,
    evaluationPeriods: 74,
    comparisonOperator: 'LessThanThreshold',
    threshold: 1,
    treatMissingData: 'breaching',
    alarmActions: ['tell-topic.arn'],
    tags,
  });
  expect(value.nodes.alarms).toHaveLength(2);
});

test.each(['demand', 'files', 'cron(0 3 1 * ? *)'] as const)(
  'where runs start by %s no start is watched',
  async (start) => {
    const { value } = await alertsOf({ runs: { start, first: 'reading' } });
    expect(value.nodes.alarms).toHaveLength(1);
  },
);

test('the metric is the one that runs report', () => {
  expect(QUARANTINED_SHARE).toBe(alarm.metricName);
});

test('a transform changes neither where alerts go nor what is watched', async () => {
  const transform: AlertsArgs['transform'] = {
    topic: { name: 'other', kmsMasterKeyId: 'other', policy: '{}', displayName: 'Mine' },
    alarm: (args) => ({
      ...args,
      name: 'other',
      namespace: 'other',
      metricName: 'other',
      dimensions: {},
      period: 60,
    }),
  };
  const { inputs } = await alertsOf({ transform });
  expect(inputs(TOPIC)).toStrictEqual({ name: 'acme-test-alerts', displayName: 'Mine', tags });
  expect(inputs(ALARM)).toStrictEqual({ ...alarm, period: 60 });
});
