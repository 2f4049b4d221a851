import { Dashboard as AwsDashboard } from '@pulumi/aws/cloudwatch/dashboard';
import { ComponentResource, type ComponentResourceOptions } from '@pulumi/pulumi';
import { DefinitionError } from '../model';
import { QUARANTINED_SHARE } from './alerts';
import { dpusOf, type JobSettings } from './settings';
import { metricsNamespaceOf, type Site } from './site';

export interface DashboardArgs {
  readonly site: Site;
  /** By their names on Glue, and what they are called here. */
  readonly jobs: readonly {
    readonly name: string;
    readonly label: string;
    readonly settings: Pick<JobSettings, 'maxWorkers' | 'workerType'>;
  }[];
  /** Names of sources and of what jobs make. */
  readonly tables: readonly string[];
  /** Names of Athena's workgroups, which publish what they scan. */
  readonly workgroups: readonly string[];
}

/** What CloudWatch takes in one widget; it takes more in a dashboard. */
const MAX_METRICS = 500;
const COLUMNS = 3;
const WIDTH = 24 / COLUMNS;
const HEIGHT = 6;
/** Seconds: one point of a graph is what came of an hour, whatever the time that is looked at. */
const PERIOD = 3600;
const MILLISECONDS_PER_HOUR = 3_600_000;

type Metric = readonly (string | Readonly<Record<string, string | boolean>>)[];

/** What a stack does and what that takes, in CloudWatch. */
export class Dashboard extends ComponentResource {
  readonly nodes: { readonly dashboard: AwsDashboard };

  constructor(name: string, args: DashboardArgs, opts?: ComponentResourceOptions) {
    super('lakehouse:operations:Dashboard', name, {}, opts);
    const dashboard = new AwsDashboard(
      `${name}-dashboard`,
      { dashboardName: args.site.name, dashboardBody: bodyOf(name, args) },
      { parent: this },
    );
    this.nodes = { dashboard };
    this.registerOutputs({});
  }
}

function bodyOf(name: string, { site, jobs, tables, workgroups }: DashboardArgs): string {
  const ofTables = (metric: string): Metric[] =>
    tables.map((table) => [metricsNamespaceOf(site), metric, 'Table', table, { label: table }]);
  const graphs: readonly (readonly [title: string, stat: 'Sum' | 'Maximum', metrics: readonly Metric[]])[] = [
    ['Runs that succeeded', 'Sum', jobs.map((job) => runs('glue.succeed.ALL', job))],
    ['Runs that failed', 'Sum', jobs.map((job) => runs('glue.error.ALL', job))],
    ['DPU hours, at most', 'Sum', jobs.flatMap(dpuHours)],
    ['Rows written', 'Maximum', ofTables('RowsWritten')],
    ['Seconds', 'Maximum', ofTables('Seconds')],
    ['Refused share', 'Maximum', ofTables(QUARANTINED_SHARE)],
    [
      'Bytes that Athena scanned',
      'Sum',
      workgroups.map((group) => ['AWS/Athena', 'ProcessedBytes', 'WorkGroup', group, { label: group }]),
    ],
  ];
  const count = graphs.reduce((sum, [, , metrics]) => sum + metrics.length, 0);
  if (count > MAX_METRICS) {
    const message = `has ${count} metrics; it takes ${MAX_METRICS}: turn dashboard off, or define a second lakehouse`;
    throw new DefinitionError([{ path: name, message }]);
  }
  return JSON.stringify({
    start: '-P7D',
    periodOverride: 'inherit',
    widgets: graphs
      .filter(([, , metrics]) => metrics.length > 0)
      .map(([title, stat, metrics], i) => ({
        type: 'metric',
        x: (i % COLUMNS) * WIDTH,
        y: Math.floor(i / COLUMNS) * HEIGHT,
        width: WIDTH,
        height: HEIGHT,
        properties: {
          title,
          region: site.region,
          view: 'timeSeries',
          stacked: false,
          stat,
          period: PERIOD,
          metrics,
        },
      })),
  });
}

type Job = DashboardArgs['jobs'][number];

/** What Glue counts of all runs of a job. */
const ofRuns = (metric: string, { name }: Job, ...more: Metric): Metric => [
  ...['Glue', metric, 'JobName', name, 'JobRunId', 'ALL', 'Type', 'count'],
  ...more,
];

/** How many ended so, which is there with --enable-observability-metrics. */
const runs = (metric: string, job: Job): Metric =>
  ofRuns(metric, job, 'ObservabilityGroup', 'error', { label: job.label });

/** The time that Glue counts with --enable-metrics, as if all workers had been there for all of it. */
const dpuHours = (job: Job, i: number): Metric[] => {
  const { label, settings } = job;
  const expression = `time${i} * ${settings.maxWorkers * dpusOf(settings.workerType)} / ${MILLISECONDS_PER_HOUR}`;
  return [
    ofRuns('glue.driver.aggregate.elapsedTime', job, { id: `time${i}`, visible: false }),
    [{ id: `hours${i}`, expression, label }],
  ];
};
