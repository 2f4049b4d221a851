// A local Spark in tests, in one process for all tests of a file: to start one takes 6 s.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { LakeError } from '../../engines/engine';
import { venvTool } from '../../engines/spark/python';
import {
  type Answer,
  icebergSettings,
  RUNNER,
  readySpark,
  runnerEnvironment,
} from '../../engines/spark/runner';

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
  private process: ChildProcessWithoutNullStreams | undefined;
  private lines: AsyncIterator<string> | undefined;
  private said = '';

  /** `dir`: where whatever is not asked of a lake would be written. */
  constructor(private readonly dir: string) {}

  /** Answers as `askRunner` does: this may stand in its place, so that a SparkEngine needs no process a run. */
  async *ask(request: Request): AsyncGenerator<Answer> {
    const warehouse = `file:${this.dir}`;
    // Of the few rows of a test each partition costs more than it is worth.
    const settings = {
      ...icebergSettings(),
      'spark.sql.shuffle.partitions': '2',
      'spark.sql.warehouse.dir': warehouse,
    };
    this.start({ warehouse, memory: '2g', settings });
    this.process?.stdin.write(`${JSON.stringify({ warehouse, ...request })}\n`);
    let ended = false;
    let error: string | undefined;
    const next = async (): Promise<Answer | undefined> => {
      const { value, done } = (await this.lines?.next()) ?? { value: undefined, done: true };
      if (done) throw new Error(`ask_spark.py has ended:\n${this.said}`);
      const answer = JSON.parse(value) as Answer;
      ended = answer.kind === 'end';
      return ended ? undefined : answer;
    };
    try {
      for (let answer = await next(); answer; answer = await next()) {
        if (answer.kind === 'error') error = answer.message;
        else yield answer;
      }
    } finally {
      // Whoever stops listening must not leave answers to the next question.
      while (!ended) await next();
    }
    if (error !== undefined) throw new LakeError(error);
  }

  private start(settings: Request) {
    if (this.process) return;
    this.process = spawn(venvTool('python'), [PROGRAM], { env: sparkEnvironment() });
    this.process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.said = (this.said + text).slice(-4000);
    });
    // Of a process that ended, which is told above.
    this.process.stdin.on('error', () => undefined);
    this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
    this.process.stdin.write(`${JSON.stringify(settings)}\n`);
  }

  async stop() {
    const child = this.process;
    if (!child || child.exitCode !== null) return;
    const closed = new Promise((resolve) => child.once('close', resolve));
    child.stdin.end();
    const late = setTimeout(() => child.kill('SIGKILL'), 30_000);
    await closed;
    clearTimeout(late);
  }
}
