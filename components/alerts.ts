import { EventRule } from '@pulumi/aws/cloudwatch/eventRule';
import { EventTarget } from '@pulumi/aws/cloudwatch/eventTarget';
import { MetricAlarm, type MetricAlarmArgs } from '@pulumi/aws/cloudwatch/metricAlarm';
import { Topic, type TopicArgs } from '@pulumi/aws/sns/topic';
import { TopicPolicy } from '@pulumi/aws/sns/topicPolicy';
import { TopicSubscription } from '@pulumi/aws/sns/topicSubscription';
import { ComponentResource, type ComponentResourceOptions, jsonStringify } from '@pulumi/pulumi';
import type { SourceTable } from '../model';
import { document, type Statement } from './access';
import type { Crawler } from './crawler';
import type { GlueJob } from './glue-job';
import { watchedHours } from './schedule';
import type { AlertSettings, Start } from './settings';
import { arn, metricsNamespaceOf, type Site } from './site';
import { type Transform, transformed } from './transform';

export interface AlertsArgs {
  readonly site: Site;
  readonly settings: AlertSettings;
  readonly jobs: readonly Pick<GlueJob, 'name'>[];
  readonly crawlers: readonly Crawler[];
  /** The sources whose quarantine is watched. */
  readonly sources: readonly SourceTable[];
  readonly runs?: Runs;
  readonly transform?: { readonly topic?: Transform<TopicArgs>; readonly alarm?: Transform<MetricAlarmArgs> };
}

interface Runs {
  /** When the workflow runs: a schedule is watched. */
  readonly start: Start;
  /** The table that it makes first. */
  readonly first: string;
}

/** What jobs report of a table: refused lines of those read, or moved rows of those made, from 0 to 1. */
export const QUARANTINED_SHARE = 'QuarantinedShare';

/** What jobs report of their table as a run of theirs begins. */
export const STARTED = 'Started';

/**
 * Mails that a job or a crawler failed, that more of a source's lines were refused than is normal, or that no run began
 * when the schedule says.
 */
export class Alerts extends ComponentResource {
  readonly nodes: {
    readonly topic: Topic;
    readonly rules: readonly EventRule[];
    readonly alarms: readonly MetricAlarm[];
  };

  constructor(name: string, args: AlertsArgs, opts?: ComponentResourceOptions) {
    super('lakehouse:operations:Alerts', name, {}, opts);
    const { site, settings, transform = {} } = args;
    const topic = new Topic(
      `${name}-topic`,
      transformed<TopicArgs>(
        {
          name: `${site.name}-alerts`,
          ...(site.key !== undefined && { kmsMasterKeyId: site.key }),
          tags: site.tags,
        },
        transform.topic,
        ['name', 'kmsMasterKeyId', 'policy'],
      ),
      { parent: this },
    );
    const policy = new TopicPolicy(
      `${name}-topic-policy`,
      {
        arn: topic.arn,
        policy: jsonStringify(
          topic.arn.apply((topicArn) =>
            document([
              publish('PublishFailures', 'events', arn(site, 'events', `rule/${site.name}-*`), topicArn),
              publish(
                'PublishAlarms',
                'cloudwatch',
                arn(site, 'cloudwatch', `alarm:${site.name}-*`),
                topicArn,
              ),
            ]),
          ),
        ),
      },
      { parent: this },
    );
    new TopicSubscription(
      `${name}-mail`,
      { topic: topic.arn, protocol: 'email', endpoint: settings.email },
      { parent: this },
    );
    const failures = [
      {
        kind: 'job',
        description: 'A job failed, ran out of time or was stopped.',
        type: 'Glue Job State Change',
        detail: { jobName: args.jobs.map((job) => job.name), state: ['FAILED', 'TIMEOUT', 'STOPPED'] },
      },
      {
        kind: 'crawler',
        description: 'A crawler failed.',
        type: 'Glue Crawler State Change',
        detail: { crawlerName: args.crawlers.map((crawler) => crawler.name), state: ['Failed'] },
      },
    ];
    const rules = failures.map(({ kind, description, type, detail }) => {
      const rule = new EventRule(
        `${name}-${kind}-failures`,
        {
          name: `${site.name}-${kind}-failures`,
          description,
          eventPattern: JSON.stringify({ source: ['aws.glue'], 'detail-type': [type], detail }),
          tags: site.tags,
        },
        { parent: this },
      );
      new EventTarget(
        `${name}-${kind}-failures-target`,
        { rule: rule.name, arn: topic.arn },
        { parent: this, dependsOn: [policy] },
      );
      return rule;
    });
    const alarms = [
      ...args.sources.map((source) => quarantineAlarm(source, settings)),
      ...(args.runs ? startAlarms(args.runs) : []),
    ].map(
      ({ kind, ...alarm }) =>
        new MetricAlarm(
          `${name}-${kind}`,
          transformed<MetricAlarmArgs>(
            {
              ...alarm,
              name: `${site.name}-${kind}`,
              namespace: metricsNamespaceOf(site),
              period: 3600,
              alarmActions: [topic.arn],
              tags: site.tags,
            },
            transform.alarm,
            ['name', 'namespace', 'metricName', 'dimensions'],
          ),
          { parent: this },
        ),
    );
    this.nodes = { topic, rules, alarms };
    this.registerOutputs({ topic: topic.arn });
  }
}

/** What tells an alarm from the others. */
type Alarm = Omit<MetricAlarmArgs, 'name' | 'namespace' | 'period' | 'alarmActions' | 'tags'> & {
  readonly kind: string;
};

const quarantineAlarm = ({ name }: SourceTable, { quarantinedShare }: AlertSettings): Alarm => ({
  kind: `${name}-quarantine`,
  alarmDescription: `More lines of ${name} were refused than is normal: see ${name}_quarantine.`,
  metricName: QUARANTINED_SHARE,
  dimensions: { Table: name },
  statistic: 'Maximum',
  // A run reports once: one hour that holds a bad run is enough, and an hour without a run is fine.
  evaluationPeriods: 1,
  comparisonOperator: 'GreaterThanThreshold',
  threshold: quarantinedShare,
  treatMissingData: 'notBreaching',
});

/** One, or none where the schedule cannot be watched. */
function startAlarms({ start, first }: Runs): Alarm[] {
  const hours = watchedHours(start);
  if (hours === undefined) return [];
  return [
    {
      kind: 'start',
      alarmDescription: `No run began in ${hours} hours; the schedule is ${start}.`,
      metricName: STARTED,
      dimensions: { Table: first },
      statistic: 'Sum',
      // Hours, not one period of all: where data are missing, CloudWatch waits for some periods more.
      evaluationPeriods: hours,
      comparisonOperator: 'LessThanThreshold',
      threshold: 1,
      treatMissingData: 'breaching',
    },
  ];
}

/** Lets a service publish for what is this stack's. */
const publish = (Sid: string, service: string, source: string, topic: string): Statement => ({
  Sid,
  Effect: 'Allow',
  Principal: { Service: `${service}.amazonaws.com` },
  Action: ['sns:Publish'],
  Resource: [topic],
  Condition: { ArnLike: { 'aws:SourceArn': source } },
});
