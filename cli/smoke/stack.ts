import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type ListObjectsV2CommandOutput, paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { Document, parse, parseDocument } from 'yaml';
import type { Settings } from '../../components/settings';
import { ask } from '../../engines/aws/ask';
import { s3Client } from '../../engines/aws/s3-client';
import { openStack, type Stack } from '../../engines/aws/stack';
import { LakeError, UsageError } from '../../engines/engine';
import type { Project } from '../../engines/project';
import { prefixOf, QUARANTINE_PREFIX, REQUESTS_PREFIX, SUPPRESSED_PREFIX } from '../../model/places';
import { stackSettings } from '../stack-settings';
import { counted } from '../text';
import type { Commands } from './commands';
import { OWN, rowsSql, type Sample } from './sample';

/** In the stack's settings: the text that their file had before a smoke made the stack; empty where there was none. */
const MARK = 'smoke:found';
/** What Pulumi says where there is no such stack. */
const NONE = /no stack named/i;

/** The stack that is tested: whether it may be, and how it comes and goes. */
export class SmokeStack {
  /** The words that name it to `lake`. */
  readonly there: readonly string[];
  private readonly file: string;
  private readonly outputs: string;
  private stack?: Stack;
  /** Whether it was there when this began, and whether this or an earlier smoke made it. */
  private found = true;
  private made = false;
  /** Whether an earlier smoke had the person forgotten. */
  listed = false;
  /** What may have been begun on AWS. */
  begun: 'nothing' | 'up' | 'ingest' = 'nothing';

  constructor(
    private readonly name: string,
    private readonly project: Project,
    private readonly commands: Commands,
    temp: string,
  ) {
    this.file = join(project.dir, `Pulumi.${basename(name)}.yaml`);
    this.outputs = join(temp, 'outputs.json');
    this.there = ['--stack', name, '--outputs', this.outputs];
  }

  settings = (): Promise<Settings> =>
    stackSettings(this.project.definition.pipeline, this.project.dir, basename(this.name));

  /** The rules that its runs follow; nothing where they are those of the definition. */
  async parameters(): Promise<Readonly<Record<string, string>>> {
    return existsSync(this.file) ? (await this.settings()).parameters : {};
  }

  /** Throws a UsageError where the stack may not be tested, or not be destroyed. Nothing is changed. */
  async look(sample: Sample, destroy: boolean): Promise<string> {
    const { status, stdout, stderr } = await this.commands.pulumiRan(['stack', 'output', '--json']);
    this.found = status === 0;
    if (!this.found && !NONE.test(stderr))
      throw new LakeError(`Pulumi cannot be asked for the stack ${this.name}:\n${stderr.trim()}`);
    this.made = !this.found || this.mark() !== undefined;
    if (destroy) await this.failOnKeeping();
    if (!this.found) return 'there is no such stack yet';
    if (Object.keys(JSON.parse(stdout)).length === 0) return 'the stack is there, and not deployed';
    await this.failOnData(await this.open(stdout), sample);
    return `the stack is there, and holds nothing of others${this.listed ? '; an earlier test forgot somebody' : ''}`;
  }

  /** Knows the stack by what Pulumi says of it. */
  async open(outputs: string): Promise<Stack> {
    await writeFile(this.outputs, outputs);
    this.stack = await openStack({ stack: this.name, dir: this.project.dir, outputs: this.outputs });
    return this.stack;
  }

  private async failOnKeeping() {
    if (!this.made)
      throw new UsageError(
        `--destroy is for a stack that this test made, which ${this.name} is not; leave it out`,
      );
    if (!existsSync(this.file)) return;
    const { protect, dataOnDestroy, zones } = await this.settings();
    if (protect || [dataOnDestroy, ...Object.values(zones).map((z) => z.dataOnDestroy)].includes('retain'))
      throw new UsageError(
        `${basename(this.file)} keeps data on destroy; leave out --destroy, or give --stack a name without settings`,
      );
  }

  private async failOnData(stack: Stack, sample: Sample) {
    const refuse = (what: string) => {
      throw new UsageError(
        `the stack ${this.name} holds data of others: ${what}. Nothing was changed; give --stack a name that no stack has`,
      );
    };
    const { sources, jobs } = this.project.definition.pipeline;
    const bucketOf = (zone: string) => stack.outputs.buckets[zone] as string;
    for (const zone of new Set(sources.map((source) => source.zone))) {
      const tables = jobs.flatMap(({ output }) => (output.zone === zone ? prefixOf(output) : []));
      const known = [QUARANTINE_PREFIX, REQUESTS_PREFIX, ...tables];
      const has = { own: false, refused: false };
      for await (const key of this.objects(stack, bucketOf(zone))) {
        has.own ||= sample.keys.has(key);
        has.refused ||= key.startsWith(QUARANTINE_PREFIX);
        if (!sample.keys.has(key) && !known.some((prefix) => key.startsWith(prefix)))
          refuse(`files in the zone ${zone}`);
      }
      if (has.refused && !has.own) refuse(`refused lines in the zone ${zone}`);
    }
    for (const { output } of jobs) {
      if (!(await this.holds(stack, bucketOf(output.zone), prefixOf(output)))) continue;
      const own = await sample.rowsOf(output);
      const rows = await this.commands.rows(rowsSql(output), this.there);
      if (!rows.every((row) => own.has(row))) refuse(`rows in ${output.name}`);
    }
    this.listed = await this.holds(stack, stack.outputs.buckets.artifacts, SUPPRESSED_PREFIX);
  }

  private async holds(stack: Stack, bucket: string, prefix: string): Promise<boolean> {
    return !(await this.objects(stack, bucket, prefix).next()).done;
  }

  /** The keys, as far as they are asked for. */
  private async *objects(stack: Stack, bucket: string, prefix = ''): AsyncGenerator<string, void> {
    const client = s3Client(stack.client);
    const pages = paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix });
    const next = (): Promise<IteratorResult<ListObjectsV2CommandOutput>> => pages.next();
    for (;;) {
      const { done, value } = await ask(stack, 's3:ListBucket', `${bucket}/${prefix}`, next);
      if (done) return;
      for (const { Key = '' } of value.Contents ?? []) yield Key;
    }
  }

  private text = () => (existsSync(this.file) ? readFileSync(this.file, 'utf8') : '');
  private config = () => parse(this.text())?.config ?? {};
  private mark = (): string | undefined => this.config()[MARK];

  /** Makes the stack where it is not there: what a person does by hand the first time. */
  async make(): Promise<string> {
    if (!this.made) return 'its settings stay as they are';
    if (this.mark() === undefined) {
      const text = this.text();
      const settings = text === '' ? this.newSettings() : parseDocument(text);
      settings.setIn(['config', MARK], text);
      await writeFile(this.file, String(settings));
    }
    if (!this.found) await this.commands.pulumi(['stack', 'init', '--no-select']);
    if (this.config()[this.own('pseudonymKey')] === undefined)
      await this.commands.pulumi(
        ['config', 'set', '--secret', 'pseudonymKey'],
        randomBytes(32).toString('hex'),
      );
    return this.found ? 'an earlier test made it' : 'it was made, with a secret of its own';
  }

  private own = (setting: string) =>
    `${parse(readFileSync(join(this.project.dir, 'Pulumi.yaml'), 'utf8')).name}:${setting}`;

  /** Of a stack that goes with all of its data. */
  private newSettings(): Document {
    const { AWS_REGION, AWS_DEFAULT_REGION, AWS_PROFILE } = process.env;
    const region = AWS_REGION ?? AWS_DEFAULT_REGION;
    if (region === undefined)
      throw new UsageError('set AWS_REGION to where the stack is to be, such as us-east-1');
    const zones = this.project.definition.pipeline.zones.map(({ name }) => [
      name,
      { dataOnDestroy: 'delete' },
    ]);
    return new Document({
      config: {
        'aws:region': region,
        ...(AWS_PROFILE !== undefined && { 'aws:profile': AWS_PROFILE }),
        [this.own('protect')]: false,
        [this.own('dataOnDestroy')]: 'delete',
        [this.own('zones')]: Object.fromEntries(zones),
      },
    });
  }

  /** Whether this call made it, and nothing of it may be on AWS. */
  get isOver(): boolean {
    return !this.found && this.begun === 'nothing' && this.mark() !== undefined;
  }

  /** Takes away a stack without resources, and puts the file of its settings back. */
  async unmake(): Promise<string> {
    const text = this.mark();
    const { status, stderr } = await this.commands.pulumiRan(['stack', 'rm', '--yes']);
    if (status !== 0 && !NONE.test(stderr)) throw new LakeError(`the stack cannot be removed:\n${stderr}`);
    if (text) await writeFile(this.file, text);
    else await rm(this.file, { force: true });
    return 'the stack is gone, and its settings are as they were';
  }

  /** What is on AWS, and the commands that remove it. */
  async stands(): Promise<{ readonly stands: readonly string[]; readonly remove: readonly string[] }> {
    const { status, stdout, stderr } = await this.commands.pulumiRan(['stack', 'export']);
    if (NONE.test(stderr)) return { stands: [`Nothing: there is no stack ${this.name}.`], remove: [] };
    const destroy = ['destroy --yes', 'stack rm --yes'].map((what) => `pulumi ${what} --stack ${this.name}`);
    const resources: { type: string }[] =
      status === 0 ? (JSON.parse(stdout).deployment?.resources ?? []) : [];
    const own = resources.filter(({ type }) => !type.startsWith('pulumi:')).length;
    const data = this.begun === 'ingest' || this.listed;
    const files = this.project.definition.pipeline.sources.map(
      (source) =>
        `aws s3 rm --recursive s3://${this.stack?.outputs.buckets[source.zone]}/${prefixOf(source)} --exclude '*' --include '${OWN}*'`,
    );
    const count = status === 0 ? counted(own, 'resource') : 'what it has';
    return {
      stands: [
        `The stack ${this.name}, ${this.made ? 'which this test made' : 'which was there'}, with ${count}; pulumi stack --stack ${this.name} lists it.`,
        ...(data
          ? [
              "The sample's files there, and what runs make of them: rows, refused lines, summaries, receipts.",
            ]
          : []),
        ...(data && !this.made ? ['Its rows go with the next run after its files.'] : []),
      ],
      remove: this.made ? destroy : data ? files : [],
    };
  }
}
