import { join } from 'node:path';
import { LakeError } from '../../engines/engine';
import type { Project } from '../../engines/project';
import { type Ran, runProgram } from '../processes';

/** Runs a command in the lakehouse's folder; `input` is what it reads from its standard input. */
export type Call = (command: 'pulumi' | 'lake', args: readonly string[], input?: string) => Promise<Ran>;

const LAKE = join(__dirname, '..', 'lake.js');

/** Calls the commands as processes. */
export const processes =
  ({ dir }: Project): Call =>
  (command, args, input = '') =>
    command === 'lake'
      ? runProgram(process.execPath, [LAKE, ...args], { cwd: dir, input })
      : runProgram(command, args, { cwd: dir, input });

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
