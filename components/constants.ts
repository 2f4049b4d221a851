/** What the components choose for every stack, and the cost estimate counts with. */

/** Iceberg snapshots that Glue keeps of a table: so many days, and so many at least. */
export const SNAPSHOTS = { days: 5, least: 5 } as const;

/** Days that a replaced script, summary or result of a query can be had back. */
export const ARTIFACTS_OLD_VERSION_DAYS = 7;

/** The services besides S3 that a job calls, each by an endpoint of a private network; KMS too where the stack has a key. */
export const ENDPOINTS = ['glue', 'logs', 'monitoring', 'secretsmanager'] as const;
