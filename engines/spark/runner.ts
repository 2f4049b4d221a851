import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { CaseRow } from '../cases';
import { type ErasurePart, LakeError, type RunEvent, UsageError } from '../engine';
import type { Found } from '../findings';
import { installPython, venvTool } from '../python';
import { ROOT, RUNNER } from '../root';
import { CLASSES, ICEBERG_JAR, installIceberg } from './iceberg';
import { findJava } from './java';

const REQUIREMENTS = join('jobs', 'runner', 'requirements.txt');

/** What the runner answers, in its order; `error` ends it as `end` does. */
export type Answer =
  | RunEvent
  | {
      readonly kind: 'ended';
      readonly findings: readonly Found[];
      readonly failures: readonly string[];
    }
  | { readonly kind: 'columns'; readonly columns: Columns }
  | { readonly kind: 'case'; readonly made: readonly CaseRow[] | string }
  | { readonly kind: 'rows'; readonly rows: readonly (readonly unknown[])[] }
  | {
      readonly kind: 'forgotten';
      readonly part: ErasurePart;
      /** What the sources have without those who were forgotten; of a dry run nothing. */
      readonly rows: Readonly<Record<string, number>>;
    }
  | { readonly kind: 'error'; readonly message: string; readonly isWrongCall?: boolean }
  | { readonly kind: 'end' };

export type Columns = readonly (readonly [name: string, type: string])[];

/** Readies all that local Spark needs. Throws a LakeError with what is missing and how to get it. */
export function readySpark(say: (text: string) => void): { readonly javaHome: string } {
  const java = findJava();
  const python = installPython(REQUIREMENTS, say);
  const missing = [...('missing' in java ? [java.missing] : []), ...(python === undefined ? [] : [python])];
  const javaHome = 'home' in java ? java.home : '';
  if (missing.length === 0) {
    const iceberg = installIceberg(javaHome ? join(javaHome, 'bin', 'java') : 'java', say);
    if (iceberg !== undefined) missing.push(iceberg);
  }
  if (missing.length > 0) throw new LakeError(`Spark cannot run here.\n  ${missing.join('\n  ')}`);
  return { javaHome };
}

/**
 * What tells Spark of Iceberg. Not `spark.jars`: of those Spark makes copies, and Java can keep no archive of their
 * classes.
 */
const icebergSettings = () => ({ 'spark.driver.extraClassPath': ICEBERG_JAR });

/** The environment in which Python finds the runner, and Spark its Java and its Python. */
export const runnerEnvironment = (javaHome: string): NodeJS.ProcessEnv => ({
  ...process.env,
  ...(javaHome && { JAVA_HOME: javaHome }),
  PYTHONPATH: RUNNER,
  PYTHONDONTWRITEBYTECODE: '1',
  PYSPARK_PYTHON: venvTool('python'),
  PYSPARK_DRIVER_PYTHON: venvTool('python'),
});

export interface Start {
  /** URI of the folder of Iceberg's catalog. */
  readonly warehouse: string;
  /** Path of the folder in which the process makes itself one for what Spark spills. */
  readonly scratch: string;
  /** Of the driver, as Spark spells it. */
  readonly memory: string;
  /** Of Spark, beside those that the runner needs. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Hears what takes seconds. */
  readonly say?: (text: string) => void;
}

type Request = Readonly<Record<string, unknown>>;

/** What answers requests, one at a time. */
export type RunnerProcess = Pick<Runner, 'ask' | 'stop'>;

/**
 * The Python runner on local Spark, in a process of its own, which starts at once: that takes as long as much of
 * what can be done meanwhile. It answers one request at a time.
 */
export class Runner {
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly lines: AsyncIterator<string>;
  private readonly ended: Promise<number | null>;
  private readonly say: (text: string) => void;
  private log = '';

  private readonly keepsClasses = !existsSync(CLASSES);

  /** Throws a LakeError where Spark cannot run here. `program`: what Python runs. */
  constructor(
    { say = () => undefined, ...start }: Start,
    program: readonly string[] = ['-m', 'lakehouse_runner.local'],
  ) {
    const { javaHome } = readySpark((text) => process.stderr.write(`lake: ${text}\n`));
    this.say = say;
    say('starting Spark …');
    this.child = spawn(venvTool('python'), program, { cwd: ROOT, env: runnerEnvironment(javaHome) });
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', resolve);
    });
    this.ended.catch(() => undefined);
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.log = (this.log + text).slice(-4000);
    });
    // Of a process that ended, which is told where its answers are awaited.
    this.child.stdin.on('error', () => undefined);
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
    this.send({ ...start, archive: CLASSES, settings: { ...icebergSettings(), ...start.settings } });
  }

  /**
   * Asks one thing, and gives the answers as they come. The request goes through stdin: it may hold a secret. Throws
   * a LakeError with what the runner says is wrong, a UsageError where that is the call, and a LakeError where it
   * ends before its answers do.
   */
  async *ask(request: Request): AsyncGenerator<Answer> {
    this.send(request);
    while (true) {
      const { value, done } = await this.lines.next();
      if (done) {
        const status = (await this.ended) ?? 'a signal';
        throw new LakeError(`Spark ended with ${status} before it was done:\n${lastLines(this.log)}`);
      }
      const answer = JSON.parse(value) as Answer;
      if (answer.kind === 'end') return;
      if (answer.kind === 'error') {
        await this.lines.next();
        throw answer.isWrongCall ? new UsageError(answer.message) : new LakeError(answer.message);
      }
      yield answer;
    }
  }

  /** Ends the process, whatever it does. */
  async stop(): Promise<void> {
    if (this.keepsClasses && this.child.exitCode === null) {
      this.say('keeping the classes of Java in .venv, once, so that later starts take seconds less …');
    }
    this.child.stdin.end();
    this.child.stdout.resume();
    await this.ended;
  }

  private send(message: unknown) {
    this.child.stdin.write(`${JSON.stringify(message)}\n`);
  }
}

const lastLines = (text: string) => text.trim().split('\n').slice(-5).join('\n');
