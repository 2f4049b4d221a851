/** Where a price was seen. Nobody here could open AWS's live pages. */
export type Seen =
  /** In a stored copy of one of AWS's own pages. */
  | 'aws'
  /** Quoted by others from AWS's page. */
  | 'others'
  /** Nowhere: it is what was remembered, or what a like thing costs. Look before you rely on it. */
  | 'nowhere';

export interface Price {
  /** USD for `per` units. */
  readonly usd: number;
  readonly per: number;
  readonly unit: string;
  /** AWS's page for it. */
  readonly source: string;
  readonly seen: Seen;
}

const price = (usd: number, per: number, unit: string, service: string, seen: Seen): Price => ({
  usd,
  per,
  unit,
  source: `https://aws.amazon.com/${service}/pricing/`,
  seen,
});

/**
 * Written by hand on the date it bears, from stored copies of AWS's price pages and, as `seen` says, from what others
 * quote of them. Nothing was fetched from AWS. List prices without any free tier; Glue's are those of version 5.1.
 */
export const PRICES = {
  region: 'us-east-1',
  date: '2026-11-25',
  of: {
    glueDpuHour: price(0.44, 1, 'DPU-hour of a job', 'glue', 'aws'),
    glueFlexDpuHour: price(0.29, 1, 'FLEX DPU-hour of a job', 'glue', 'others'),
    glueMemoryDpuHour: price(0.52, 1, 'M-DPU-hour of a job', 'glue', 'others'),
    crawlerDpuHour: price(0.44, 1, 'DPU-hour of a crawler', 'glue', 'others'),
    optimizerDpuHour: price(0.44, 1, 'DPU-hour of a table optimizer', 'glue', 'nowhere'),
    athenaTerabyte: price(5, 1, 'TB scanned by Athena', 'athena', 'others'),
    s3GigabyteMonth: price(0.023, 1, 'GB-month of S3 Standard', 's3', 'others'),
    s3Put: price(0.005, 1000, 'PUT and LIST requests', 's3', 'others'),
    s3Get: price(0.0004, 1000, 'GET requests', 's3', 'others'),
    kmsKey: price(1, 1, 'month of a KMS key', 'kms', 'aws'),
    kmsRequest: price(0.03, 10_000, 'KMS requests', 'kms', 'others'),
    secret: price(0.4, 1, 'month of a secret', 'secrets-manager', 'others'),
    secretRequest: price(0.05, 10_000, 'reads of a secret', 'secrets-manager', 'others'),
    logGigabyte: price(0.5, 1, 'GB of logs taken in', 'cloudwatch', 'others'),
    logGigabyteMonth: price(0.03, 1, 'GB-month of logs', 'cloudwatch', 'others'),
    metricMonth: price(0.3, 1, 'month of a custom metric', 'cloudwatch', 'others'),
    alarmMonth: price(0.1, 1, 'month of an alarm', 'cloudwatch', 'others'),
    mail: price(2, 100_000, 'e-mails of SNS', 'sns', 'others'),
    // Of those who quote AWS, some have S3's events among the free ones. This is the dearer reading.
    objectEvent: price(1, 1_000_000, 'events of S3 on EventBridge', 'eventbridge', 'others'),
    endpointHour: price(0.01, 1, 'hour of an interface endpoint', 'privatelink', 'others'),
    endpointGigabyte: price(0.01, 1, 'GB through an interface endpoint', 'privatelink', 'aws'),
    dataEvent: price(0.1, 100_000, 'data events of CloudTrail', 'cloudtrail', 'aws'),
  },
} as const satisfies { region: string; date: string; of: Record<string, Price> };

export type PriceName = keyof (typeof PRICES)['of'];

export interface PriceTable {
  readonly region: string;
  /** Day on which the table was written, `YYYY-MM-DD`. */
  readonly date: string;
  readonly of: Readonly<Record<PriceName, Price>>;
}
