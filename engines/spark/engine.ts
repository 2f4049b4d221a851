import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { Readable } from 'node:stream';
import {
  hasPseudonyms,
  type Job,
  type Manifest,
  type Pipeline,
  runTime,
  tellFaults,
  withoutAddress,
} from '../../model';
import { FORMATS, formatFault } from '../../model/format';
import { manifestOf, PEOPLE } from '../../model/manifest';
import { bindingFaults } from '../check';
import { withDatabase } from '../database';
import {
  type Engine,
  type ErasurePart,
  type ErasureRequest,
  LakeError,
  NOTHING_ERASED,
  type QueryColumn,
  type QueryResult,
  type RunEvent,
  type RunRequest,
  type RunResult,
  type RunSummary,
  type TablePlan,
  type TableState,
  type TableSummary,
  UsageError,
} from '../engine';
import { type Found, findingsOf, valueText } from '../findings';
import { readCode } from '../job-code';
import { stateOf } from '../landing/bytes';
import { dataDir, filesBelow, filesOf, landingDir } from '../landing/files';
import { type Plan, planOf, requirePublished } from '../plan';
import {
  digest,
  digestOfFiles,
  keptTables,
  markOfKey,
  type Provenance,
  type Published,
  planTables,
} from '../provenance';
import { newRunId } from '../run-id';
import { isEmptySql } from '../sql';
import { list, Store } from '../store';
import { readStored, readSummary } from '../stored';
import { QUARANTINE, storedType } from '../types';
import { codeVersion } from '../version';
import { counted, tablesThereAre } from '../words';
import { type Asked, askedOf, description, listOfTables } from './describe';
import { publishedColumns, publishedState } from './metadata';
import { type Answer, type Columns, Runner, type RunnerProcess, type Start } from './runner';

/** The database of a lake's Iceberg catalog. */
const DATABASE = 'lake';
/** Of the driver, as Spark spells it. */
const MEMORY = '4g';

export interface SparkOptions {
  /** Folder of the lake; made where it is missing. Spark's part of it is the folder `spark` in it. */
  readonly lake: string;
  /** Folder of the jobs' code. */
  readonly jobs: string;
  /** Starts what runs the jobs. Default: a process of its own. */
  readonly startRunner?: (start: Start) => RunnerProcess;
  /** Hears what takes seconds beside the jobs. Default: a person's terminal. */
  readonly say?: (text: string) => void;
}

const sayOnTerminal = (text: string) => {
  if (process.stderr.isTTY) process.stderr.write(`lake: ${text}\n`);
};

/** A source as the run found it that read it last. */
interface Read {
  /** The format of `source`; the first said none. */
  readonly version?: number;
  /** What the runner was told of it. */
  readonly source: Manifest['sources'][string];
  readonly runId: string;
  readonly rows: number;
}

type Sources = Readonly<Record<string, Read>>;

/**
 * Runs a pipeline by the runner that Glue runs, on Spark in a process of its own. Each table is published as its
 * own job ends, as on Glue: where a later one fails, those before it stand.
 *
 *     spark/warehouse/lake/<table>     Iceberg tables
 *     spark/quarantine/<table>         what was refused; a folder for each table of the pipeline
 *     spark/sources.json               where the sources were read
 *     spark/runs/<runId>.json          the summary of each run
 *     spark/tmp/                       what Spark spills; a folder for each process that is going on
 *     spark/running                    there while a run goes on, and after one that was killed
 */
export class SparkEngine implements Engine {
  private readonly store: Store;

  constructor(private readonly options: SparkOptions) {
    this.store = new Store(options.lake);
  }

  private start = () =>
    (this.options.startRunner ?? ((start) => new Runner(start)))({
      warehouse: this.uri('warehouse'),
      scratch: this.scratch,
      memory: MEMORY,
      say: this.options.say ?? sayOnTerminal,
    });
  private quarantine = (table: string) => `${this.uri('quarantine', table)}/`;
  private get scratch() {
    return this.path('tmp');
  }
  private path = (...parts: string[]) => join(this.store.root, 'spark', ...parts);
  private uri = (...parts: string[]) => uriOf(this.path(...parts));

  /** Throws as the DuckDB engine does where a run cannot begin. */
  async run(
    pipeline: Pipeline,
    request: RunRequest,
    tell: (event: RunEvent) => void = () => undefined,
  ): Promise<RunResult> {
    const began = performance.now();
    const plan = planOf(pipeline, request);
    const data = request.data === undefined ? undefined : dataDir(request.data);
    const warnings = await this.requireInputs(plan, data);
    let runner: RunnerProcess | undefined;
    const started = () => {
      runner ??= this.start();
      return runner;
    };
    // To start Spark takes seconds.
    const keepsAll = async () =>
      !request.full &&
      !existsSync(this.path('running')) &&
      (await this.planOf(plan, data)).every(({ does }) => does === 'keep');
    const mayKeep = await keepsAll();
    try {
      if (!mayKeep) {
        started();
        const faults = await withDatabase((db) => bindingFaults(db, plan.jobs, this.options.jobs));
        if (faults.length > 0) throw new LakeError(tellFaults(faults));
      }
      const isWhole = request.only === undefined && data !== undefined;
      const result = await this.store.hold(() =>
        this.store.endingForgets(
          'spark',
          isWhole,
          () => this.finishForgetting(started(), pipeline),
          async () =>
            mayKeep && (await keepsAll())
              ? this.keep(plan, began, tell)
              : this.runBy(started(), pipeline, { plan, data, full: request.full ?? false, began }, tell),
        ),
      );
      return { ...result, warnings };
    } finally {
      await runner?.stop();
    }
  }

  /** What a run would do with the table of each job, and why. Nothing is made. Throws as a run does. */
  async plan(pipeline: Pipeline, request: RunRequest): Promise<TablePlan[]> {
    const plan = planOf(pipeline, request);
    const data = request.data === undefined ? undefined : dataDir(request.data);
    await this.requireInputs(plan, data);
    if (request.full) return plan.jobs.map(({ name }) => ({ table: name, does: 'make', why: ['--full'] }));
    return this.planOf(plan, data);
  }

  private async planOf({ jobs, values }: Plan, data: string | undefined): Promise<TablePlan[]> {
    const read = await this.sources();
    return planTables(jobs, await this.published(), values[runTime.name], async (job, before) => {
      const manifest = this.manifestOf(job, data, read);
      const files = Object.entries(manifest.sources).map(async ([name, { location }]) => {
        const dir = location.replace(/^file:/, '');
        const states = (await filesBelow(dir)).map((path) => [relative(dir, path), stateOf(path)] as const);
        return [name, digestOfFiles(states)] as const;
      });
      return {
        version: codeVersion(),
        contracts: digest(JSON.stringify(manifest)),
        code: digest(await readCode(this.options.jobs, job)),
        values,
        files: Object.fromEntries(await Promise.all(files)),
        ...(manifest.suppressed !== undefined && { forgotten: await this.digestOfForgotten() }),
        // What was never made makes no key.
        ...(hasPseudonyms(job.output) && { key: before ? markOfKey(await this.store.pseudonymKey()) : '' }),
      };
    });
  }

  private async digestOfForgotten(): Promise<string> {
    const file = this.store.suppressedFile;
    return existsSync(file) ? digest(await readFile(file, 'utf8')) : '';
  }

  /** A run that leaves every table as it is. */
  private async keep({ sources, jobs, parameters }: Plan, began: number, tell: (event: RunEvent) => void) {
    const kept = keptTables(jobs, await this.published());
    const tables = [...sources, ...jobs].flatMap(({ name }) => kept.get(name) ?? []);
    for (const summary of tables) {
      tell({ kind: 'start', table: summary.table });
      tell({ kind: 'done', summary });
    }
    const summary = summaryOf({ runId: newRunId(), parameters, began, tables, failures: [] });
    await this.replace(this.summaryFile(summary.runId), summary);
    return { summary, findings: [], failures: [] };
  }

  /** Throws a LakeError where a job has nothing to read: before Spark is started, or a folder made. Returns warnings. */
  private async requireInputs(plan: Plan, data: string | undefined): Promise<readonly string[]> {
    const warnings = data === undefined ? [] : (await filesOf(data, plan.sources)).warnings;
    const read = await this.sources();
    for (const job of plan.jobs) this.manifestOf(job, data, read);
    requirePublished(
      plan,
      (await this.tables()).map(({ table }) => table),
    );
    return warnings;
  }

  private async runBy(
    runner: RunnerProcess,
    pipeline: Pipeline,
    { plan, data, full, began }: { plan: Plan; data: string | undefined; full: boolean; began: number },
    tell: (event: RunEvent) => void,
  ): Promise<Omit<RunResult, 'warnings'>> {
    const runId = newRunId();
    const read = await this.sources();
    const jobs = await Promise.all(
      plan.jobs.map(async (job) => ({
        manifest: this.manifestOf(job, data, read),
        code: await readCode(this.options.jobs, job),
        parameters: Object.fromEntries(job.parameters.map(({ name }) => [name, plan.values[name]])),
      })),
    );
    const sweep = existsSync(this.path('running'));
    await mkdir(this.path('runs'), { recursive: true });
    for (const table of pipeline.tables.keys()) {
      await mkdir(this.path('quarantine', table), { recursive: true });
    }
    await writeFile(this.path('running'), runId);
    const { tables, failed, findings, failures } = await this.ask(
      runner,
      {
        runId,
        sweep,
        full,
        jobs: jobs.map((job) => ({ ...job, manifest: JSON.stringify(job.manifest) })),
        scratch: this.scratch,
      },
      tell,
    );
    const summary = summaryOf({
      runId,
      parameters: plan.parameters,
      began,
      tables: [...plan.sources, ...plan.jobs].flatMap(({ name }) => tables.get(name) ?? []),
      failures,
    });
    await this.replace(this.summaryFile(runId), summary);
    await this.replace(this.path('sources.json'), { ...read, ...readNow(runId, jobs, tables, failed) });
    await rm(this.path('running'));
    return { summary, findings: findingsOf(pipeline, findings), failures };
  }

  /** Has the runner run jobs, and gathers what it tells of them. */
  private async ask(
    runner: RunnerProcess,
    request: Readonly<Record<string, unknown>>,
    tell: (event: RunEvent) => void,
  ): Promise<{
    readonly tables: ReadonlyMap<string, TableSummary>;
    readonly failed: ReadonlySet<string>;
    readonly findings: readonly Found[];
    readonly failures: readonly string[];
  }> {
    const tables = new Map<string, TableSummary>();
    const failed = new Set<string>();
    const findings: Found[] = [];
    const failures: string[] = [];
    const pseudonymKey = (await this.store.pseudonymKey()).toString('hex');
    const whole = { ...request, database: DATABASE, kind: 'run', pseudonymKey, codeVersion: codeVersion() };
    for await (const answer of runner.ask(whole)) {
      switch (answer.kind) {
        case 'ended':
          findings.push(...answer.findings);
          failures.push(...answer.failures);
          break;
        case 'done':
          // A source that several jobs read is told once.
          if (tables.has(answer.summary.table)) break;
          tables.set(answer.summary.table, answer.summary);
          tell(answer);
          break;
        case 'failed':
          failed.add(answer.table);
          tell(answer);
          break;
        case 'start':
        case 'skipped':
          tell(answer);
      }
    }
    return { tables, failed, findings, failures };
  }

  private manifestOf(job: Job, data: string | undefined, read: Sources): Manifest {
    return manifestOf(job, {
      database: DATABASE,
      location: (source) => {
        if (data !== undefined) return folderUri(landingDir(data, source));
        const before = read[source.name]?.source.location;
        if (before !== undefined) return before;
        throw new LakeError(
          `${source.name} was never read in this lake; give --data, the folder with ${source.entity}/landing/`,
        );
      },
      quarantine: ({ name }) => this.quarantine(name),
      suppressed: uriOf(this.store.suppressedFile),
      runs: this.uri('runs'),
      metricsNamespace: 'Lakehouse/local',
    });
  }

  private async sources(): Promise<Sources> {
    const file = this.path('sources.json');
    const damaged = 'does not say where the sources were read; remove it and run with --data';
    const read = await readStored<Sources>(file, 1, damaged, (all) =>
      Object.values(all).every(
        ({ source, runId, rows }) =>
          typeof source.location === 'string' &&
          typeof source.columns === 'object' &&
          typeof runId === 'string' &&
          typeof rows === 'number',
      ),
    );
    const version = Math.max(1, ...Object.values(read ?? {}).map((one) => one.version ?? 1));
    const fault = version > FORMATS.manifest && formatFault(file, { version }, FORMATS.manifest);
    if (fault) throw new LakeError(fault);
    return read ?? {};
  }

  /** How the sources are read. Throws a LakeError where an older version read one and none has since. */
  private async readings(): Promise<Readonly<Record<string, Read['source']>>> {
    const read = Object.entries(await this.sources());
    for (const [name, { version, source }] of read) {
      if (version === FORMATS.manifest) continue;
      throw new LakeError(
        // Without --data, a run would read a sample.
        `${this.path('sources.json')} says how ${name} is read in format ${version ?? 1}, and this version reads ${FORMATS.manifest}; read it again: npx lake run --engine spark --data ${source.location.replace(/^file:/, '').replace(/[^/]+\/landing\/$/, '')}`,
      );
    }
    // What was read is not checked again, and an older version's checks say less.
    return Object.fromEntries(read.map(([name, { source }]) => [name, { ...source, audit: [] }]));
  }

  private async replace(path: string, content: unknown): Promise<void> {
    await writeFile(`${path}.tmp`, `${JSON.stringify(content, null, 2)}\n`);
    await rename(`${path}.tmp`, path);
  }

  async query(sql: string): Promise<QueryResult> {
    let runner: RunnerProcess | undefined;
    const stop = async () => runner?.stop();
    try {
      const { columns, rows } = await this.queryBy(() => (runner ??= this.start()), sql);
      return { columns, rows: closing(rows, stop) };
    } catch (error) {
      await stop();
      throw error;
    }
  }

  async queries<T>(work: (query: Engine['query']) => Promise<T>): Promise<T> {
    let runner: RunnerProcess | undefined;
    // It answers one after the other.
    let before: Promise<unknown> = Promise.resolve();
    const query = (sql: string) => {
      const answer = before.then(async () => {
        const { columns, rows } = await this.queryBy(() => (runner ??= this.start()), sql);
        const all: (readonly (readonly (string | null)[])[])[] = [];
        for await (const chunk of rows) all.push(chunk);
        return { columns, rows: Readable.from(all) };
      });
      before = answer.catch(() => undefined);
      return answer;
    };
    try {
      return await work(query);
    } finally {
      await runner?.stop();
    }
  }

  private async queryBy(runner: () => RunnerProcess, sql: string): Promise<QueryResult> {
    if (isEmptySql(sql)) throw new UsageError('the query is empty; give one SELECT');
    const published = (await this.tables()).map(({ table }) => table);
    const tried = await list(this.path('quarantine'));
    const refusing = [...new Set([...published, ...tried])];
    // What a run refused can be asked for, also where it published nothing.
    if (published.length === 0 && !(await this.hasRefused(tried))) {
      throw new LakeError(
        `Spark has published no table in ${this.store.root}; npx lake run --engine spark makes them`,
      );
    }
    const thereAre = tablesThereAre(published, refusing);
    const asked = askedOf(sql);
    if (asked) return this.tell(asked, published, refusing, thereAre);
    const quarantines = refusing.map((table) => [table, this.quarantine(table)]);
    const request = {
      database: DATABASE,
      kind: 'query',
      sources: await this.readings(),
      quarantines: Object.fromEntries(quarantines),
      thereAre,
      suppressed: uriOf(this.store.suppressedFile),
      pseudonymKey: (await this.store.pseudonymKey()).toString('hex'),
      sql,
    };
    const answers = runner().ask(request);
    const first = await answers.next();
    if (first.done || first.value.kind !== 'columns') throw new LakeError('Spark gave no answer');
    return { columns: columnsOf(first.value.columns), rows: rowsAsText(answers) };
  }

  private async hasRefused(tables: readonly string[]): Promise<boolean> {
    const folders = await Promise.all(tables.map((table) => list(this.path('quarantine', table))));
    return folders.some((names) => names.length > 0);
  }

  /** Answers as DuckDB does, from Iceberg's own files: to start Spark for it would take seconds. */
  private async tell(
    asked: Asked,
    published: readonly string[],
    refusing: readonly string[],
    thereAre: string,
  ): Promise<QueryResult> {
    if (asked === 'tables')
      return listOfTables([...published, ...refusing.map((table) => `${table}_quarantine`)]);
    const is = (name: string) => name.toLowerCase() === asked.describe.toLowerCase();
    if (refusing.some((table) => is(`${table}_quarantine`))) return description(QUARANTINE);
    const table = published.find(is);
    if (table === undefined) throw new LakeError(`table ${asked.describe} does not exist; ${thereAre}`);
    const source = (await this.readings())[table];
    return description(source ? storedAs(source.columns) : await publishedColumns(this.metadata(table)));
  }

  private metadata = (table: string) => this.path('warehouse', DATABASE, table, 'metadata');

  /**
   * Forgets a person in Spark's part of the lake, which the caller holds: the list keeps them out, and every table is made
   * again. Landing files stay as they are.
   */
  async forget(pipeline: Pipeline, request: ErasureRequest): Promise<ErasurePart> {
    if (!existsSync(this.path())) return NOTHING_ERASED;
    const runner = this.start();
    try {
      return await this.forgetBy(runner, pipeline, request);
    } finally {
      await runner.stop();
    }
  }

  private async forgetBy(
    runner: RunnerProcess,
    pipeline: Pipeline,
    { subject, dryRun, key }: Omit<ErasureRequest, 'subject'> & { readonly subject: string | null },
  ): Promise<ErasurePart> {
    const started = performance.now();
    const read = await this.sources();
    const published = new Map((await this.tables()).map(({ table, runId }) => [table, runId]));
    const made = pipeline.jobs.filter(({ name }) => published.has(name));
    const jobs = await Promise.all(
      made.map(async (job) => ({
        manifest: JSON.stringify(this.manifestOf(job, undefined, read)),
        code: await readCode(this.options.jobs, job),
        parameters: defaultsOf(job),
      })),
    );
    const request = {
      kind: 'forget',
      runId: newRunId(),
      database: DATABASE,
      scratch: this.scratch,
      jobs,
      people: PEOPLE,
      suppressed: uriOf(this.store.suppressedFile),
      subject,
      dryRun,
      pseudonymKey: key.toString('hex'),
    };
    let part: ErasurePart | undefined;
    for await (const answer of runner.ask(request)) {
      if (answer.kind !== 'forgotten') continue;
      const { rows } = answer;
      part = { ...answer.part, warnings: [...answer.part.warnings, ...fewerRows(read, answer)] };
      const now = Object.entries(read).map(([name, one]) => [name, { ...one, rows: rows[name] ?? one.rows }]);
      if (!dryRun && now.length > 0) await this.replace(this.path('sources.json'), Object.fromEntries(now));
    }
    if (part === undefined) throw new LakeError('Spark gave no answer');
    if (!dryRun) await this.removeRefused(made);
    let seconds = (performance.now() - started) / 1000;
    if (dryRun) {
      const runs = await Promise.all(
        [...new Set(published.values())].map((runId) => readSummary(this.summaryFile(runId))),
      );
      seconds = runs.reduce((total, run) => total + (run?.seconds ?? 0), 0);
    }
    return { ...part, seconds };
  }

  /** Removes what was refused of tables that no job makes again: of failed runs, and of an older definition. */
  private async removeRefused(made: readonly Job[]): Promise<void> {
    const kept = new Set(made.flatMap(({ output, inputs }) => [output, ...inputs]).map(({ name }) => name));
    for (const name of await list(this.path('quarantine'))) {
      if (!kept.has(name)) await rm(this.path('quarantine', name), { recursive: true });
    }
  }

  /** Does Spark's part of forgets that were cut off, on a lake that is held. */
  private async finishForgetting(runner: RunnerProcess, pipeline: Pipeline): Promise<void> {
    await this.forgetBy(runner, pipeline, {
      subject: null,
      dryRun: false,
      key: await this.store.pseudonymKey(),
    });
  }

  summaryFile(runId: string): string {
    return this.path('runs', `${runId}.json`);
  }

  async tables(): Promise<readonly TableState[]> {
    const read = await this.sources();
    const published = await this.published();
    // The newest run that read a source says which files there were.
    const files: Record<string, string> = {};
    const runs = [...published.values()].flatMap(({ provenance }) => provenance ?? []);
    for (const { of } of runs.toSorted((a, b) => (a.run < b.run ? -1 : 1))) Object.assign(files, of);
    // What a run read that published nothing says nothing of what is there.
    const didPublish = (id: string | undefined) => runs.some(({ run }) => run === id);
    const ofInputs = ({ of, run }: Provenance) =>
      Object.entries(of).flatMap(([what, id]) => {
        const [kind, name = ''] = what.split(' ');
        if (kind === 'table') return [[name, id]];
        const newest = read[name]?.runId;
        return kind === 'files' ? [[name, files[what] === id && didPublish(newest) ? newest : run]] : [];
      });
    return [
      ...Object.entries(read).map(([table, { rows, runId }]): TableState => ({ table, rows, runId })),
      ...Array.from(published, ([table, { rows, runId, provenance }]) => ({
        table,
        rows,
        runId,
        ...(provenance && { of: Object.fromEntries(ofInputs(provenance)) }),
      })),
    ];
  }

  /** Read from Iceberg's own files: to start Spark for it would take seconds. */
  private async published(): Promise<ReadonlyMap<string, Published>> {
    const found = new Map<string, Published>();
    for (const table of await list(this.path('warehouse', DATABASE))) {
      // Made in place of one with other columns, and not published.
      if (table.endsWith('__next')) continue;
      const state = await publishedState(this.metadata(table));
      if (state) found.set(table, state);
    }
    return found;
  }
}

/** Sources whose files hold less than when they were read last, though more went than the forgotten. */
const fewerRows = (
  read: Sources,
  { rows, part }: { readonly rows: Readonly<Record<string, number>>; readonly part: ErasurePart },
) =>
  Object.entries(read).flatMap(([name, { rows: before, source }]) => {
    const removed = part.places.find(({ table, kind }) => table === name && kind === 'files')?.removed ?? 0;
    const missing = before - removed - (rows[name] ?? before);
    return missing > 0
      ? [
          `${name}: ${counted(missing, 'row')} of others that were read last are in no file of ${source.location.replace(/^file:/, '')} now, and in no table; put the files back and run again`,
        ]
      : [];
  });

const summaryOf = ({
  runId,
  parameters,
  began,
  tables,
  failures,
}: Pick<RunSummary, 'runId' | 'parameters' | 'tables'> & {
  readonly began: number;
  readonly failures: readonly string[];
}): RunSummary => ({
  version: FORMATS.summary,
  runId,
  outcome: failures.length === 0 ? 'published' : 'failed',
  codeVersion: codeVersion(),
  parameters,
  seconds: +((performance.now() - began) / 1000).toFixed(3),
  tables,
  ...(failures.length > 0 && { failures: failures.map(withoutAddress) }),
});

/** For tables that do not say with which values they were made. */
const defaultsOf = ({ parameters }: Job) =>
  Object.fromEntries(parameters.filter((p) => p !== runTime).map((p) => [p.name, p.default]));

/** What is published of the sources from now on. Of one that failed stays what was published before. */
const readNow = (
  runId: string,
  jobs: readonly { readonly manifest: Manifest }[],
  tables: ReadonlyMap<string, TableSummary>,
  failed: ReadonlySet<string>,
): Sources =>
  Object.fromEntries(
    jobs.flatMap(({ manifest }) =>
      Object.entries(manifest.sources).flatMap(([name, source]) => {
        const { written: rows, unchanged } = tables.get(name) ?? {};
        return rows === undefined || unchanged || failed.has(name)
          ? []
          : [[name, { version: FORMATS.manifest, source, runId, rows }]];
      }),
    ),
  );

const storedAs = (columns: Manifest['sources'][string]['columns']) =>
  Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, storedType(column)]));

const NUMBERS = /^(?:tinyint|smallint|int|bigint|float|double|decimal)/;

const columnsOf = (columns: Columns): QueryColumn[] =>
  columns.map(([name, type]) => ({ name, type: columnType(type) }));

function columnType(type: string): QueryColumn['type'] {
  if (NUMBERS.test(type)) return 'number';
  if (type.startsWith('timestamp')) return 'instant';
  if (type === 'date' || type === 'boolean') return type;
  return type === 'string' ? 'text' : 'other';
}

async function* rowsAsText(answers: AsyncIterable<Answer>) {
  for await (const answer of answers)
    if (answer.kind === 'rows') yield answer.rows.map((row) => row.map(valueText));
}

async function* closing<T>(all: AsyncIterable<T>, close: () => Promise<void>) {
  try {
    yield* all;
  } finally {
    await close();
  }
}

/** As Hadoop spells it, which takes a percent sign for one. */
const uriOf = (path: string) => `file:${path}`;
const folderUri = (dir: string) => `${uriOf(dir)}/`;
