/** What the components choose for every stack, and the cost estimate counts with. */

/** Iceberg snapshots that Glue keeps of a table: so many days, and so many at least. */
export const SNAPSHOTS = { days: 5, least: 5 } as const;

/** Days that an object can be had back which went as its days were over: AWS's least. */
export const EXPIRED_VERSION_DAYS = 1;

/** Days after which a request to forget somebody goes that nothing read: AWS's least. */
export const REQUEST_DAYS = 1;

/** The Glue that runs the jobs, and its Python: what `jobs/runner` is tested with, and what its wheel is made for. */
export const GLUE = { version: '6.0', python: '3.13' } as const;

/** The services besides S3 that a job calls, each by an endpoint of a private network; KMS too where the stack has a key. */
export const ENDPOINTS = ['glue', 'logs', 'monitoring', 'secretsmanager'] as const;
