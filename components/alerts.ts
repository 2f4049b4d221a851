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
import type { AlertSettings } from './settings';
import { arn, metricsNamespaceOf, type Site } from './site';
import { type Transform, transformed } from './transform';

export interface AlertsArgs {
  readonly site: Site;
  readonly settings: AlertSettings;
  readonly jobs: readonly Pick<GlueJob, 'name'>[];
  readonly crawlers: readonly Crawler[];
  /** The sources whose quarantine is watched. */
  readonly sources: readonly SourceTable[];
  readonly transform?: { readonly topic?: Transform<TopicArgs>; readonly alarm?: Transform<MetricAlarmArgs> };
}

/** What jobs report of a source at every run: refused lines by lines read, from 0 to 1. */
export const QUARANTINED_SHARE = 'QuarantinedShare';

/** Mails that a job or a crawler failed, or that more of a source's lines were refused than is normal. */
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
    const alarms = args.sources.map(
      (source) =>
        new MetricAlarm(
          `${name}-${source.name}-quarantine`,
          transformed<MetricAlarmArgs>(
            {
              name: `${site.name}-${source.name}-quarantine`,
              alarmDescription: `More lines of ${source.name} were refused than is normal: see ${source.name}_quarantine.`,
              namespace: metricsNamespaceOf(site),
              metricName: QUARANTINED_SHARE,
              dimensions: { Table: source.name },
              statistic: 'Maximum',
              // A run reports once: one hour that holds a bad run is enough, and an hour without a run is fine.
              period: 3600,
              evaluationPeriods: 1,
              comparisonOperator: 'GreaterThanThreshold',
              threshold: settings.quarantinedShare,
              treatMissingData: 'notBreaching',
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

/** Lets a service publish for what is this stack's. */
const publish = (Sid: string, service: string, source: string, topic: string): Statement => ({
  Sid,
  Effect: 'Allow',
  Principal: { Service: `${service}.amazonaws.com` },
  Action: ['sns:Publish'],
  Resource: [topic],
  Condition: { ArnLike: { 'aws:SourceArn': source } },
});
