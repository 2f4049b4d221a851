import { basename, relative } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import {
  auditOf,
  type Check,
  DELIVERED_ONCE,
  type Expectation,
  expectationsOf,
  incrementsOf,
  isByDay,
  type Job,
  type Pipeline,
  runTime,
  SAMPLES,
  type SourceTable,
  soughtIn,
  type Table,
  withoutAddress,
} from '../../model';
import { FORMATS } from '../../model/format';
import { OWN_COLUMNS, parquetIn, requireReadable, rowsOf, tellError } from '../database';
import type { ExpectationResult, RunEvent, RunResult, RunSummary, TableSummary } from '../engine';
import { LakeError } from '../engine';
import { type Found, failureOf, findingsOf, samplesOf } from '../findings';
import { findIn, readyList, readyRows } from '../forgotten';
import { codeFile, readCode } from '../job-code';
import { type Delivery, deliveriesOf, isIdle, isOf, sumOf } from '../landing/batches';
import { copiesAmong } from '../landing/copies';
import { filesOf, type LandingFolders, landingDir } from '../landing/files';
import { type Landed, SourceReader } from '../landing/reader';
import { type Plan, requirePublished } from '../plan';
import { quoteName, quoteString, withParameters } from '../sql';
import type { Pointer, Store, Version } from '../store';
import { readSummary } from '../stored';
import type { Suppression } from '../suppression';
import { QUARANTINE_COLUMNS } from '../types';
import { codeVersion } from '../version';
import { type Causes, causesOf, hashOfSql, howMade, isCaused } from './causes';
import {
  type Before,
  type Change,
  type Counted,
  PASSED,
  type Said,
  type Sides,
  saidNow,
  sidesOf,
  type Versions,
} from './difference';
import { makePart, noteFiles, unmatchedIn } from './increment';
import { filesOfRows, listKeys } from './keys';
import { keptRows, land, landWithout, readableVersion } from './landing';
import { hiddenQuery, readyOutput, rewriteTable, writeTable } from './output';
import { textsOf } from './query';
import { openTable } from './tables';

const NO_FILES: LandingFolders = { files: new Map(), warnings: [] };

type Made = Omit<TableSummary, 'table' | 'job' | 'seconds'>;

/**
 * One run on a lake that is held for it: reads the sources, runs the jobs, audits every table where no reader
 * looks, and then publishes all of them in one step, or nothing.
 */
export class Run {
  private readonly started = performance.now();
  private readonly summaries = new Map<string, TableSummary>();
  /** How many rows the tables have that jobs may read. */
  private readonly rows = new Map<string, number>();
  private readonly found: Found[] = [];
  private readonly failures: string[] = [];
  private readonly warnings: string[] = [];
  /** Hashes of how each job makes its table. */
  private readonly makings = new Map<string, Pick<Version, 'sql' | 'how'>>();
  /** Tables that could not be made or may not be published: no job reads them. */
  private readonly failed = new Set<string>();
  private pointer: Pointer = { runId: '', tables: {} };
  /** The versions that stay, as nothing has changed for them. */
  private readonly kept = new Map<string, Version>();
  /** Which run made the rows that a table has now. */
  private readonly rowsOf = new Map<string, string>();
  /** What of its rows is other, of each table that is kept or made. */
  private readonly changes = new Map<string, Change>();
  /** The sources whose contract and expectations are those that they were read and asked by. */
  private readonly readAsBefore = new Set<string>();
  /** The sources of which an expectation was asked. */
  private readonly audited = new Set<string>();
  /** Summaries of runs before by their files: one tells of many tables, each of which is asked for several times. */
  private readonly read = new Map<string, ReturnType<typeof readSummary>>();
  /** Where the rows are that SQL reads by a table's name. */
  private readonly dirs = new Map<string, string>();

  constructor(
    private readonly store: Store,
    private readonly db: DuckDBConnection,
    private readonly runId: string,
    private readonly jobsDir: string,
    private readonly pipeline: Pipeline,
    private readonly plan: Plan,
    private readonly tell: (event: RunEvent) => void,
    private readonly how: {
      /**
       * Who was forgotten, where tables are made again without them: from the rows that the lake has of its sources, which
       * stay right where files were changed since or are gone. What others' rows break only warns then.
       */
      readonly forgetting?: { readonly list: Suppression; readonly subject?: string | undefined };
      /** Whether what nothing has changed for stays as it is. Default: everything is made. */
      readonly keeps?: boolean;
      /** See {@link RunRequest.verbose}. */
      readonly verbose?: boolean | undefined;
    },
  ) {}

  /** Throws a LakeError where a source has no file or a table that is read was never published. */
  async go(data: string | undefined): Promise<RunResult> {
    this.pointer = await this.store.pointer();
    const folders = data === undefined ? NO_FILES : await filesOf(data, this.plan.sources);
    const { files, warnings } = folders;
    this.warnings.push(...warnings);
    const others = this.plan.jobs.filter((job) => this.restated(job).length === 0).map(({ name }) => name);
    if (this.plan.days && others.length > 0)
      this.warnings.push(
        `not made by day, and not made again for these days: ${others.join(', ')}; --full makes all`,
      );
    await this.openPublished();
    const deliveries = await this.deliveries(data, folders);
    for (const source of this.plan.sources) {
      await this.make(source, null, () =>
        this.how.forgetting
          ? this.landAgain(source, this.pointer.tables[source.name] as Version, this.how.forgetting)
          : this.land(
              source,
              data as string,
              files.get(source.name) ?? [],
              deliveries.get(source.name) as Delivery,
            ),
      );
    }
    if (this.how.keeps) await this.findAgain();
    for (const source of this.plan.sources) await this.auditSource(source);
    for (const job of this.plan.jobs) {
      if (job.inputs.some((input) => this.failed.has(input.name))) this.skip(job);
      else await this.make(job.output, job, () => this.transform(job));
    }
    return this.end();
  }

  private async openPublished() {
    const { pointer } = this;
    requirePublished(this.plan, Object.keys(pointer.tables));
    const published = this.store
      .publishedTables(pointer)
      .filter(({ table }) => this.plan.published.includes(table));
    await requireReadable(this.db, published);
    for (const { table, dir, rows } of published) {
      this.rows.set(table, rows);
      this.rowsOf.set(table, (pointer.tables[table] as Version).runId);
      await this.open(this.pipeline.tables.get(table) as Table, dir);
    }
  }

  /** Lets the SQL that follows read a table by its name. */
  private async open(table: Table, dir: string) {
    this.dirs.set(table.name, dir);
    await openTable(this.db, table, dir);
  }

  private async make(table: Table, job: Job | null, work: () => Promise<Made>) {
    this.tell({ kind: 'start', table: table.name });
    const started = performance.now();
    try {
      const made = await work();
      this.summarise({ table: table.name, job: job?.name ?? null, ...made, seconds: secondsSince(started) });
      if (!this.kept.has(table.name)) this.rowsOf.set(table.name, await this.whoseRows(table, made));
    } catch (error) {
      const what = job ? `${codeFile(this.jobsDir, job)} failed` : 'it could not be read';
      const { code, path } = error as NodeJS.ErrnoException;
      if (error instanceof LakeError) this.fail(table, error.message);
      else this.fail(table, `${what}: ${code && path ? `${code} at ${path}` : tellError(error)}`);
    }
  }

  private summarise(summary: TableSummary) {
    this.summaries.set(summary.table, summary);
    this.rows.set(summary.table, summary.written);
    this.tell({ kind: 'done', summary });
  }

  private fail(table: Table, message: string) {
    this.failed.add(table.name);
    this.failures.push(`${table.name}: ${message}`);
    this.tell({ kind: 'failed', table: table.name });
  }

  /** What an expectation says against a table; it is no reason to keep somebody who was forgotten. */
  private refuse(table: Table, message: string) {
    if (this.how.forgetting) this.warnings.push(`${table.name}: ${message}`);
    else this.fail(table, message);
  }

  private skip(job: Job) {
    this.failed.add(job.name);
    this.tell({ kind: 'skipped', table: job.name });
  }

  /** The run that made the rows: the one before where they are what they were, so that nothing follows from them. */
  private async whoseRows(table: Table, made: Made): Promise<string> {
    const change = this.changes.get(table.name) ?? (await this.changeOf(table, made));
    this.changes.set(table.name, change);
    return change.is === 'same' ? (this.pointer.tables[table.name] as Version).runId : this.runId;
  }

  /** Of a table that was made whole. */
  private async changeOf(table: Table, { written, quarantined }: Made): Promise<Change> {
    const before = this.pointer.tables[table.name];
    // What is moved out may be other rows.
    const mayBeSame =
      this.how.keeps && before?.rows === written && (table.format !== 'iceberg' || quarantined === 0);
    if (!mayBeSame) return { is: 'other' };
    const dirs = [this.store.publishedDir(table.name, before), this.store.tableDir(this.runId, table.name)];
    const sums = await rowsOf<{ same: boolean }>(
      this.db,
      `SELECT count(DISTINCT sum) = 1 AS same FROM (${dirs.map((dir) => rowsSum(dir)).join(' UNION ALL ')})`,
    ).catch(() => []);
    return { is: sums[0]?.same ? 'same' : 'other' };
  }

  /**
   * Where somebody was forgotten, notes what rows that were not read again say of devices: only by them is it known
   * whether what a new file says of a device of theirs points to nobody else.
   */
  private async findAgain() {
    const list = await this.store.suppression();
    const sources = this.plan.sources.filter(({ name }) => !this.failed.has(name));
    if (list.isEmpty || sources.every(({ name }) => this.kept.has(name))) return;
    await readyList(this.db, list);
    for (const source of sources) {
      const version = this.kept.get(source.name) ?? { runId: this.runId, rows: 0 };
      await readyRows(this.db, source, parquetIn(this.store.publishedDir(source.name, version)));
      await findIn(this.db, source);
    }
  }

  /** What may stay of a table: not what was published only as somebody was forgotten, though an expectation failed. */
  private async versionBefore(table: Table) {
    if (!this.how.keeps) return undefined;
    const version = await readableVersion(this.db, this.store, this.pointer, table.name);
    const said = version && (await this.saidOf(table, version));
    return said?.expectations.some((e) => e.severity === 'fail' && e.failed > 0) ? undefined : version;
  }

  /** Leaves a table as it is published. Returns what was said of it. */
  private async keep(table: Table, version: Version): Promise<Made & Pick<TableSummary, 'unchanged'>> {
    await this.open(table, this.store.publishedDir(table.name, version));
    this.kept.set(table.name, version);
    this.changes.set(table.name, { is: 'same' });
    this.rowsOf.set(table.name, version.runId);
    const { rows } = version;
    const nothing: Made = {
      read: rows,
      written: rows,
      quarantined: 0,
      filtered: 0,
      reasons: {},
      expectations: [],
    };
    const { part: _, ...said }: Made = (await this.saidOf(table, version)) ?? nothing;
    return { ...said, written: rows, unchanged: true };
  }

  /** What was said of a table when it was made last. */
  private async saidOf({ name }: Table, { folder, runId, madeBy = folder ?? runId }: Version) {
    const file = this.store.summaryFile(madeBy);
    const read = this.read.get(file) ?? readSummary(file);
    this.read.set(file, read);
    return (await read)?.tables.find(({ table }) => table === name);
  }

  private async deliveries(data: string | undefined, { files }: LandingFolders) {
    if (this.how.forgetting || data === undefined) return new Map<string, Delivery>();
    return deliveriesOf(
      this.plan.sources,
      data,
      files,
      await this.store.suppression(),
      async (source) =>
        this.how.keeps || source.onMissing === 'keep'
          ? keptRows(this.db, this.store, this.pointer, source)
          : undefined,
      !this.how.keeps,
    );
  }

  private async land(
    table: SourceTable,
    data: string,
    files: readonly string[],
    delivery: Delivery,
  ): Promise<Made> {
    const dir = this.store.tableDir(this.runId, table.name);
    const landing = landingDir(data, table);
    const version = this.pointer.tables[table.name];
    if (delivery.whole === undefined) this.readAsBefore.add(table.name);
    if (version && this.how.keeps && isIdle(delivery)) {
      const kept = { ...(await this.keep(table, version)), ...recordsOf(sumOf(delivery.kept)) };
      if (delivery.archived.length === 0) return kept;
      // Of two files that were the same, one may be gone.
      const expectations = kept.expectations.filter(({ name }) => name !== DELIVERED_ONCE.name);
      return { ...kept, expectations: [...expectations, await this.findCopies(table, landing, files)] };
    }
    const landed = await land(this.db, table, delivery, {
      landing,
      table: dir,
      quarantine: this.store.quarantineFile(this.runId, table.name),
      forgotten: await this.store.suppression(),
    });
    await this.open(table, dir);
    const othersIn = async (folder: string) =>
      (await filesOfRows(folder)).filter((file) => !isOf(delivery.kept, basename(file)));
    const come = await othersIn(dir);
    await listKeys(this.db, table, this.soughtIn(table), come);
    if (delivery.before !== undefined) {
      const change = await noteFiles(this.db, table, await othersIn(delivery.before), come);
      this.changes.set(table.name, change);
    }
    if (landed.failure !== null) this.fail(table, landed.failure);
    return { ...recordsOf(landed), expectations: [await this.findCopies(table, landing, files)] };
  }

  /** Writes what the lake has of a source without what is of people who were forgotten. */
  private async landAgain(
    table: SourceTable,
    version: Version,
    { list, subject }: NonNullable<Run['how']['forgetting']>,
  ): Promise<Made> {
    const { db, store, runId } = this;
    const dir = store.tableDir(runId, table.name);
    await readyList(db, list, subject);
    const { accepted, reasons, gone } = await landWithout(
      db,
      table,
      {
        table: store.publishedDir(table.name, version),
        quarantine: store.publishedQuarantine(table.name, version),
      },
      { table: dir, quarantine: store.quarantineFile(runId, table.name) },
    );
    await this.open(table, dir);
    const quarantined = Object.values(reasons).reduce((total, n) => total + n, 0);
    return {
      read: version.rows + quarantined + gone,
      quarantined,
      filtered: version.rows - accepted + gone,
      written: accepted,
      reasons,
      expectations: [],
    };
  }

  /** Counts the records of files that are the same as another one: they were delivered twice. */
  private async findCopies(table: SourceTable, landing: string, files: readonly string[]) {
    const copies = await copiesAmong(files);
    const again = copies.map(({ file }) => file);
    const { name, severity } = DELIVERED_ONCE;
    const failed = copies.length > 0 ? (await new SourceReader(this.db, table, landing).read(again)).read : 0;
    if (failed > 0) {
      const shown = (path: string) => withoutAddress(relative(landing, path));
      const samples = copies.map(({ file, sameAs }) => ({ file: shown(file), same_as: shown(sameAs) }));
      samples.sort((a, b) => (a.file < b.file ? -1 : 1)).splice(SAMPLES);
      this.found.push({ table: table.name, expectation: name, severity, failed, affected: null, samples });
    }
    return { name, severity, failed };
  }

  /** A source's expectations may read other sources, so they wait until all are read. */
  private async auditSource(table: SourceTable) {
    const summary = this.summaries.get(table.name);
    if (!summary || table.expectations.length === 0) return;
    const isKept = (name: string) => this.kept.has(name) || !this.summaries.has(name);
    const isAsBefore = this.isHeldTo(table) && table.expectations.every(({ reads }) => reads.every(isKept));
    if (isKept(table.name) && isAsBefore) return;
    this.audited.add(table.name);
    const started = performance.now();
    const { expectations } = await this.audit(table, null, true, undefined, await this.knownOf(table));
    const seconds = summary.seconds + secondsSince(started);
    this.summaries.set(table.name, {
      ...summary,
      expectations: [
        ...expectations,
        ...summary.expectations.filter(({ name }) => name === DELIVERED_ONCE.name),
      ],
      seconds: +seconds.toFixed(3),
    });
  }

  /** The runs that made the tables which a source's expectations read, as they are now. */
  private readBy = ({ expectations }: Table) =>
    Object.fromEntries(
      expectations.flatMap(({ reads }) =>
        reads.map((name) => [name, this.rowsOf.get(name) as string] as const),
      ),
    );

  /** Whether what was said of a source was said beside the tables that were published when this run began. */
  private isHeldTo({ name, expectations }: Table): boolean {
    const held = this.readAsBefore.has(name) ? this.pointer.tables[name]?.heldTo : undefined;
    return (
      held !== undefined &&
      expectations.every(({ reads }) =>
        reads.every((read) => held[read] === this.pointer.tables[read]?.runId),
      )
    );
  }

  /** What a source's expectations say by what they said, where that was said beside what they read as it was. */
  private async knownOf(table: SourceTable): Promise<ReadonlyMap<string, Said>> {
    const version = this.pointer.tables[table.name];
    return version && this.isHeldTo(table)
      ? this.saidBy(table, version, await this.saidBefore(table, null, version))
      : new Map();
  }

  /** What checks said of a table when it was made last. */
  private async saidBefore(table: Table, job: Job | null, version: Version): Promise<Before[]> {
    const said = await this.saidOf(table, version);
    const expectations = expectationsOf(table, job);
    return auditOf(table, this.pipeline.tables.values(), job).flatMap((check) => {
      const failed = said?.expectations.find(({ name }) => name === check.name)?.failed;
      const expectation = expectations.find(({ name }) => name === check.name) as Expectation;
      const before = { failed: failed ?? 0, affected: version.affected?.[check.name] ?? null };
      // Of bad rows an older lake does not say how many of the table's they are.
      const isUnknown = failed === undefined || (failed > 0 && !version.affected);
      return isUnknown || check.moves ? [] : [{ check, expectation, before }];
    });
  }

  /** What they say now, where that follows from what has changed. */
  private async saidBy(table: Table, version: Version, before: readonly Before[]) {
    const own = this.versionsOf(table.name, version);
    const asked: (Before & Sides)[] = [];
    for (const one of own ? before : []) {
      const sides = await sidesOf(
        this.db,
        one,
        own as Versions,
        (name) => this.versionsOf(name, this.pointer.tables[name]),
        this.soughtIn(table),
      ).catch(() => undefined);
      if (sides) asked.push({ ...one, ...sides });
    }
    return saidNow(this.db, asked);
  }

  private versionsOf(name: string, version: Version | undefined): Versions | undefined {
    const [table, change, now] = [
      this.pipeline.tables.get(name),
      this.changes.get(name),
      this.dirs.get(name),
    ];
    return version && table && change && now !== undefined
      ? { table, change, was: this.store.publishedDir(name, version), now }
      : undefined;
  }

  private async transform(job: Job): Promise<Made> {
    const table = job.output;
    const driving = job.inputs[0] as Table;
    const dir = this.store.tableDir(this.runId, table.name);
    const text = await readCode(this.jobsDir, job);
    const [hash, how] = [hashOfSql(text), await howMade(job, this.store)];
    this.makings.set(job.name, { sql: hash, how });
    const version = await this.versionBefore(table);
    const now = { sql: hash, how, values: this.valuesOf(job), rowsOf: this.rowsOf };
    const causes = causesOf(job, version, now);
    const restated = this.restated(job).length > 0;
    if (version && !isCaused(causes) && !restated) return this.keep(table, version);
    const sql = withParameters(text, job.parameters, this.valuesOf(job));
    const read = this.rows.get(driving.name) as number;
    const before = version ? await this.saidBefore(table, job, version) : [];
    // Rows of days that are made again may not be those of which it was said.
    const said = restated ? before.filter((one) => one.before.failed === 0) : before;
    const part = version && (await this.makePart(job, version, causes, sql, dir, said));
    if (part) {
      // Nothing came due, and nothing has come.
      if (part.touched === 0 && causes.inputs.length === 0) return this.keep(table, version);
      const { change, rows, key, touched } = part;
      this.changes.set(table.name, change);
      await this.open(table, change.is === 'same' ? this.store.publishedDir(table.name, version) : dir);
      // Of rows that were not read again pseudonyms are asked too.
      if (part.unmatched === undefined && job.drivenBy)
        await readyOutput(this.db, job, () => this.store.pseudonymKey());
      const filtered = part.unmatched ?? (await unmatchedIn(this.db, job)) ?? Math.max(0, read - rows);
      const others = said.filter(({ check }) => !part.said.has(check.name));
      const known = new Map([...part.said, ...(await this.saidBy(table, version, others))]);
      const { expectations, reasons } = await this.audit(table, job, rows > 0, undefined, known);
      const made = { key, values: touched };
      return { read, quarantined: 0, filtered, written: rows, reasons, expectations, part: made };
    }
    await readyOutput(this.db, job, () => this.store.pseudonymKey());
    const query = hiddenQuery(table, Object.keys(table.columns), `(${sql}\n)`);
    const rows = await writeTable(this.db, dir, query);
    await this.open(table, dir);
    const filtered = (await unmatchedIn(this.db, job)) ?? Math.max(0, read - rows);
    const { expectations, reasons } = await this.audit(table, job, rows > 0, (check) =>
      this.moveOut(job, dir, check),
    );
    await listKeys(this.db, table, this.soughtIn(table), await filesOfRows(dir));
    const quarantined = Object.values(reasons).reduce((total, n) => total + n, 0);
    return { read, quarantined, filtered, written: rows - quarantined, reasons, expectations };
  }

  /** Nothing where the table has to be made whole. */
  private async makePart(
    job: Job,
    version: Version,
    { whole, inputs }: Causes,
    sql: string,
    dir: string,
    said: readonly Before[],
  ) {
    const { db, store, pointer, pipeline } = this;
    const isOfRows = inputs.every((name) => version.of?.[name] === pointer.tables[name]?.runId);
    if (whole.length > 0 || !isOfRows) return undefined;
    const restated = this.restated(job);
    const dirsBefore = store.publishedTables(pointer).map(({ table, dir: was }) => [table, was] as const);
    return makePart(db, {
      job,
      sql,
      ...(restated.length > 0
        ? { increments: restated, days: this.plan.days }
        : { increments: incrementsOf(job, this.valuesOf(job)) }),
      changes: this.changes,
      dirs: this.dirs,
      rows: (name) => this.rows.get(name) as number,
      dirsBefore: new Map(dirsBefore),
      before: { dir: store.publishedDir(job.name, version), rows: version.rows, runTime: version.runTime },
      runTime: this.plan.values[runTime.name] as string,
      unmatched: (await this.saidOf(job.output, version))?.filtered,
      said,
      sought: this.soughtIn(job.output),
      dir,
      open: (name) => this.open(pipeline.tables.get(name) as Table, this.dirs.get(name) as string),
      key: () => store.pseudonymKey(),
    });
  }

  /** The increments of a job by which days are made again that the run is to make again. */
  private restated = (job: Job) =>
    this.plan.days ? incrementsOf(job, this.valuesOf(job)).filter((one) => isByDay(job, one)) : [];

  private soughtIn = (table: Table) => soughtIn(table, this.pipeline.jobs);

  private valuesOf = (job: Job) => this.plan.own?.[job.name] ?? this.plan.values;

  private async audit(
    table: Table,
    job: Job | null,
    hasRows = true,
    moveOut?: (check: Check) => Promise<number>,
    known: ReadonlyMap<string, Said> = new Map(),
  ) {
    const results: ExpectationResult[] = [];
    const reasons: Record<string, number> = {};
    const judge = async (check: Check, counted?: Counted) => {
      const { name, severity } = check;
      try {
        const { failed, affected } = counted ?? ((await this.count([check]))[0] as Counted);
        results.push({ name, severity, failed });
        if (failed === 0) return;
        const isShown = severity === 'fail' || this.how.verbose;
        const samples =
          (!isShown && known.get(name)?.samples) ||
          samplesOf(check.shown, await textsOf(this.db, check.samples));
        const found = { table: table.name, expectation: name, severity, failed, affected, samples };
        this.found.push(found);
        if (check.moves && moveOut) reasons[name] = await moveOut(check);
        const failure = failureOf(found);
        if (failure !== undefined) {
          const { description } = expectationsOf(table, job).find((e) => e.name === name) as Expectation;
          this.refuse(table, `${failure}. ${description}`);
        }
      } catch (error) {
        this.refuse(table, `expectation ${name} could not be checked: ${tellError(error)}`);
      }
    };
    const knownOf = ({ name, onlyEmpty }: Check) =>
      known.get(name) ?? (hasRows && onlyEmpty ? PASSED : undefined);
    // What compares with a source that could not be read says nothing of the table.
    const unread = this.plan.sources.filter(({ name }) => !this.summaries.has(name)).map(({ name }) => name);
    const isAsked = ({ name }: Check) =>
      !expectationsOf(table, job).some(
        (e) => e.name === name && e.reads.some((read) => unread.includes(read)),
      );
    const checks = auditOf(table, this.pipeline.tables.values(), job).filter(isAsked);
    for (const check of checks.filter(({ moves }) => moves)) await judge(check);
    const others = checks.filter(({ moves }) => !moves);
    // At once; where that fails each alone, to know which it is.
    const found = await this.count(others.filter((check) => !knownOf(check))).catch(() => []);
    for (const check of others) {
      await judge(check, knownOf(check) ?? found.find((one) => one.name === check.name));
    }
    return { expectations: results, reasons };
  }

  private count(checks: readonly Check[]): Promise<(Counted & { readonly name: string })[]> {
    return rowsOf(this.db, checks.map(({ count }) => count).join(' UNION ALL '));
  }

  /** Moves rows from the table to its quarantine. Returns how many. */
  private async moveOut(job: Job, dir: string, { name, moves }: Check): Promise<number> {
    const file = this.store.quarantineFile(this.runId, job.name);
    const { gone, kept } = moves as NonNullable<Check['moves']>;
    const description = expectationsOf(job.output, job).find((e) => e.name === name)?.description ?? '';
    const moved = quoteName(`_moved_${job.name}`);
    await this.db.run(`CREATE TEMP TABLE IF NOT EXISTS ${moved} (${QUARANTINE_COLUMNS})`);
    const { rowsChanged } = await this.db.run(
      `INSERT INTO ${moved} SELECT NULL, NULL, NULL, ${quoteString(name)}, ${quoteString(description)},
        CAST(to_json(t) AS VARCHAR) FROM (${gone}) t`,
    );
    await rewriteTable(this.db, dir, kept);
    await this.store.makeQuarantine(this.runId);
    await this.db.run(`COPY ${moved} TO ${quoteString(file)} (FORMAT parquet)`);
    return rowsChanged;
  }

  private async end(): Promise<RunResult> {
    const good = this.failures.length === 0;
    const summary: RunSummary = {
      version: FORMATS.summary,
      runId: this.runId,
      outcome: good ? 'published' : 'failed',
      codeVersion: codeVersion(),
      parameters: this.plan.parameters,
      seconds: secondsSince(this.started),
      tables: [...this.summaries.values()],
      ...(!good && { failures: this.failures.map(withoutAddress) }),
    };
    await this.store.writeSummary(this.runId, summary);
    if (good) {
      const kept = Object.entries(this.pointer.tables).filter(([name]) => this.pipeline.tables.has(name));
      const made = summary.tables.map(({ table, written }) => [table, this.versionOf(table, written)]);
      await this.store.publish({ runId: this.runId, tables: Object.fromEntries([...kept, ...made]) });
    }
    const findings = findingsOf(this.pipeline, this.found);
    return { summary, findings, failures: this.failures, warnings: this.warnings };
  }

  private versionOf(table: string, rows: number): Version {
    const kept = this.kept.get(table);
    const affected = Object.fromEntries(
      this.found.flatMap((one) =>
        one.table === table && one.affected !== null ? [[one.expectation, one.affected]] : [],
      ),
    );
    const source = this.plan.sources.find(({ name }) => name === table);
    const heldTo = source && { heldTo: this.readBy(source) };
    if (kept) return this.audited.has(table) ? { ...kept, madeBy: this.runId, affected, ...heldTo } : kept;
    const runId = this.rowsOf.get(table) as string;
    const isSame = runId !== this.runId;
    const job = this.plan.jobs.find(({ name }) => name === table);
    // Beside the rows of a source stands what they were read from now.
    if (!job) return { runId, ...(isSame && { folder: this.runId }), rows, affected, ...heldTo };
    const folder = isSame ? this.pointer.tables[table]?.folder : undefined;
    const place = {
      runId,
      ...(folder !== undefined && { folder }),
      ...(isSame && { madeBy: this.runId }),
      rows,
      affected,
    };
    const values = this.valuesOf(job);
    const parameters = job.parameters.flatMap((p) => (p === runTime ? [] : [[p.name, values[p.name]]]));
    return {
      ...place,
      parameters: Object.fromEntries(parameters),
      ...(job.parameters.includes(runTime) && { runTime: values[runTime.name] as string }),
      ...this.makings.get(job.name),
      of: Object.fromEntries(job.inputs.map(({ name }) => [name, this.rowsOf.get(name) as string])),
    };
  }
}

/** What became of a source's records. */
function recordsOf({ accepted: written, filtered, reasons, bytes, refusedBytes }: Landed) {
  const quarantined = Object.values(reasons).reduce((total, n) => total + n, 0);
  const read = written + filtered + quarantined;
  return { read, quarantined, filtered, written, bytes, quarantinedBytes: refusedBytes, reasons };
}

/** A sum over all rows of a folder, whatever their order: two of 64 bits each. */
const rowsSum = (dir: string) =>
  `SELECT concat(sum(hash(t)::HUGEINT), ' ', sum(hash(t, 1)::HUGEINT)) AS sum FROM (SELECT ${OWN_COLUMNS} FROM ${parquetIn(dir)}) t`;

const secondsSince = (started: number) => +((performance.now() - started) / 1000).toFixed(3);
