/** What neither the definition nor a stack's settings can know. */
export interface Usage {
  /** The month that is reckoned, `YYYY-MM`. Default: one of 31 days that starts a year and a quarter. */
  readonly month: string;
  /** How long the stack has been running by then: what nothing cleans has piled up for so long. Default: 12. */
  readonly monthsOld: number;
  /** GB that the sources have written at the month's beginning. Default: 1, a hundred times the course's data. */
  readonly landingGigabytes: number;
  /** GB that they add in the month. Default: 0.1. */
  readonly growthGigabytes: number;
  /** Files that they add in the month. Default: 900, ten a day from each of three sources. */
  readonly landingFiles: number;
  /** Share of the lines that is refused. Default: 0.01. */
  readonly quarantinedShare: number;
  /** Runs a month where the stack starts on demand or when files land. Default: 30. */
  readonly runs: number;
  /** Crawls a month where the crawler starts on demand. Default: 1. */
  readonly crawls: number;
  /** Minutes that a crawl takes; Glue bills ten at least. Default: 2. */
  readonly crawlMinutes: number;
  /** Minutes that a job takes, by job; the definition says them. */
  readonly minutes: Readonly<Record<string, number>>;
  /** Minutes of a job that `minutes` does not name: the mean of those, or five. */
  readonly otherMinutes: number;
  /** DPU-minutes of each time that Glue compacts or cleans a table. Default: 1, the least that it bills. */
  readonly optimizerMinutes: number;
  /** GB of a derived table for each GB of landing data. Default: 0.02; 0.015 was measured on the course's data. */
  readonly tableShare: number;
  /** Requests to S3 of a job's run besides those that read landing files. Default: 200 and 500. */
  readonly putsPerJobRun: number;
  readonly getsPerJobRun: number;
  /** Athena queries a month. Default: 200. */
  readonly queries: number;
  /** Default: 0.1. */
  readonly gigabytesPerQuery: number;
  /** Default: 1. */
  readonly resultMegabytesPerQuery: number;
  /** Default: 5. */
  readonly logMegabytesPerJobRun: number;
  /** Metrics that Glue reports of a job's run, each for the run and for all runs. Default: 60. */
  readonly metricsPerJobRun: number;
  /** Alerts a month. Default: 10. */
  readonly mails: number;
}

const UNKNOWN_SECONDS = 300;

const meanOf = (values: readonly number[], none: number) =>
  values.length === 0 ? none : values.reduce((a, b) => a + b, 0) / values.length;

/** A month's usage by the seconds that the definition says its jobs take; where it says nothing, five minutes each. */
export const usageBy = (seconds: Readonly<Record<string, number>>): Usage => ({
  month: '2027-01',
  monthsOld: 12,
  landingGigabytes: 1,
  growthGigabytes: 0.1,
  landingFiles: 900,
  quarantinedShare: 0.01,
  runs: 30,
  crawls: 1,
  crawlMinutes: 2,
  minutes: Object.fromEntries(Object.entries(seconds).map(([job, time]) => [job, time / 60])),
  otherMinutes: meanOf(Object.values(seconds), UNKNOWN_SECONDS) / 60,
  optimizerMinutes: 1,
  tableShare: 0.02,
  putsPerJobRun: 200,
  getsPerJobRun: 500,
  queries: 200,
  gigabytesPerQuery: 0.1,
  resultMegabytesPerQuery: 1,
  logMegabytesPerJobRun: 5,
  metricsPerJobRun: 60,
  mails: 10,
});
