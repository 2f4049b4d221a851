import { EventRule } from '@pulumi/aws/cloudwatch/eventRule';
import { EventTarget } from '@pulumi/aws/cloudwatch/eventTarget';
import { Trigger as AwsTrigger, type TriggerArgs } from '@pulumi/aws/glue/trigger';
import { Workflow as AwsWorkflow, type WorkflowArgs as AwsWorkflowArgs } from '@pulumi/aws/glue/workflow';
import { ComponentResource, type ComponentResourceOptions, jsonStringify, type Output } from '@pulumi/pulumi';
import { DefinitionError } from '../model';
import type { GlueJob } from './glue-job';
import { ServiceRole } from './service-role';
import type { Start } from './settings';
import { arn, type Place, type Site } from './site';
import { type Transform, transformed } from './transform';
import { type Trigger, triggersOf } from './triggers';

export interface WorkflowArgs {
  readonly site: Site;
  readonly jobs: readonly GlueJob[];
  /** When it runs. Default: on demand. */
  readonly start?: Start;
  /** Where files land that start it, of buckets that report their objects. Needed with `start: 'files'`. */
  readonly landing?: readonly Place[];
  readonly transform?: {
    readonly workflow?: Transform<AwsWorkflowArgs>;
    readonly trigger?: Transform<TriggerArgs>;
  };
}

/** Glue's limit of jobs, crawlers and triggers together. */
const MAX_NODES = 100;

/** Files of one upload start one run: after this many, or after so many seconds. */
const BATCH = { batchSize: 100, batchWindow: 900 };

/** Runs every job once, after those that make its inputs. */
export class Workflow extends ComponentResource {
  /** The workflow's name in Glue. */
  readonly name: Output<string>;
  readonly nodes: {
    readonly workflow: AwsWorkflow;
    readonly triggers: readonly AwsTrigger[];
    readonly rule?: EventRule;
  };

  constructor(name: string, args: WorkflowArgs, opts?: ComponentResourceOptions) {
    super('lakehouse:jobs:Workflow', name, {}, opts);
    const { site, jobs, start = 'demand', transform = {} } = args;
    const triggers = triggersOf(
      jobs.map(({ definition }) => definition),
      start,
    );
    if (jobs.length + triggers.length > MAX_NODES) {
      throw new DefinitionError([
        {
          path: name,
          message: `has ${jobs.length} jobs and ${triggers.length} triggers; Glue takes ${MAX_NODES} together: define a second lakehouse`,
        },
      ]);
    }
    const workflow = new AwsWorkflow(
      `${name}-workflow`,
      transformed<AwsWorkflowArgs>(
        {
          name: site.name,
          description: 'Runs every job once, after those that make its inputs.',
          maxConcurrentRuns: 1,
          tags: site.tags,
        },
        transform.workflow,
        // Its name is in the right to tell it of files; two runs would write the same tables.
        ['name', 'maxConcurrentRuns'],
      ),
      { parent: this },
    );
    this.name = workflow.name;
    this.nodes = {
      workflow,
      triggers: triggers.map((trigger) => this.#trigger(name, trigger, workflow, args)),
      ...(start === 'files' && { rule: this.#rule(name, workflow, args) }),
    };
    this.registerOutputs({ name: this.name });
  }

  #trigger(name: string, trigger: Trigger, workflow: AwsWorkflow, { site, jobs, transform }: WorkflowArgs) {
    const nameOf = (job: string) => {
      const found = jobs.find(({ definition }) => definition.name === job);
      return found ? found.nodes.job.name : job;
    };
    return new AwsTrigger(
      `${name}-${trigger.name}`,
      transformed<TriggerArgs>(
        {
          name: `${site.name}-${trigger.name}`,
          tags: site.tags,
          workflowName: workflow.name,
          actions: trigger.starts.map((job) => ({ jobName: nameOf(job) })),
          ...typed(trigger, nameOf),
        },
        transform?.trigger,
        ['name', 'workflowName', 'actions', 'type', 'enabled', 'predicate'],
      ),
      {
        parent: this,
        // A stack of before had an enabled one, which no update can disable.
        ...(trigger.kind === 'files' && { replaceOnChanges: ['enabled'], deleteBeforeReplace: true }),
      },
    );
  }

  #rule(name: string, workflow: AwsWorkflow, { site, landing = [] }: WorkflowArgs) {
    const target = arn(site, 'glue', `workflow/${site.name}`);
    const role = new ServiceRole(
      `${name}-notifier`,
      {
        site,
        purpose: 'notifier',
        usesKey: false,
        service: 'events.amazonaws.com',
        description: 'Lets EventBridge tell the workflow of new files.',
        statements: [
          { Sid: 'NotifyWorkflow', Effect: 'Allow', Action: ['glue:notifyEvent'], Resource: [target] },
        ],
      },
      { parent: this },
    );
    const rule = new EventRule(
      `${name}-files`,
      {
        name: `${site.name}-files`,
        description: 'Files landed.',
        eventPattern: jsonStringify({
          source: ['aws.s3'],
          'detail-type': ['Object Created'],
          detail: {
            bucket: { name: [...new Set(landing.map(({ bucket }) => bucket))] },
            object: { key: [...new Set(landing.map(({ prefix }) => prefix))].map((prefix) => ({ prefix })) },
          },
        }),
        tags: site.tags,
      },
      { parent: this },
    );
    new EventTarget(
      `${name}-files-target`,
      { rule: rule.name, arn: target, roleArn: role.arn },
      { parent: this, dependsOn: [workflow] },
    );
    return rule;
  }
}

/** What a trigger is besides the jobs it starts. */
function typed(
  trigger: Trigger,
  nameOf: (job: string) => Output<string> | string,
): Partial<TriggerArgs> & { type: string } {
  switch (trigger.kind) {
    case 'demand':
      // Enabled, such a trigger fires the moment it is made.
      return { type: 'ON_DEMAND', enabled: false };
    case 'files':
      // Glue keeps such a trigger in the state CREATED, in which EventBridge starts the workflow, and takes neither
      // StartTrigger nor StopTrigger for it. The provider calls them where `enabled` differs from what it remembers, as
      // after an import, so `true` could end in a difference that no deployment removes (terraform-provider-aws 49407).
      return { type: 'EVENT', enabled: false, eventBatchingConditions: [BATCH] };
    case 'schedule':
      return { type: 'SCHEDULED', schedule: trigger.schedule };
    case 'after':
      return {
        type: 'CONDITIONAL',
        predicate: {
          logical: 'AND',
          conditions: trigger.after.map((job) => ({
            jobName: nameOf(job),
            state: 'SUCCEEDED',
            logicalOperator: 'EQUALS',
          })),
        },
      };
  }
}
