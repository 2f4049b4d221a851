import { join } from 'node:path';

/** The folder of the repository. */
export const ROOT = join(__dirname, '..');

/** The Python that runs jobs, on Glue and on local Spark. */
export const RUNNER = join(ROOT, 'jobs', 'runner');
