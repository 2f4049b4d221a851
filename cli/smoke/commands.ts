import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { LakeError, UsageError } from '../../engines/engine';
import type { Project } from '../../engines/project';

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command in the lakehouse's folder; `input` is what it reads from its standard input. */
export type Call = (command: 'pulumi' | 'lake', args: readonly string[], input?: string) => Promise<Ran>;

/** Calls the commands as processes. */
export const processes =
  ({ dir }: Project): Call =>
  (command, args, input = '') =>
    new Promise((done, fail) => {
      const lake = command === 'lake' ? [join(__dirname, '..', 'lake.js')] : [];
      const file = command === 'lake' ? process.execPath : command;
      const settings = { cwd: dir, maxBuffer: Number.POSITIVE_INFINITY };
      const child = execFile(file, [...lake, ...args], settings, (error, stdout, stderr) => {
        if (error?.code === 'ENOENT')
          return fail(new UsageError('Pulumi is not installed; docs/deploy.md says what is needed'));
        done({ status: error ? Number(error.code) || 1 : 0, stdout, stderr });
      });
      // One that ends before it has read it all says itself why.
      child.stdin?.on('error', () => {}).end(input);
    });

/** How many lines of what a command said are told where it failed. */
const TOLD = 20;

/** The commands that people use, and what they answer. Each method throws a LakeError with the end of what a command said that failed. */
export class Commands {
  /** USD of the queries so far. */
  usd = 0;

  constructor(
    private readonly stack: string,
    readonly call: Call,
  ) {}

  private async done(command: 'pulumi' | 'lake', args: readonly string[], input?: string): Promise<Ran> {
    const ran = await this.call(command, args, input);
    if (ran.status === 0) return ran;
    // Pulumi prints what was wrong among its results; `lake` does not.
    const said = command === 'pulumi' || ran.stderr.trim() === '' ? ran.stdout + ran.stderr : ran.stderr;
    const lines = said.split('\n').filter((line) => line.trim() !== '');
    const head = `${command} ${args[0]} ended with status ${ran.status}:`;
    throw new LakeError([head, ...lines.slice(-TOLD)].join('\n'));
  }

  /** `pulumi`, of the stack, as it ended. */
  pulumiRan = (args: readonly string[], input?: string): Promise<Ran> =>
    this.call('pulumi', this.ofStack(args), input);

  /** What `pulumi` prints, of the stack. */
  async pulumi(args: readonly string[], input?: string): Promise<string> {
    return (await this.done('pulumi', this.ofStack(args), input)).stdout;
  }

  private ofStack = (args: readonly string[]) => [
    ...args,
    '--stack',
    this.stack,
    '--non-interactive',
    '--color=never',
  ];

  /** What `lake … --json` answers. */
  async lake<T>(args: readonly string[], input?: string): Promise<T> {
    return JSON.parse((await this.done('lake', [...args, '--json'], input)).stdout) as T;
  }

  async makeSample(args: readonly string[]): Promise<void> {
    await this.done('lake', ['sample', ...args]);
  }

  /** The rows of a query, by name or as SQL, as JSON each, sorted; `lake` is the words that name one. */
  async rows(query: string, lake: readonly string[]): Promise<string[]> {
    const what = /\s/.test(query) ? ['-e', query] : [query];
    const { stdout, stderr } = await this.done('lake', ['query', ...what, ...lake, '--format', 'json']);
    this.usd += Number(/about USD ([\d.e-]+)/.exec(stderr)?.[1] ?? 0);
    const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
    return lines.map((line) => line.replace(/,$/, '')).sort();
  }
}
