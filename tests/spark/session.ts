// The one Spark of tests/spark/one-session.test.ts.
import { join } from 'node:path';
import { temporaryDir } from '../support/lake';
import { Spark } from '../support/spark';

const dir = temporaryDir('spark');
export const session = new Spark(dir);
/** Where it spills. */
export const scratch = join(dir, 'spark-tmp');
afterAll(() => session.stop());
