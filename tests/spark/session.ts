// The one Spark of tests/spark/one-session.test.ts.
import { temporaryDir } from '../support/lake';
import { Spark } from '../support/spark';

export const session = new Spark(temporaryDir('spark'));
afterAll(() => session.stop());
