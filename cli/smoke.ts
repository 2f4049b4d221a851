// npm run smoke -- --stack NAME: a first day on AWS, by the very commands that people use, with a made-up sample. Each
// step looks at what its command answers. docs/deploy.md says what it does with which stack.
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { jobPrice } from '../cost/estimate';
import type { StackRunSummary } from '../engines/aws/stack-run';
import { LakeError, type Receipt, UsageError } from '../engines/engine';
import { loadProject, type Project } from '../engines/project';
import { FORGET_JOB } from '../model/places';
import { type Call, Commands, processes } from './smoke/commands';
import { masked, type StepResult, smokeMarkdown, stepLine } from './smoke/report';
import { recordsIn, Sample } from './smoke/sample';
import { SmokeStack } from './smoke/stack';
import { counted } from './text';

export interface SmokeOptions {
  /** As Pulumi knows it. */
  readonly stack: string;
  /** Whether to deploy: else it ends after the preview. */
  readonly yes: boolean;
  /** Whether a stack that this or an earlier smoke made goes at the end. */
  readonly destroy: boolean;
  /** File of the report. Default: `.build/smoke-NAME.md` of the lakehouse. */
  readonly report?: string;
}

/** A smoke test of a stack. Returns the exit status. Throws a UsageError, all as it was, where it may not be done. */
export async function smoke(project: Project, options: SmokeOptions, call: Call): Promise<number> {
  const temp = await mkdtemp(join(tmpdir(), 'lake-smoke-'));
  try {
    return await new Smoke(project, options, call, temp).run();
  } finally {
    await rm(temp, { recursive: true, force: true });
  }
}

type Step = readonly [name: string, act: () => Promise<string>];

class Smoke {
  private readonly commands: Commands;
  private readonly sample: Sample;
  private readonly stack: SmokeStack;
  private readonly results: StepResult[] = [];
  /** The local lake that the stack's tables are like. */
  private like: readonly string[] = [];

  constructor(
    private readonly project: Project,
    private readonly options: SmokeOptions,
    call: Call,
    temp: string,
  ) {
    this.commands = new Commands(options.stack, call);
    this.sample = new Sample(project.definition, this.commands, temp);
    this.stack = new SmokeStack(options.stack, project, this.commands, temp);
  }

  private readonly steps: readonly Step[] = [
    ['sample', async () => this.sample.make(await this.stack.parameters())],
    ['look', () => this.stack.look(this.sample, this.options.destroy)],
    ['stack', () => this.stack.make()],
    ['preview', () => this.pulumi('preview')],
    ['up', () => this.up()],
    ['ingest', () => this.ingest()],
    ['run', () => this.runJobs()],
    [
      'compare',
      () => this.compare(this.stack.listed ? [this.sample.left, this.sample.all] : [this.sample.all]),
    ],
    ['query', () => this.query()],
    ['diff', () => this.diff()],
    ['forget', () => this.forget()],
    ['compare again', () => this.compare([this.sample.left])],
    ['preview again', () => this.pulumi('preview', '--expect-no-changes')],
    ['destroy', () => this.destroy()],
  ];

  async run(): Promise<number> {
    const { yes, destroy } = this.options;
    const began = new Date();
    const steps = this.steps.filter(([name]) => destroy || name !== 'destroy');
    const todo = yes
      ? steps
      : steps.slice(
          0,
          steps.findIndex(([name]) => name === 'up'),
        );
    let ok = true;
    for (const step of todo) ok &&= await this.did(step);
    // What only a preview needed.
    if (this.stack.isOver) ok = (await this.did(['stack away', () => this.stack.unmake()])) && ok;
    const rest = steps.slice(todo.length).map(([name]) => name);
    if (ok && !yes) process.stdout.write(`Nothing was deployed. With --yes follow: ${rest.join(', ')}\n`);
    const { stack, report = join(this.project.dir, '.build', `smoke-${basename(stack)}.md`) } = this.options;
    await mkdir(dirname(resolve(report)), { recursive: true });
    const told = { stack, began, steps: this.results, ...(await this.stack.stands()) };
    await writeFile(report, smokeMarkdown(told));
    process.stdout.write(masked(`Report: ${report}\n`));
    return ok ? 0 : 1;
  }

  private async did([step, act]: Step): Promise<boolean> {
    const start = performance.now();
    this.commands.usd = 0;
    let text: string;
    let ok = true;
    try {
      text = await act();
    } catch (error) {
      // Later the report is needed: something stands.
      if (error instanceof UsageError && this.stack.begun === 'nothing') throw error;
      ok = false;
      text = error instanceof LakeError || error instanceof UsageError ? error.message : String(error);
    }
    const result = { step, ok, seconds: (performance.now() - start) / 1000, usd: this.commands.usd, text };
    this.results.push(result);
    process.stdout.write(stepLine(result));
    return ok;
  }

  private pulumi = async (...args: readonly string[]) => changes(await this.commands.pulumi(args));

  private async up(): Promise<string> {
    this.stack.begun = 'up';
    const said = await this.pulumi('up', '--yes', '--skip-preview');
    await this.stack.open(await this.commands.pulumi(['stack', 'output', '--json']));
    return said;
  }

  private async ingest(): Promise<string> {
    this.stack.begun = 'ingest';
    const { dir, keys } = this.sample;
    // No file but the sample's is there, and those a forget rewrites.
    const args = ['ingest', dir, ...this.stack.there, '--replace'];
    const { files } = await this.commands.lake<{ files: number }>(args);
    return `${files} of ${counted(keys.size, 'file')} put in place`;
  }

  private async runJobs(): Promise<string> {
    const { jobs, tables } = await this.commands.lake<StackRunSummary>(['run', ...this.stack.there]);
    if (jobs.length === 0) return 'nothing has changed since the last run';
    for (const { job, seconds } of jobs) await this.pay(job, seconds);
    const missing = this.project.definition.pipeline.jobs.filter(
      ({ name }) => !jobs.some((run) => run.job === name),
    );
    if (missing.length > 0) throw new LakeError(`did not run: ${missing.map(({ name }) => name).join(', ')}`);
    // Athena reads landing files otherwise than a run does: what runs read of them is compared.
    const read = recordsIn(tables);
    const differing = [...this.sample.records].flatMap(([name, records]) =>
      read.get(name) === records
        ? []
        : `${name}: ${counted(read.get(name) ?? 0, 'record')} read, and ${records} by the local engine`,
    );
    if (differing.length > 0) throw new LakeError(differing.join('\n'));
    const written = tables.reduce((rows, table) => rows + (table.job === null ? 0 : table.written), 0);
    return `${counted(jobs.length, 'job')}, ${counted(written, 'row')} published; every record was read, as by the local engine`;
  }

  private async pay(name: string, seconds: number) {
    const job = (await this.stack.settings()).jobs[name];
    if (job) this.commands.usd += jobPrice(job, seconds);
  }

  private compare = (lakes: readonly (readonly string[])[]) => this.held(this.sample.questions(), lakes);

  private async query(): Promise<string> {
    const files = await readdir(this.project.queries);
    return this.held(files.flatMap((file) => /^(.+)\.sql$/.exec(file)?.[1] ?? []).sort(), [this.like]);
  }

  /** Holds the stack's answers to those of local lakes. Throws where they are like those of none. */
  private async held(questions: readonly string[], lakes: readonly (readonly string[])[]): Promise<string> {
    const answers: [string, string[]][] = [];
    for (const question of questions)
      answers.push([question, await this.commands.rows(question, this.stack.there)]);
    const count = answers.reduce((sum, [, rows]) => sum + rows.length, 0);
    let differing: string[] = [];
    for (const lake of lakes) {
      differing = [];
      for (const [question, rows] of answers) {
        const own = await this.commands.rows(question, lake);
        if (withoutKeys(rows) === withoutKeys(own)) continue;
        const [, name = question] = /FROM (\w+)/.exec(question) ?? [];
        differing.push(`${name}: ${counted(rows.length, 'row')}, and ${own.length} of the local engine`);
      }
      this.like = lake;
      if (differing.length === 0)
        return `${counted(answers.length, 'answer')}, ${counted(count, 'row')}, as of the local engine`;
    }
    throw new LakeError(['rows differ from those of the local engine', ...differing].join('\n'));
  }

  private async diff(): Promise<string> {
    const { drift } = await this.commands.lake<{ drift: { path: string }[] }>(['diff', ...this.stack.there]);
    if (drift.length > 0)
      throw new LakeError(`other than the contracts: ${drift.map((d) => d.path).join(', ')}`);
    return 'the catalog is as the contracts say';
  }

  private async forget(): Promise<string> {
    const args = ['forget', '--subject', '-', ...this.stack.there];
    const { places, seconds } = await this.commands.lake<Receipt>(args, this.sample.person);
    await this.pay(FORGET_JOB, seconds);
    const removed = places.reduce((sum, place) => sum + place.removed, 0);
    // The ingest has put the person's lines back, where an earlier test had them removed.
    if (removed === 0) throw new LakeError('nothing was removed of somebody who was there');
    return `${counted(removed, 'row')} and lines of a made-up person, in ${counted(places.length, 'place')}`;
  }

  private async destroy(): Promise<string> {
    const said = await this.pulumi('destroy', '--yes', '--skip-preview');
    return `${said}; ${await this.stack.unmake()}`;
  }
}

/** Pseudonyms differ by each lake's key. */
const withoutKeys = (rows: readonly string[]) =>
  rows
    .map((row) => row.replaceAll(/[0-9a-f]{64}/g, 'KEY'))
    .sort()
    .join('\n');

/** What Pulumi says that it does, or would do, such as `154 to create`. */
const changes = (said: string) =>
  (/^Resources:\n((?: +.*\n?)+)/m.exec(said)?.[1] ?? 'no change').trim().replaceAll(/\s*\n\s*/g, ', ');

const USAGE = 'npm run smoke -- --stack NAME [--yes [--destroy]] [--report FILE]';

async function main(): Promise<number> {
  const flag = { type: 'boolean', default: false } as const;
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ options: { stack: text, yes: flag, destroy: flag, report: text } });
  const { stack = '', yes, destroy, report } = values;
  if (!/^\w[\w.-]*(?:\/\w[\w.-]*){0,2}$/.test(stack)) throw new UsageError(USAGE);
  const project = loadProject(resolve(''));
  return smoke(project, { stack, yes, destroy, ...(report !== undefined && { report }) }, processes(project));
}

if (require.main === module) {
  // The terminal interrupts the command that goes on: its step fails, and the report says what stands.
  process.on('SIGINT', () => {});
  main().then(
    (status) => {
      process.exitCode = status;
    },
    (error: NodeJS.ErrnoException) => {
      const isWrong = error instanceof UsageError || error.code?.startsWith('ERR_PARSE_ARGS');
      const isTold = isWrong || error instanceof LakeError;
      process.stderr.write(masked(`smoke: ${isTold ? error.message : error.stack}\n`));
      process.exitCode = isWrong ? 2 : 1;
    },
  );
}
