import { ENDPOINTS, EXPIRED_VERSION_DAYS, SNAPSHOTS } from '../components/constants';
import { watchedHours } from '../components/schedule';
import { dpusOf, type JobSettings, type Settings, type Start } from '../components/settings';
import { groupedTo } from '../engines/words';
import { isPersonal, type Job, type Pipeline, type Table } from '../model';
import { knowsPeople, needsKey } from '../model/manifest';
import PRICES from './prices.json';
import { MINIMUM_QUERY_MEGABYTES } from './query';
import { daysOf, timesIn } from './schedule';
import { type Usage, usageBy } from './usage';

type PriceName = keyof (typeof PRICES)['of'];

/** What is billed together and turned on together. */
export type ResourceClass =
  | 'Glue jobs'
  | 'Glue crawler'
  | 'Table optimizers'
  | 'Athena'
  | 'S3 storage'
  | 'S3 requests'
  | 'CloudWatch logs'
  | 'CloudWatch metrics'
  | 'CloudWatch alarms'
  | 'CloudWatch dashboard'
  | 'SNS e-mails'
  | 'EventBridge'
  | 'Secrets Manager'
  | 'KMS'
  | 'VPC endpoints'
  | 'CloudTrail';

export interface Line {
  readonly class: ResourceClass;
  /** The quantity. */
  readonly what: string;
  /** USD, to the cent. */
  readonly monthly: number;
}

export interface Estimate {
  /** One of each class that the stack has. */
  readonly lines: readonly Line[];
  /** USD: the sum of the lines. */
  readonly total: number;
  readonly prices: { readonly region: string; readonly date: string };
  /** What the figures rest on, a sentence or two each. */
  readonly assumptions: readonly string[];
}

const GIGABYTE = 1024;
const MINIMUM_JOB_MINUTES = 1;
const MINIMUM_CRAWL_MINUTES = 10;
const CRAWLER_DPUS = 2;
const MINIMUM_QUERY_GIGABYTES = MINIMUM_QUERY_MEGABYTES / GIGABYTE;
/** Rows, seconds and refused share, which a run reports. */
const METRICS_PER_TABLE = 3;
/** What a job and a query read at once. */
const GETS_PER_GIGABYTE = GIGABYTE / 8;
/** S3 asks KMS for a bucket's key, and not for each object's: one request in a hundred, by AWS's own account. */
const KMS_SHARE = 0.01;
/** Glue's times to expire snapshots and to remove orphan files, each once a day. */
const DAILY_OPTIMIZERS = 2;

/** What all lines are reckoned from. */
interface Month {
  readonly pipeline: Pipeline;
  readonly settings: Settings;
  readonly usage: Usage;
  readonly days: number;
  readonly runs: number;
  readonly crawls: number;
  /** GB at the month's end. */
  readonly landing: number;
  /** USD for so many units of a price. */
  readonly usd: (price: PriceName, units: number) => number;
}

interface Item {
  readonly what: string;
  readonly usd: number;
}

/** What a stack costs a month, at list price, rather too high than too low. Pure: the same for the same arguments. */
export function estimate(pipeline: Pipeline, settings: Settings, usage: Usage = usageBy({})): Estimate {
  const month: Month = {
    pipeline,
    settings,
    usage,
    days: daysOf(usage.month),
    runs: timesOf(settings.start, usage.runs, usage),
    crawls: timesOf(settings.crawl, usage.crawls, usage),
    landing: usage.landingGigabytes + usage.growthGigabytes,
    usd: (name, units) => (units / PRICES.of[name].per) * PRICES.of[name].usd,
  };
  const lines = Object.entries(CLASSES).flatMap(([name, itemOf]): Line[] => {
    const item = itemOf(month);
    return item ? [{ class: name as ResourceClass, what: item.what, monthly: toCents(item.usd) / 100 }] : [];
  });
  return {
    lines,
    total: lines.reduce((sum, { monthly }) => sum + toCents(monthly), 0) / 100,
    prices: { region: PRICES.region, date: PRICES.date },
    assumptions: assumptionsOf(month),
  };
}

const toCents = (usd: number) => Math.round(usd * 100);

const timesOf = (start: Start, otherwise: number, { month }: Usage) =>
  start === 'demand' || start === 'files' ? otherwise : timesIn(start, month);

const CLASSES: Readonly<Record<ResourceClass, (month: Month) => Item | undefined>> = {
  'Glue jobs': (month) => {
    const { pipeline, runs, usd } = month;
    const hours = (job: Job) => runs * dpuHoursOf(month, job);
    return {
      what: `${counted(runs, 'run')} of ${counted(pipeline.jobs.length, 'job')}, ${shown(sumOf(pipeline.jobs, hours))} DPU-hours`,
      usd: sumOf(pipeline.jobs, (job) => usd(priceOf(settingsOf(month, job)), hours(job))),
    };
  },

  'Glue crawler': ({ usage, crawls, usd }) => {
    const hours = (crawls * CRAWLER_DPUS * Math.max(usage.crawlMinutes, MINIMUM_CRAWL_MINUTES)) / 60;
    return {
      what: `${counted(crawls, 'crawl')}, ${shown(hours)} DPU-hours`,
      usd: usd('crawlerDpuHour', hours),
    };
  },

  'Table optimizers': (month) => {
    const { pipeline, usage, days, runs, usd } = month;
    const tables = derivedOf(pipeline).filter((table) => zoneOf(month, table).optimizeTables);
    if (tables.length === 0) return undefined;
    const times = tables.length * (runs + DAILY_OPTIMIZERS * days);
    const hours = (times * usage.optimizerMinutes) / 60;
    return {
      what: `${counted(tables.length, 'table')}, ${shown(hours)} DPU-hours`,
      usd: usd('optimizerDpuHour', hours),
    };
  },

  Athena: ({ settings, usage, usd }) => {
    const limit = settings.queries.scanLimitMegabytes / GIGABYTE;
    const each = Math.max(Math.min(usage.gigabytesPerQuery, limit), MINIMUM_QUERY_GIGABYTES);
    const gigabytes = usage.queries * each;
    return {
      what: `${counted(usage.queries, 'query', 'queries')}, ${shown(gigabytes)} GB scanned`,
      usd: usd('athenaTerabyte', gigabytes / GIGABYTE),
    };
  },

  'S3 storage': (month) => {
    const gigabytes = storedBy(month);
    return { what: `${shown(gigabytes)} GB`, usd: month.usd('s3GigabyteMonth', gigabytes) };
  },

  'S3 requests': (month) => {
    const { puts, gets } = requestsOf(month);
    return {
      what: `${shown(puts)} PUT, ${shown(gets)} GET`,
      usd: month.usd('s3Put', puts) + month.usd('s3Get', gets),
    };
  },

  'CloudWatch logs': (month) => {
    const { settings, days, usd } = month;
    const taken = logsOf(month);
    const kept = (taken / days) * keptDays(month, settings.logDays);
    return {
      what: `${shown(taken)} GB taken in, ${shown(kept)} GB kept`,
      usd: usd('logGigabyte', taken) + usd('logGigabyteMonth', kept),
    };
  },

  'CloudWatch metrics': ({ pipeline, usage, days, runs, usd }) => {
    // Each is there for an hour: Glue's own, three of each table, and that a job began.
    const perJob = usage.metricsPerJobRun + METRICS_PER_TABLE + 1;
    const hours = runs * (pipeline.jobs.length * perJob + pipeline.sources.length * METRICS_PER_TABLE);
    const months = hours / (days * 24);
    return { what: `${shown(months)} metric-months`, usd: usd('metricMonth', months) };
  },

  'CloudWatch alarms': ({ pipeline, settings, usd }) => {
    if (!settings.alerts) return undefined;
    const watchesStart = pipeline.jobs.length > 0 && watchedHours(settings.start) !== undefined;
    // CloudWatch bills an alarm by its metrics: one each.
    const alarms = pipeline.sources.length + (watchesStart ? 1 : 0);
    return { what: counted(alarms, 'alarm'), usd: usd('alarmMonth', alarms) };
  },

  'CloudWatch dashboard': ({ settings, usd }) =>
    settings.dashboard ? { what: '1 dashboard', usd: usd('dashboardMonth', 1) } : undefined,

  'SNS e-mails': ({ settings, usage, usd }) =>
    settings.alerts && { what: counted(usage.mails, 'e-mail'), usd: usd('mail', usage.mails) },

  EventBridge: ({ settings, usage, usd }) =>
    settings.start === 'files'
      ? { what: `${counted(usage.landingFiles, 'new file')}`, usd: usd('objectEvent', usage.landingFiles) }
      : undefined,

  'Secrets Manager': ({ pipeline, runs, usd }) => {
    const readers = pipeline.jobs.filter(needsKey);
    if (readers.length === 0 && !knowsPeople(pipeline)) return undefined;
    const reads = runs * readers.length;
    return {
      what: `1 secret, ${counted(reads, 'read')}`,
      usd: usd('secret', 1) + usd('secretRequest', reads),
    };
  },

  KMS: (month) => {
    if (month.settings.encryption !== 'kms') return undefined;
    const { puts, gets } = requestsOf(month);
    const requests = (puts + gets) * KMS_SHARE;
    return {
      what: `1 key, ${shown(requests)} requests`,
      usd: month.usd('kmsKey', 1) + month.usd('kmsRequest', requests),
    };
  },

  'VPC endpoints': (month) => {
    const { settings, days, usd } = month;
    if (!settings.network) return undefined;
    const endpoints = ENDPOINTS.length + (settings.encryption === 'kms' ? 1 : 0);
    const gigabytes = logsOf(month);
    return {
      what: `${counted(endpoints, 'endpoint')}, ${shown(gigabytes)} GB`,
      usd: usd('endpointHour', endpoints * days * 24) + usd('endpointGigabyte', gigabytes),
    };
  },

  CloudTrail: (month) => {
    if (!month.settings.auditTrail) return undefined;
    // Most tables have personal data or are made of it: all requests are counted, if there is any.
    const { puts, gets } = requestsOf(month);
    const events = [...month.pipeline.tables.values()].some(isPersonal) ? puts + gets : 0;
    return { what: `${shown(events)} data events`, usd: month.usd('dataEvent', events) };
  },
};

function sumOf<T>(of: readonly T[], value: (each: T) => number): number {
  return of.reduce((sum, each) => sum + value(each), 0);
}

function settingsOf({ settings }: Month, { name }: Job): JobSettings {
  const found = settings.jobs[name];
  if (!found) throw new Error(`no settings of the job ${name}`);
  return found;
}

function zoneOf({ settings }: Month, { zone }: Table) {
  const found = settings.zones[zone];
  if (!found) throw new Error(`no settings of the zone ${zone}`);
  return found;
}

const priceOf = ({ workerType, flex }: JobSettings) =>
  workerType.startsWith('R.') ? 'glueMemoryDpuHour' : flex ? 'glueFlexDpuHour' : 'glueDpuHour';

const minutesOf = ({ minutes, otherMinutes }: Usage, job: string) => minutes[job] ?? otherMinutes;

/** With all workers all the time. */
const dpuHours = ({ workerType, maxWorkers }: JobSettings, minutes: number) =>
  (maxWorkers * dpusOf(workerType) * Math.max(minutes, MINIMUM_JOB_MINUTES)) / 60;

/** Of one run. */
function dpuHoursOf(month: Month, job: Job): number {
  const settings = settingsOf(month, job);
  return dpuHours(settings, Math.min(minutesOf(month.usage, job.name), settings.timeoutMinutes));
}

/** USD that Glue asks at most for a job that ran so many seconds. */
export function jobPrice(job: JobSettings, seconds: number): number {
  const { usd, per } = PRICES.of[priceOf(job)];
  return (dpuHours(job, seconds / 60) * usd) / per;
}

const derivedOf = ({ jobs }: Pipeline) => jobs.map(({ output }) => output);

/** Days for which there is something to keep: no more than the stack is old. */
const keptDays = ({ usage, days }: Month, most: number) => Math.min(most, usage.monthsOld * days);

/**
 * GB at the month's end. Every run writes its tables anew. Where Glue cleans, what no snapshot needs becomes old
 * versions, which the bucket keeps for its days; where it does not, every run's files stay.
 */
function storedBy(month: Month): number {
  const { pipeline, settings, usage, days, runs, landing } = month;
  const daily = runs / days;
  const everRun = runs * usage.monthsOld;
  const tables = sumOf(derivedOf(pipeline), (table) => {
    const { optimizeTables, oldVersionDays } = zoneOf(month, table);
    const snapshots = Math.max(Math.min(SNAPSHOTS.least, 1 + everRun), 1 + daily * SNAPSHOTS.days);
    const copies = optimizeTables ? snapshots + daily * keptDays(month, oldVersionDays) : 1 + everRun;
    return landing * usage.tableShare * copies;
  });
  const refused = sumOf(pipeline.sources, (source) => {
    const { quarantineDays } = zoneOf(month, source);
    const readers = pipeline.jobs.filter(({ inputs }) => inputs.includes(source)).length;
    const copies = daily * readers * keptDays(month, quarantineDays + EXPIRED_VERSION_DAYS);
    return (landing / pipeline.sources.length) * usage.quarantinedShare * copies;
  });
  const results =
    ((usage.queries * usage.resultMegabytesPerQuery) / GIGABYTE / days) *
    keptDays(month, settings.queries.resultDays + EXPIRED_VERSION_DAYS);
  return landing + tables + refused + results;
}

function requestsOf({ pipeline, usage, runs, landing }: Month) {
  const { sources, jobs } = pipeline;
  const reads = sumOf(jobs, ({ inputs }) => inputs.filter(({ format }) => format !== 'iceberg').length);
  const landingRead = sources.length === 0 ? 0 : (landing * reads) / sources.length;
  return {
    // A query leaves its result and a file about it.
    puts: usage.landingFiles + runs * jobs.length * usage.putsPerJobRun + 2 * usage.queries,
    gets:
      runs * (jobs.length * usage.getsPerJobRun + landingRead * GETS_PER_GIGABYTE) +
      usage.queries * Math.max(1, usage.gigabytesPerQuery * GETS_PER_GIGABYTE),
  };
}

/** GB a month. */
const logsOf = ({ pipeline, usage, runs }: Month) =>
  (runs * pipeline.jobs.length * usage.logMegabytesPerJobRun) / GIGABYTE;

const counted = (n: number, one: string, many = `${one}s`) => `${shown(n)} ${n === 1 ? one : many}`;

const shown = (n: number) => groupedTo(n, n < 0.1 ? 3 : n < 10 ? 2 : n < 100 ? 1 : 0);

function assumptionsOf(month: Month): string[] {
  const { pipeline, settings, usage, landing } = month;
  const idle = sumOf(pipeline.jobs, (job) => jobPrice(settingsOf(month, job), 0));
  const minutes = pipeline.jobs.map(({ name }) => `${name} ${shown(minutesOf(usage, name))}`);
  const { region } = settings;
  return [
    ...(region === PRICES.region
      ? []
      : [
          `The stack ${region === undefined ? 'names no region' : `is in ${region}`}, and these are prices of ${PRICES.region}: those of other regions differ.`,
        ]),
    `The prices were written by hand on ${PRICES.date}, and no free tier is taken off. docs/cost.md says which could not be confirmed.`,
    `Runs: ${timesText(settings.start, usage.runs, usage)}. Crawls: ${timesText(settings.crawl, usage.crawls, usage)}.`,
    `A job takes all of its maxWorkers for the whole of its run. Auto scaling takes fewer, so this is an upper bound.`,
    `Minutes of a job, whatever its workers and data: ${minutes.join(', ')}.`,
    `Landing files are ${shown(landing)} GB at the month's end. A run reads them all and writes every table anew, each ${shown(usage.tableShare * 100)} % of their size.`,
    `A run in which nothing has changed makes nothing, and is billed a minute of each job all the same: ${idle.toFixed(2)} USD by schedule, nothing by lake run --stack, which does not start it.`,
    `The stack is ${counted(usage.monthsOld, 'month')} old: old versions, quarantine, logs and uncleaned files are of that time.`,
    `Each query scans ${shown(usage.gigabytesPerQuery)} GB. Each job's run logs ${shown(usage.logMegabytesPerJobRun)} MB, and reports ${shown(usage.metricsPerJobRun)} metrics.`,
  ];
}

function timesText(start: Start, otherwise: number, usage: Usage): string {
  if (start === 'demand') return `${shown(otherwise)} a month, on demand`;
  if (start === 'files') return `${shown(otherwise)} a month, as files land`;
  return `${shown(timesIn(start, usage.month))} in ${usage.month} by ${start}`;
}
