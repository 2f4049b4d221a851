// A local Spark in tests, in one process for all tests of a file: to start one takes 6 s.
import { join } from 'node:path';
import { LakeError } from '../../engines/engine';
import { RUNNER } from '../../engines/root';
import { SparkEngine } from '../../engines/spark/engine';
import { type Answer, Runner, readySpark, runnerEnvironment } from '../../engines/spark/runner';
import { JOBS } from './lake';

const PROGRAM = join(RUNNER, 'tests', 'ask_spark.py');

/** The Java of Spark, if Spark can run here; installs Spark where it is missing. */
function ready(): { readonly javaHome: string } | undefined {
  try {
    return readySpark((text) => process.stderr.write(`${text}\n`));
  } catch (error) {
    if (!(error instanceof LakeError) || process.env.CI === 'true') throw error;
    process.stderr.write(`tests on Spark are skipped: ${error.message}\n`);
    return undefined;
  }
}

const here = ready();

/** `describe` for tests that need Spark; without it they are skipped, and in CI they fail. */
export const withSpark = here ? describe : describe.skip;

/** The environment of Python programs that use Spark. */
export const sparkEnvironment = () => runnerEnvironment(here?.javaHome ?? '');

type Request = Readonly<Record<string, unknown>>;

/** Spark in a process of its own, which starts at the first question. Answers one question at a time. */
export class Spark {
  private runner: Runner | undefined;

  /** `dir`: where whatever is not asked of a lake would be written. */
  constructor(private readonly dir: string) {}

  /**
   * An engine that has this Spark run its jobs, and so needs no process a run. Of the few rows of a test, plans that are
   * made again while they run cost more than they are worth: `isAdaptive` has Spark do so, as it does for people.
   */
  engineOf(lake: string, jobs = JOBS, isAdaptive = false): SparkEngine {
    return new SparkEngine({
      lake,
      jobs,
      startRunner: ({ warehouse }) => ({
        ask: (request) => this.ask({ warehouse, isAdaptive, ...request }),
        stop: async () => undefined,
      }),
    });
  }

  /** Asks as `Runner.ask` does. */
  async *ask(request: Request): AsyncGenerator<Answer> {
    const warehouse = `file:${this.dir}`;
    // Nor is each partition of so few rows, or Java that Spark writes for each of their plans: runs in processes of their
    // own have that.
    const settings = {
      'spark.sql.shuffle.partitions': '2',
      'spark.sql.codegen.wholeStage': 'false',
      'spark.sql.codegen.factoryMode': 'NO_CODEGEN',
      'spark.sql.warehouse.dir': warehouse,
    };
    this.runner ??= new Runner({ warehouse, scratch: join(this.dir, 'spark-tmp'), memory: '2g', settings }, [
      PROGRAM,
    ]);
    const answers = this.runner.ask({ warehouse, ...request });
    let next: IteratorResult<Answer> | undefined;
    try {
      for (next = await answers.next(); !next.done; next = await answers.next()) yield next.value;
    } finally {
      // Whoever stops listening must not leave answers to the next question.
      while (next && !next.done) next = await answers.next();
    }
  }

  async stop() {
    await this.runner?.stop();
  }
}
