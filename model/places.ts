import type { Table } from './table';

/** A part of a bucket; `prefix` is empty or ends in a slash, so that `customer/` is not the beginning of `customers/`. */
export interface Place {
  readonly bucket: string;
  readonly prefix: string;
}

/** What the names of a stack are made of, all of it known before any resource is. */
export interface StackNames {
  /** `aws`: the names of endpoints and links are those of no other. */
  readonly partition: string;
  readonly region: string;
  /** Twelve digits. */
  readonly account: string;
  /** Begins every physical name: project and stack, such as `shop-dev`. */
  readonly name: string;
  /** The Glue database: the name with underscores. */
  readonly database: string;
}

/** S3's limit, in characters. */
export const MAX_BUCKET_NAME = 63;

/** Buckets are named across all of AWS; the account makes the name the stack's own. */
export const bucketName = ({ name, account }: Pick<StackNames, 'name' | 'account'>, zone: string) =>
  `${name}-${zone}-${account}`;

export const bucketArn = ({ partition }: StackNames, bucket: string) => `arn:${partition}:s3:::${bucket}`;

export const arn = ({ partition, region, account }: StackNames, service: string, resource: string) =>
  `arn:${partition}:${service}:${region}:${account}:${resource}`;

export const s3Uri = ({ bucket, prefix }: Place) => `s3://${bucket}/${prefix}`;

/** The place that an URI names. */
export function placeOf(uri: string): Place {
  const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/(.*)$/.exec(uri) ?? [];
  return { bucket, prefix };
}

/** Where a table's files are in its zone's bucket: a source's as its writers name folders, the others by table. */
export const prefixOf = (table: Table) =>
  table.format !== 'iceberg' ? `${table.entity}/landing/` : `${table.name}/`;

/** Where refused lines of a source and moved rows of a table go, in its zone's bucket: apart from the data, as they expire. */
export const QUARANTINE_PREFIX = 'quarantine/';
export const quarantinePrefixOf = (table: Table) => `${QUARANTINE_PREFIX}${table.name}/`;

export const quarantinePlaceOf = (table: { readonly contract: Table; readonly place: Place }): Place => ({
  bucket: table.place.bucket,
  prefix: quarantinePrefixOf(table.contract),
});

/** Log groups of a job: what Glue adds `/error` and `/output` to. */
export const logPrefixOf = ({ name }: Pick<StackNames, 'name'>, job: string) => `/aws-glue/${name}/${job}`;

/** Namespace of the metrics that jobs report. */
export const metricsNamespaceOf = ({ name }: StackNames) => `Lakehouse/${name}`;

/** Where a job leaves the summaries of its runs, in the bucket of the artifacts. */
export const runsPlaceOf = (artifacts: string, job: string): Place => ({
  bucket: artifacts,
  prefix: `runs/${job}/`,
});

/** Names of who was forgotten, as keyed hashes: in the bucket of the artifacts. */
export const SUPPRESSED_PREFIX = 'suppressed/';
export const suppressedUri = (artifacts: string) =>
  `${s3Uri({ bucket: artifacts, prefix: SUPPRESSED_PREFIX })}list.json`;
/** What was removed where, of each who was forgotten: in the bucket of the artifacts. */
export const RECEIPTS_PREFIX = 'receipts/';
/**
 * Whom to forget, in the clear: in the bucket of the first zone whose tables say whose their rows are, as such a zone
 * may hold personal data. A request goes as soon as it was read.
 */
export const REQUESTS_PREFIX = 'forget/requests/';

/** Ends the name of the job that forgets people, as a table's name ends that of the job that makes it. */
export const FORGET_JOB = 'forget';
