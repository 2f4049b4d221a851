import { execFile } from 'node:child_process';
import { UsageError } from '../engines/engine';

/** How a program ended, and what it printed. */
export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunSettings {
  readonly cwd: string;
  /** What it reads from its standard input. */
  readonly input?: string;
  /** Kills it. */
  readonly signal?: AbortSignal;
}

/** Runs a program to its end, however it ends. Throws a UsageError for one that is not installed. */
export const runProgram = (
  file: string,
  args: readonly string[],
  { input = '', ...settings }: RunSettings,
): Promise<Ran> =>
  new Promise((done, fail) => {
    const all = { ...settings, killSignal: 'SIGKILL', maxBuffer: Number.POSITIVE_INFINITY } as const;
    const child = execFile(file, args, all, (error, stdout, stderr) => {
      if (error?.code === 'ENOENT')
        return fail(new UsageError(`${file} is not installed; docs/deploy.md says what is needed`));
      done({ status: error ? Number(error.code) || 1 : 0, stdout, stderr });
    });
    // One that ends before it has read it all says itself why.
    child.stdin?.on('error', () => {}).end(input);
  });
