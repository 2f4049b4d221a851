import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type ExpectationResult, LakeError, type RunEvent, type TableSummary } from '../engine';
import { ROOT } from '../root';
import { ICEBERG_JAR, installIceberg } from './iceberg';
import { findJava } from './java';
import { installPython, venvTool } from './python';

export const RUNNER = join(ROOT, 'jobs', 'runner');
const REQUIREMENTS = join('jobs', 'runner', 'requirements.txt');

/** What the runner answers, in its order; `error` ends it as `end` does. */
export type Answer =
  | RunEvent
  | {
      readonly kind: 'ended';
      readonly findings: readonly RunnerFinding[];
      readonly failures: readonly string[];
    }
  | { readonly kind: 'columns'; readonly columns: readonly (readonly [name: string, type: string])[] }
  | { readonly kind: 'rows'; readonly rows: readonly (readonly unknown[])[] }
  | { readonly kind: 'error'; readonly message: string }
  | { readonly kind: 'end' };

export interface RunnerFinding {
  readonly table: string;
  readonly expectation: string;
  readonly severity: ExpectationResult['severity'];
  readonly failed: number;
  readonly samples: readonly Readonly<Record<string, string>>[];
}

export type { TableSummary };

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

/** What tells Spark of Iceberg. */
export const icebergSettings = () => ({ 'spark.jars': ICEBERG_JAR });

/** The environment in which Python finds the runner, and Spark its Java and its Python. */
export const runnerEnvironment = (javaHome: string): NodeJS.ProcessEnv => ({
  ...process.env,
  ...(javaHome && { JAVA_HOME: javaHome }),
  PYTHONPATH: RUNNER,
  PYTHONDONTWRITEBYTECODE: '1',
  PYSPARK_PYTHON: venvTool('python'),
  PYSPARK_DRIVER_PYTHON: venvTool('python'),
});

/**
 * Asks the Python runner on local Spark one thing, and gives its answers as they come. The request goes through
 * stdin: it holds a secret. Throws a LakeError where the runner ends before its answers do.
 */
export async function* askRunner(
  request: Readonly<Record<string, unknown>>,
  memory: string,
  started: (child: ChildProcess) => void = () => undefined,
): AsyncGenerator<Answer> {
  const { javaHome } = readySpark((text) => process.stderr.write(`lake: ${text}\n`));
  const child = spawn(venvTool('python'), ['-m', 'lakehouse_runner.local'], {
    cwd: ROOT,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: runnerEnvironment(javaHome),
  });
  started(child);
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  ended.catch(() => undefined);
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-4000);
  });
  child.stdin.end(JSON.stringify({ ...request, memory, settings: icebergSettings() }));
  let done = false;
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const answer = JSON.parse(line) as Answer;
      if (answer.kind === 'end') {
        done = true;
        break;
      }
      if (answer.kind === 'error') throw new LakeError(answer.message);
      yield answer;
    }
  } finally {
    // Whoever stops listening wants nothing more; of what was answered nothing is lost.
    if (!done) child.kill('SIGKILL');
  }
  const status = await ended;
  if (!done) {
    throw new LakeError(`Spark ended with ${status ?? 'a signal'} before it was done:\n${lastLines(log)}`);
  }
}

const lastLines = (text: string) => text.trim().split('\n').slice(-5).join('\n');
