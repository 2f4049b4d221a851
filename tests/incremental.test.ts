// A run reads what is new and makes what follows from it. Whatever happens to the files, the rules and the people in between,
// it gives what a run of everything gives on the same files, row for row.
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { countOf, OWN_COLUMNS, parquetFile, parquetIn, withDatabase } from '../engines/database';
import { DuckDbEngine } from '../engines/duckdb/engine';
import { filesOfRows } from '../engines/duckdb/keys';
import { planLake } from '../engines/duckdb/plan';
import type { Finding, RunResult } from '../engines/engine';
import { landingDir } from '../engines/landing/files';
import { inSql } from '../engines/plan';
import { loadProject } from '../engines/project';
import { Store, type Version } from '../engines/store';
import {
  boolean,
  type Columns,
  DELIVERED_ONCE,
  double,
  type Expectation,
  epochMillis,
  expectation,
  int,
  type Job,
  lakehouse,
  type Pipeline,
  pseudonym,
  references,
  runTime,
  SAMPLES,
  soughtIn,
  type Table,
  text,
  timestamp,
  unique,
} from '../model';
import { lake as stedi } from '../pipeline';
import { writeMissing } from '../samples/contract';
import { ENTITIES, type Entity } from '../samples/stedi';
import { answer, lake, ROOT, temporaryDir } from './support/lake';
import { linesOf } from './support/people';
import { soak } from './support/soak';

const root = temporaryDir('incremental');
let lakes = 0;

/** A lake and its data, and a run of everything beside it. */
class Beside {
  readonly dir = join(root, `lake-${lakes++}`);
  readonly data = join(this.dir, 'data');
  /** What a run of everything reads: where rows of files that are gone are kept, a folder from which none goes. */
  readonly all: string;
  readonly engine: DuckDbEngine;
  private runs = 0;

  constructor(
    readonly pipeline: Pipeline,
    private readonly jobs: string,
    private readonly keeps = false,
  ) {
    this.all = keeps ? join(this.dir, 'all') : this.data;
    this.engine = new DuckDbEngine({ lake: join(this.dir, 'lake'), jobs });
  }

  folder = (source: string, data = this.data) =>
    landingDir(data, this.pipeline.sources.find(({ entity }) => entity === source) as never);

  /** Runs, and expects the tables of a run of everything in a lake of the same key and the same list. */
  async run(
    parameters: Readonly<Record<string, string>>,
    time: Date,
    pipeline = this.pipeline,
    full = false,
  ): Promise<RunResult> {
    // Every other time its warnings show what they show of everything.
    const verbose = this.runs % 2 === 1;
    const request = { data: this.data, parameters, time, full, verbose };
    const other = join(this.dir, `whole-${this.runs++}`);
    await mkdir(other);
    const copy = async (name: string) => {
      const path = join(this.dir, 'lake', name);
      if (existsSync(path)) await cp(path, join(other, name), { recursive: true });
    };
    // Before it: what it learns of devices it enters itself.
    for (const name of ['suppressed.json', 'receipts']) await copy(name);
    const plan = await planLake(new Store(join(this.dir, 'lake')), this.jobs, pipeline, request);
    const found = await this.engine.run(pipeline, request);
    const unchanged = unchangedIn(found);
    // What failed is told of some tables only.
    if (found.failures.length === 0) {
      for (const { table, does } of plan.filter((one) => one.does !== 'maybe'))
        expect({ table, isKept: does === 'keep' }).toEqual({ table, isKept: unchanged.includes(table) });
    }
    await copy('pseudonym.key');
    const whole = new DuckDbEngine({ lake: other, jobs: this.jobs });
    const expected = await whole.run(pipeline, { ...request, data: this.all });
    expect(found.failures).toEqual(expected.failures);
    // Files that are gone are not held to others.
    const isSaid = ({ name }: { readonly name: string }) => !this.keeps || name !== DELIVERED_ONCE.name;
    const said = (run: RunResult) =>
      countsOf(run).map((table) => ({ ...table, expectations: table.expectations.filter(isSaid) }));
    expect(said(found)).toEqual(said(expected));
    this.compareFindings(found, expected, verbose);
    if (expected.failures.length === 0) await this.compare(new Store(other));
    await rm(other, { recursive: true });
    return found;
  }

  /** What is found of tables that were made is told, in the same numbers; of bad rows those that have come may be shown alone. */
  private compareFindings(found: RunResult, expected: RunResult, verbose: boolean) {
    const isTold = ({ expectation }: Finding) => !this.keeps || expectation !== DELIVERED_ONCE.name;
    const key = ({ table, expectation }: Finding) => `${table}.${expectation}`;
    const all = new Map(expected.findings.filter(isTold).map((one) => [key(one), one]));
    for (const { samples, ...one } of found.findings.filter(isTold)) {
      const { samples: shown, ...same } = all.get(key(one as Finding)) as Finding;
      expect(one).toEqual(same);
      if (verbose) expect(samples).toEqual(shown);
      else if (shown.length < SAMPLES) expect(shown).toEqual(expect.arrayContaining([...samples]));
    }
    const made = [...all.values()].filter(({ table }) => !unchangedIn(found).includes(table));
    expect(found.findings.map(key)).toEqual(expect.arrayContaining(made.map(key)));
  }

  /** Row for row, what was refused too. */
  private async compare(whole: Store) {
    const stores = [new Store(join(this.dir, 'lake')), whole];
    const pointers = await Promise.all(stores.map((store) => store.pointer()));
    await withDatabase(async (db) => {
      const differing: Record<string, number> = {};
      const hold = async (what: string, [a, b]: readonly (string | undefined)[]) => {
        if (a === undefined && b === undefined) return;
        const none = 'SELECT 1 WHERE false';
        const of = a && b ? `(${a} EXCEPT ALL ${b}) UNION ALL (${b} EXCEPT ALL ${a})` : (a ?? b ?? none);
        differing[what] = await countOf(db, of);
      };
      for (const { name } of this.pipeline.tables.values()) {
        const versions = pointers.map(({ tables }) => tables[name] as Version);
        const files = stores.map((store, i) => store.publishedQuarantine(name, versions[i] as Version));
        const dirs = stores.map((store, i) => store.publishedDir(name, versions[i] as Version));
        await hold(
          name,
          dirs.map((dir) => `SELECT ${OWN_COLUMNS} FROM ${parquetIn(dir)}`),
        );
        await hold(
          `what was refused of ${name}`,
          files.map((file) => (existsSync(file) ? `FROM ${parquetFile(file)}` : undefined)),
        );
      }
      expect(Object.entries(differing).filter(([, rows]) => rows > 0)).toEqual([]);
    });
  }
}

/** What is said of each table, but for what a run's own is. */
const countsOf = ({ summary }: RunResult) =>
  summary.tables.map(({ seconds: _, unchanged: __, part: ___, ...table }) => table);

const inPart = (run: RunResult) => run.summary.tables.flatMap(({ table, part }) => (part ? [table] : []));

const unchangedIn = ({ summary }: RunResult) =>
  summary.tables.flatMap(({ table, unchanged }) => (unchanged ? [table] : []));

const HOUR = 3_600_000;
const BEGIN = Date.UTC(2026, 0, 1);
const SEED = 20_261_128;

// So few of each that most files say something of what another has said.
const email = fc.constantFrom('ann@example.com', ' Ann@example.com', 'bea@example.com', 'cy@example.com');
const serialNumber = fc.constantFrom('one', 'two', 'three');
const hour = (most: number) => fc.integer({ min: 0, max: most }).map((hours) => BEGIN + hours * HOUR);
const LINES: Readonly<Record<Entity, fc.Arbitrary<string>>> = {
  customer: fc
    .record({
      customerName: fc.constant('A'),
      email,
      phone: fc.constant('1'),
      birthDay: fc.constant('1980-01-02'),
      serialNumber,
      registrationDate: hour(1),
      lastUpdateDate: hour(2),
      // Some come due later, and some agree to nothing.
      shareWithResearchAsOfDate: fc.option(hour(9), { nil: undefined, freq: 3 }),
    })
    .map((record) => JSON.stringify(record)),
  accelerometer: fc
    .record({ user: email, timestamp: hour(3), x: fc.nat(2), y: fc.constant(0), z: fc.constant(0) })
    .map((record) => JSON.stringify(record)),
  step_trainer: fc
    .record({ sensorReadingTime: hour(3), serialNumber, distanceFromObject: fc.nat(2) })
    .map((record) => JSON.stringify(record)),
};

/** What may happen between two runs. */
type Event =
  | {
      readonly does: 'add' | 'replace';
      readonly entity: Entity;
      readonly lines: readonly string[];
      readonly pick: number;
    }
  | { readonly does: 'remove' | 'touch'; readonly entity: Entity; readonly pick: number }
  | { readonly does: 'forget'; readonly pick: number }
  | { readonly does: 'rules'; readonly parameters: Readonly<Record<string, string>> }
  | { readonly does: 'wait'; readonly hours: number };

const entity = fc.constantFrom(...ENTITIES);
const pick = fc.nat(20);
const written = (does: 'add' | 'replace') =>
  entity.chain((of) =>
    fc.record({
      does: fc.constant(does),
      entity: fc.constant(of),
      lines: fc.array(
        fc.oneof({ weight: 9, arbitrary: LINES[of] }, { weight: 1, arbitrary: fc.constant('{"bad') }),
        {
          minLength: 1,
          maxLength: 3,
        },
      ),
      pick,
    }),
  );
const lost = fc.record({ does: fc.constantFrom('remove' as const, 'touch' as const), entity, pick });
const forgotten = fc.record({ does: fc.constant('forget' as const), pick });
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 8, arbitrary: written('add') },
  { weight: 3, arbitrary: written('replace') },
  { weight: 3, arbitrary: lost },
  { weight: 1, arbitrary: forgotten },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant('rules' as const),
      parameters: fc.record(
        Object.fromEntries(stedi.parameters.map(({ name, values }) => [name, fc.constantFrom(...values)])),
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ does: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 4 }) }),
  },
);

describe('a run of what is new gives what a run of everything gives', () => {
  test(`STEDI, histories from seed ${SEED}`, async () => {
    const [kept, parts] = [new Set<string>(), new Set<string>()];
    await fc.assert(
      fc.asyncProperty(
        fc.record(
          Object.fromEntries(ENTITIES.map((of) => [of, fc.array(LINES[of], { minLength: 3, maxLength: 9 })])),
        ),
        fc.boolean(),
        fc.array(fc.array(event, { minLength: 1, maxLength: 2 }), { minLength: 4, maxLength: 8 }),
        async (first, isLastFirst, steps) => {
          // The last way to make a job in part is taken where the others would make most of it.
          const turned = stedi.jobs.map((job) => ({ ...job, increments: job.increments.toReversed() }));
          const pipeline = isLastFirst ? { ...stedi, jobs: turned } : stedi;
          const beside = new Beside(pipeline, join(ROOT, 'jobs'));
          let [parameters, time] = [{}, BEGIN];
          let files = 0;
          const write = async (into: string, lines: readonly string[], name = `part-${files++}.json`) => {
            await mkdir(beside.folder(into), { recursive: true });
            await writeFile(join(beside.folder(into), name), `${lines.join('\n')}\n`);
          };
          for (const each of ENTITIES) await write(each, first[each] as string[]);
          await beside.run(parameters, new Date(time));
          for (const events of steps) {
            for (const one of events) {
              if (one.does === 'add') await write(one.entity, one.lines);
              else if (one.does === 'rules') parameters = one.parameters;
              else if (one.does === 'wait') time += one.hours * HOUR;
              else if (one.does === 'forget') {
                const subject = ['ann@example.com', 'bea@example.com'][one.pick % 2] as string;
                await beside.engine.forget(pipeline, { subject, dryRun: false });
              } else {
                const names = (await readdir(beside.folder(one.entity))).sort();
                const name = names[one.pick % names.length] as string;
                const path = join(beside.folder(one.entity), name);
                if (one.does === 'replace') await write(one.entity, one.lines, name);
                else if (one.does === 'touch') await utimes(path, new Date(time), new Date(time));
                // A source without a file is no run.
                else if (names.length > 1) await rm(path);
              }
            }
            const run = await beside.run(parameters, new Date(time));
            for (const table of unchangedIn(run)) kept.add(table);
            for (const table of inPart(run)) parts.add(table);
          }
          await rm(beside.dir, { recursive: true });
        },
      ),
      { seed: SEED, numRuns: soak(8), endOnFailure: true },
    );
    // Else nothing was left out.
    expect([...kept].sort()).toEqual([...stedi.tables.keys()].sort());
    expect([...parts].sort()).toEqual(stedi.jobs.map(({ name }) => name).sort());
  });
});

/** The same, whose sources keep the rows of files that are gone. */
function keeping(pipeline: Pipeline): Pipeline {
  const kept = <T extends Table>(table: T): T =>
    table.format === 'iceberg' ? table : { ...table, onMissing: 'keep' };
  return {
    ...pipeline,
    sources: pipeline.sources.map(kept),
    tables: new Map([...pipeline.tables].map(([name, table]) => [name, kept(table)])),
    jobs: pipeline.jobs.map((job) => ({ ...job, inputs: job.inputs.map(kept) })),
  };
}

describe('rows of files that are gone', () => {
  test(`stay as if no file had gone, histories from seed ${SEED}`, async () => {
    const pipeline = keeping(stedi);
    let [gone, refused] = [0, 0];
    await fc.assert(
      fc.asyncProperty(
        fc.record(
          Object.fromEntries(ENTITIES.map((of) => [of, fc.array(LINES[of], { minLength: 3, maxLength: 9 })])),
        ),
        fc.array(
          fc.array(
            fc.oneof(
              { weight: 5, arbitrary: written('add') },
              { weight: 1, arbitrary: written('replace') },
              { weight: 6, arbitrary: lost },
              { weight: 1, arbitrary: forgotten },
            ),
            { minLength: 1, maxLength: 3 },
          ),
          { minLength: 4, maxLength: 8 },
        ),
        fc.array(
          fc.nat(3).map((n) => n === 0),
          { minLength: 8, maxLength: 8 },
        ),
        async (first, steps, full) => {
          const beside = new Beside(pipeline, join(ROOT, 'jobs'), true);
          const time = new Date(BEGIN);
          let files = 0;
          /** Files that a run has published as they are. */
          const read = new Set<string>();
          const run = async (full = false) => {
            const { failures } = await beside.run({}, time, pipeline, full);
            if (failures.length > 0) return;
            for (const each of ENTITIES)
              for (const name of await readdir(beside.folder(each))) read.add(join(each, name));
          };
          const write = async (into: string, lines: readonly string[], name = `part-${files++}.json`) => {
            read.delete(join(into, name));
            for (const data of [beside.data, beside.all]) {
              await mkdir(beside.folder(into, data), { recursive: true });
              await writeFile(join(beside.folder(into, data), name), `${lines.join('\n')}\n`);
            }
          };
          for (const each of ENTITIES) {
            // Two that are read together.
            const lines = first[each] as string[];
            await write(each, lines.slice(0, 2));
            await write(each, lines.slice(2));
          }
          await run();
          for (const [i, events] of steps.entries()) {
            for (const one of events) {
              if (one.does === 'add') await write(one.entity, one.lines);
              else if (one.does === 'forget') {
                const subject = ['ann@example.com', 'bea@example.com'][one.pick % 2] as string;
                await beside.engine.forget(pipeline, { subject, dryRun: false });
              } else {
                const names = (await readdir(beside.folder(one.entity))).sort();
                const name = names[one.pick % names.length];
                if (name === undefined) continue;
                if (one.does === 'replace') await write(one.entity, one.lines, name);
                else if (one.does === 'touch')
                  await utimes(join(beside.folder(one.entity), name), time, time);
                else if (read.has(join(one.entity, name))) {
                  gone++;
                  await rm(join(beside.folder(one.entity), name));
                }
              }
            }
            await run(full[i]).catch(async (error) => {
              // What was read together with a file that is gone has changed: all are put back for one run.
              expect(String(error)).toMatch(/has changed, and was read together with/);
              refused++;
              await cp(beside.all, beside.data, { recursive: true });
              await run();
            });
          }
          await rm(beside.dir, { recursive: true });
        },
      ),
      { seed: SEED, numRuns: soak(5), endOnFailure: true },
    );
    expect(gone).toBeGreaterThan(5);
    expect(refused).toBeGreaterThan(0);
  });
});

/** What may happen to a lake of any contracts: files of a sample come, of one entity or all, or one goes. */
type Landed = { readonly seed: number; readonly only?: string } | { readonly gone: number };

describe('a lakehouse of any contracts', () => {
  test(`the shop, histories from seed ${SEED}`, async () => {
    const { definition, ...dirs } = loadProject(join(ROOT, 'examples', 'shop'));
    const shop = inSql(definition.pipeline);
    const entities = [...new Set(shop.sources.map((source) => source.entity))];
    const landed: fc.Arbitrary<Landed> = fc.oneof(
      { weight: 3, arbitrary: fc.record({ seed: fc.nat(50), only: fc.constantFrom(...entities) }) },
      { weight: 1, arbitrary: fc.record({ seed: fc.nat(50) }) },
      { weight: 1, arbitrary: fc.record({ gone: fc.nat(20) }) },
    );
    const [kept, parts] = [new Set<string>(), new Set<string>()];
    await fc.assert(
      fc.asyncProperty(
        fc.array(landed, { minLength: 2, maxLength: 5 }),
        fc.nat(9),
        async (steps, forgotten) => {
          const beside = new Beside(shop, dirs.jobs);
          const time = new Date(Date.UTC(2026, 6, 1));
          let samples = 0;
          const land = async ({ seed, only }: { seed: number; only?: string }) => {
            const out = join(beside.dir, `sample-${samples++}`);
            await writeMissing(shop.sources, { out, size: 12, seed, dirty: seed % 3 === 0 ? 0.02 : 0 });
            for (const each of only === undefined ? entities : [only]) {
              const from = join(out, each, 'landing');
              await mkdir(beside.folder(each), { recursive: true });
              for (const name of await readdir(from))
                await rename(join(from, name), join(beside.folder(each), `${samples}-${name}`));
            }
          };
          await land({ seed: 1 });
          await beside.run({}, time);
          for (const step of steps) {
            if ('seed' in step) await land(step);
            else {
              const files = (
                await Promise.all(
                  entities.map(async (each) => {
                    const names = await readdir(beside.folder(each));
                    // A source without a file is no run.
                    return names.length > 1 ? names.map((name) => join(beside.folder(each), name)) : [];
                  }),
                )
              ).flat();
              const path = files.sort()[step.gone % Math.max(files.length, 1)];
              if (path !== undefined) await rm(path);
            }
            const run = await beside.run({}, time);
            for (const table of unchangedIn(run)) kept.add(table);
            for (const table of inPart(run)) parts.add(table);
          }
          const [[subject] = []] = await answer(
            beside.engine,
            'SELECT customerId FROM customer_trusted ORDER BY 1',
          );
          if (forgotten < 3 && subject) {
            await beside.engine.forget(shop, { subject, dryRun: false });
            await land({ seed: 51 + forgotten });
            await beside.run({}, time);
          }
          await rm(beside.dir, { recursive: true });
        },
      ),
      { seed: SEED, numRuns: soak(3), endOnFailure: true },
    );
    expect([...kept].sort()).toEqual([...shop.tables.keys()].sort());
    expect([...parts].sort()).toEqual(shop.jobs.map(({ name }) => name).sort());
  });
});

/** Sources `a` and `b`, and the job `o` that makes a table of them; what lands in each run, by source and file. */
interface Small {
  readonly a: Columns;
  readonly b?: Columns;
  /** Another name of `b`. */
  readonly named?: string;
  readonly expectsOfA?: readonly Expectation[];
  readonly o: Columns;
  readonly expects?: readonly Expectation[];
  readonly job: Partial<Job>;
  readonly sql: string;
  readonly runs: readonly { readonly a?: string; readonly b?: string; readonly days?: number }[];
}

const words = lakehouse(['landing', 'made']);

function small({
  a,
  b = { id: int('I.') },
  named = 'b',
  expectsOfA = [],
  o,
  expects = [],
  job,
}: Small): Pipeline {
  const source = (
    entity: string,
    name: string,
    columns: Columns,
    expectations: readonly Expectation[] = [],
  ) => words.source({ name, zone: 'landing', entity, description: 'S.', columns, expectations });
  const sources = [source('a', 'a', a, expectsOfA), source('b', named, b)] as const;
  const output = words.table({
    name: 'o',
    zone: 'made',
    description: 'O.',
    columns: o,
    expectations: expects,
  });
  const made: Job = { ...words.job({ output, inputs: sources, description: 'J.' }), ...job };
  return words.pipeline(
    words.zone('landing', { description: 'L.', tables: [...sources], jobs: [] }),
    words.zone('made', { description: 'M.', tables: [output], jobs: [made as Job<typeof output>] }),
  );
}

const ID = { id: int('I.') };
const held = (options: Pick<Parameters<typeof expectation>[0], 'sql' | 'per' | 'reads'>) =>
  expectation({ name: 'held', severity: 'warn', description: 'E.', columns: ['id'], ...options });

// Behind no name DuckDB reads AT as a word of its own.
const PAIRED = references(
  { name: 'b', columns: { ...ID, at: ID.id } },
  { id: 'id', at: 'at' },
  { severity: 'warn', description: 'R.' },
);

/** A job that copies what it reads. */
const COPIES = {
  o: ID,
  job: { increments: [{ key: 'id', by: { a: 'id' } }] },
  sql: 'SELECT a.id FROM a a',
} satisfies Partial<Small>;

// Each once gave something else than a run of everything.
const SMALL: Readonly<Record<string, Small>> = {
  'a hidden key of which no value is touched, and its rows are counted': {
    a: { ...ID, who: text('W.', { pii: 'direct', identifies: 'person' }) },
    o: { who: pseudonym('W.'), id: ID.id },
    expects: [references({ name: 'b', columns: ID }, { id: 'id' }, { severity: 'warn', description: 'R.' })],
    job: { increments: [{ key: 'who', by: { a: 'who' } }], drivenBy: { who: 'who' } },
    sql: 'SELECT a.who, a.id FROM a a',
    runs: [{ a: '{"id":1,"who":"x"}', b: '{"id":1}' }, { b: '{"id":2}' }, { a: '{"id":3,"who":"y"}' }],
  },
  'a query of what is seen that ends in a comment and shows no change, beside an expectation that sees more':
    {
      a: { ...ID, n: int('N.') },
      o: ID,
      expects: [
        held({
          per: ['id'],
          reads: [{ name: 'a' }],
          sql: (table) => `SELECT t.id FROM ${table} t JOIN a a ON a.id = t.id WHERE a.n > 5`,
        }),
      ],
      job: {
        increments: [
          {
            key: 'id',
            by: { a: { key: 'id', sees: 'SELECT a.id, MIN(a.n) AS n FROM a a GROUP BY a.id -- least' } },
          },
        ],
        drivenBy: { id: 'id', n: 'id' },
      },
      sql: 'SELECT a.id FROM a a GROUP BY a.id',
      runs: [{ a: '{"id":1,"n":1}', b: '{"id":1}' }, { a: '{"id":1,"n":9}' }],
    },
  'a query of what is seen, and a table whose name is like what is noted of that': {
    a: ID,
    named: 'seen_a',
    o: ID,
    job: {
      increments: [{ key: 'id', by: { a: { key: 'id', sees: 'SELECT a.id FROM a a' }, seen_a: 'id' } }],
    },
    sql: 'SELECT a.id FROM a a UNION SELECT s.id FROM seen_a s',
    runs: [
      { a: '{"id":1}', b: '{"id":2}' },
      { a: '{"id":3}', b: '{"id":4}' },
    ],
  },
  'an instant that comes due where the job asks for what is before its time': {
    a: { ...ID, at: epochMillis('A.') },
    o: ID,
    job: { parameters: [runTime], increments: [{ key: 'id', by: { a: 'id' }, due: { a: 'at' } }] },
    sql: 'SELECT a.id FROM a a WHERE a.at < CAST(:run_time AS TIMESTAMP)',
    runs: [{ a: `{"id":1,"at":${BEGIN}}`, b: '{"id":1}' }, { days: 1 }, { days: -2 }, { days: 3 }],
  },
  'rows that drive a job and are matched by a row of another value': {
    a: { ...ID, n: int('N.'), good: boolean('G.') },
    o: { ...ID, n: int('N.') },
    job: { increments: [{ key: 'n', by: { a: 'n' } }], drivenBy: { id: 'id' } },
    sql: 'SELECT a.id, a.n FROM a a WHERE a.good',
    runs: [
      { a: '{"id":1,"n":1,"good":false}\n{"id":1,"n":2,"good":true}', b: '{"id":1}' },
      { a: '{"id":1,"n":1,"good":false}' },
    ],
  },
  'keys that are NULL, and a table that is emptied': {
    a: { ...ID, n: int('N.', { nullable: true }) },
    o: { n: int('N.', { nullable: true }), rows: int('R.') },
    job: { increments: [{ key: 'n', by: { a: 'n' } }] },
    sql: 'SELECT a.n, COUNT(*) AS rows FROM a a WHERE NOT EXISTS (SELECT 1 FROM a z WHERE z.n IS NOT DISTINCT FROM a.n AND z.id = 0) GROUP BY a.n',
    runs: [
      { a: '{"id":1}', b: '{"id":1}' },
      { a: '{"id":2}\n{"id":3,"n":1}' },
      { a: '{"id":0}\n{"id":0,"n":1}' },
      { a: '{"id":4,"n":2}' },
    ],
  },
  'bad rows that an expectation shows by what they share': {
    a: { ...ID, n: int('N.') },
    expectsOfA: [
      held({ per: 'row', sql: (table) => `SELECT DISTINCT t.id FROM ${table} t WHERE t.n > 5` }),
      {
        ...held({
          per: 'row',
          sql: (table) => `SELECT t.* FROM (SELECT DISTINCT n.id FROM ${table} n WHERE n.n > 5) t`,
        }),
        name: 'nested',
      },
    ],
    ...COPIES,
    runs: [{ a: '{"id":1,"n":9}', b: '{"id":1}' }, { a: '{"id":1,"n":8}' }],
  },
  'a counterpart that is equal in another type': {
    a: { ...ID, of: double('O.') },
    expectsOfA: [
      references({ name: 'b', columns: ID }, { of: 'id' }, { severity: 'warn', description: 'R.' }),
    ],
    o: ID,
    job: { increments: [{ key: 'id', by: { b: 'id' } }] },
    sql: 'SELECT b.id FROM b b',
    runs: [
      { a: '{"id":1,"of":1}', b: '{"id":1}' },
      { a: '{"id":2,"of":1}', b: '{"id":2}' },
    ],
  },
  'counterparts of two columns that come for rows that stay, and for some that have come': {
    a: { ...ID, at: int('N.') },
    b: { ...ID, at: int('N.') },
    expectsOfA: [PAIRED],
    o: { ...ID, at: int('N.') },
    expects: [PAIRED],
    job: { increments: [{ key: 'id', by: { a: 'id' } }] },
    sql: 'SELECT a.id, a.at FROM a a',
    runs: [
      { a: '{"id":1,"at":1}\n{"id":1,"at":2}\n{"id":1,"at":2}\n{"id":2,"at":2}', b: '{"id":2,"at":1}' },
      { b: '{"id":1,"at":2}' },
      { a: '{"id":3,"at":3}\n{"id":1,"at":2}\n{"id":4,"at":4}', b: '{"id":3,"at":3}\n{"id":3,"at":3}' },
      { a: '{"id":4,"at":4}', b: '{"id":4,"at":5}' },
    ],
  },
  'values that more rows share, and some that one has again': {
    a: { ...ID, n: int('N.', { nullable: true }) },
    expectsOfA: [unique(['n'], { severity: 'warn', description: 'U.' })],
    o: { ...ID, n: int('N.', { nullable: true }) },
    expects: [unique(['n'], { severity: 'warn', description: 'U.' })],
    job: { increments: [{ key: 'id', by: { a: 'id' } }] },
    sql: 'SELECT a.id, a.n FROM a a WHERE NOT EXISTS (SELECT 1 FROM a z WHERE z.id = a.id AND z.n = 0)',
    runs: [
      { a: '{"id":1,"n":1}\n{"id":2,"n":1}\n{"id":3}\n{"id":4,"n":4}', b: '{"id":1}' },
      { a: '{"id":5,"n":1}\n{"id":6}' },
      { a: '{"id":2,"n":0}\n{"id":5,"n":0}' },
      { a: '{"id":7,"n":4}' },
    ],
  },
  'bad rows by the rows of a value, which others have no more': {
    a: { ...ID, n: int('N.') },
    ...COPIES,
    expects: [
      held({
        per: ['id'],
        reads: [{ name: 'a' }],
        sql: (table) =>
          `SELECT t.id FROM ${table} t JOIN a a ON a.id = t.id GROUP BY t.id HAVING MAX(a.n) > 5 AND MIN(a.n) > 1`,
      }),
    ],
    runs: [
      { a: '{"id":1,"n":9}\n{"id":2,"n":9}\n{"id":3,"n":3}', b: '{"id":1}' },
      { a: '{"id":1,"n":1}' },
      { a: '{"id":3,"n":8}' },
      { a: '{"id":4,"n":8}' },
    ],
  },
};

/** Files of rows without a list of their values, so that each run opens them. */
async function unlisted({ dir, pipeline }: Beside): Promise<string[]> {
  const store = new Store(join(dir, 'lake'));
  const { tables } = await store.pointer();
  const found: string[] = [];
  for (const table of pipeline.tables.values()) {
    const names = await readdir(store.publishedDir(table.name, tables[table.name] as Version));
    const lists = (name: string) => names.filter((one) => one.startsWith(`${name}.`)).length;
    const keys = soughtIn(table, pipeline.jobs).length;
    found.push(...names.filter((name) => name.endsWith('.parquet') && lists(name) !== keys));
  }
  return found;
}

describe('a run of what is new, once more', () => {
  test.each(Object.entries(SMALL))('%s', async (_what, one) => {
    const jobs = await mkdtemp(join(root, 'jobs-'));
    await writeFile(join(jobs, 'o.sql'), one.sql);
    const beside = new Beside(small(one), jobs);
    const parts: string[] = [];
    let time = BEGIN;
    for (const [i, { days = 0, ...files }] of one.runs.entries()) {
      time += days * 24 * HOUR;
      for (const [source, text] of Object.entries(files)) {
        await mkdir(beside.folder(source), { recursive: true });
        await writeFile(join(beside.folder(source), `${i}.json`), `${text}\n`);
      }
      const run = await beside.run({}, new Date(time));
      expect(run.failures).toEqual([]);
      parts.push(...inPart(run));
      expect(await unlisted(beside)).toEqual([]);
    }
    expect(parts).toContain('o');
  });

  test('an expectation in other words is asked again, and so is one of a source that another run has left behind', async () => {
    const jobs = await mkdtemp(join(root, 'jobs-'));
    await writeFile(join(jobs, 'o.sql'), 'SELECT b.id FROM b b');
    const of = (most: number) =>
      small({
        a: ID,
        expectsOfA: [
          references({ name: 'b', columns: ID }, { id: 'id' }, { severity: 'warn', description: 'R.' }),
          held({ per: 'row', sql: (table) => `SELECT t.* FROM ${table} t WHERE t.id > ${most}` }),
        ],
        o: ID,
        expects: [
          {
            ...held({ per: 'row', sql: (table) => `SELECT t.* FROM ${table} t WHERE t.id > ${most}` }),
            name: 'few',
          },
        ],
        job: { increments: [{ key: 'id', by: { b: 'id' } }] },
        sql: '',
        runs: [],
      });
    const pipeline = of(9);
    const only = { ...pipeline, jobs: pipeline.jobs.map((job) => ({ ...job, inputs: job.inputs.slice(1) })) };
    const beside = new Beside(only, jobs);
    const land = async (source: string, name: string, id: number) => {
      await mkdir(beside.folder(source), { recursive: true });
      await writeFile(join(beside.folder(source), name), `{"id":${id}}\n`);
    };
    for (const id of [1, 2]) await land('b', `${id}.json`, id);
    await land('a', '1.json', 1);
    const time = new Date(BEGIN);
    await beside.run({}, time);
    await rm(join(beside.folder('b'), '1.json'));
    await beside.engine.run(only, { data: beside.data, only: ['o'], time });
    await beside.run({}, time);
    await land('a', '2.json', 2);
    await beside.run({}, time);
    await beside.run({}, time, of(1));
    await land('b', '3.json', 3);
    await beside.run({}, time, of(1));
  });

  const begun = async (one: Omit<Small, 'sql' | 'runs'>) => {
    const jobs = await mkdtemp(join(root, 'jobs-'));
    await writeFile(join(jobs, 'o.sql'), 'SELECT a.id FROM a a');
    const beside = new Beside(small({ ...one, sql: '', runs: [] }), jobs);
    let files = 0;
    const land = async (line: string) => {
      for (const source of ['a', 'b']) {
        await mkdir(beside.folder(source), { recursive: true });
        await writeFile(join(beside.folder(source), `${files}.json`), `${line}\n`);
      }
      files++;
    };
    return { beside, land, run: () => beside.run({}, new Date(BEGIN)) };
  };

  test.each([
    ['asked', (table: string) => `SELECT t.* FROM ${table} t WHERE CAST(t.n AS INT) > 5`],
    ['shown', (table: string) => `SELECT t.id, CAST(t.n AS INT) AS n FROM ${table} t WHERE t.id > 0`],
  ])(
    'an expectation that what has come cannot be %s fails the run, and says nothing of it',
    async (_how, sql) => {
      const N = { ...ID, n: text('N.') };
      const { land, run } = await begun({ a: N, expectsOfA: [held({ per: 'row', sql })], o: ID, job: {} });
      for (const [id, n] of ['1', 'ann@example.com'].entries()) {
        await land(`{"id":${id},"n":"${n}"}`);
        const { failures } = await run();
        expect(failures).toEqual(
          id === 0 ? [] : [expect.stringMatching(/held could not be checked(?!.*ann)/)],
        );
      }
    },
  );

  test('a lake that does not say how many rows are bad ones asks for all', async () => {
    const expects = [held({ per: 'row', sql: (table) => `SELECT t.* FROM ${table} t WHERE t.id > 5` })];
    const job = { increments: [{ key: 'id', by: { a: 'id' } }] };
    const { beside, land, run } = await begun({ a: ID, expectsOfA: expects, o: ID, expects, job });
    const file = join(beside.dir, 'lake', 'current.json');
    for (const id of [8, 9, 1]) {
      await land(`{"id":${id}}`);
      await run();
      const pointer = JSON.parse(await readFile(file, 'utf8'));
      for (const version of Object.values<{ affected?: unknown }>(pointer.tables)) delete version.affected;
      await writeFile(file, JSON.stringify(pointer));
    }
  });

  test('what only forgetting somebody could publish fails the next run', async () => {
    const few = expectation({
      ...{ name: 'few', severity: 'fail', description: 'E.', columns: [] },
      sql: (table) => `SELECT COUNT(*) AS n FROM ${table} t HAVING COUNT(*) < 2`,
    });
    const who = text('W.', { pii: 'direct', identifies: 'person' });
    const { beside, land, run } = await begun({ a: { ...ID, who }, o: ID, expects: [few], job: {} });
    await land('{"id":1,"who":"ann"}\n{"id":2,"who":"bea"}');
    await run();
    await beside.engine.forget(beside.pipeline, { subject: 'ann', dryRun: false });
    for (const _ of [1, 2])
      expect((await run()).failures).toEqual([expect.stringMatching(/^o: expectation few/)]);
  });
});

test('a run that cannot keep what is gone names the file and the ways out', async () => {
  const jobs = await mkdtemp(join(root, 'jobs-'));
  await writeFile(join(jobs, 'o.sql'), 'SELECT a.id FROM a a');
  const of = (a: Columns, onMissing: 'keep' | 'remove') => {
    const made = small({ a, o: ID, job: {}, sql: '', runs: [] });
    return onMissing === 'keep' ? keeping(made) : made;
  };
  const beside = new Beside(of(ID, 'keep'), jobs, true);
  const land = async (name: string, id: number) => {
    for (const data of [beside.data, beside.all])
      for (const source of ['a', 'b']) {
        await mkdir(beside.folder(source, data), { recursive: true });
        await writeFile(join(beside.folder(source, data), name), `{"id":${id}}`);
      }
  };
  await land('1.json', 1);
  await land('2.json', 2);
  const time = new Date(BEGIN);
  await beside.run({}, time);
  for (const name of ['1.json', '2.json']) await rm(join(beside.folder('a'), name));
  // With a folder that is empty too.
  await beside.run({}, time);
  const request = { data: beside.data, parameters: {} };
  const plan = await planLake(new Store(join(beside.dir, 'lake')), jobs, beside.pipeline, request);
  expect(plan[0]).toEqual({ table: 'a', does: 'keep', why: ['2 files are gone, with rows that stay'] });
  const wider = { id: int('I.'), n: int('N.', { nullable: true }) };
  await expect(beside.engine.run(of(wider, 'keep'), { ...request, time })).rejects.toThrow(
    /a: 1\.json is gone, and its rows were read by other columns than the contract has now: put it back/,
  );
  await land('3.json', 3);
  const without = of(wider, 'remove');
  await beside.engine.run(without, { ...request, time });
  expect(await answer(beside.engine, 'SELECT id FROM a')).toEqual([['3']]);
});

describe('a source that keeps the rows of files that are gone', () => {
  const sql = 'SELECT a.id FROM a a';
  const made = (share = 0.05, a: Columns = ID) => {
    const one = small({ a, o: ID, job: {}, sql, runs: [] });
    const of = <T extends Table>(table: T): T =>
      table.format === 'iceberg' ? table : { ...table, maxQuarantinedShare: share };
    return {
      ...one,
      sources: one.sources.map(of),
      tables: new Map([...one.tables].map(([n, t]) => [n, of(t)])),
    };
  };
  const begun = async (pipeline: Pipeline, files: Readonly<Record<string, string>>) => {
    const jobs = await mkdtemp(join(root, 'jobs-'));
    await writeFile(join(jobs, 'o.sql'), sql);
    const beside = new Beside(pipeline, jobs, true);
    const land = async (source: string, name: string, text: string) => {
      await mkdir(beside.folder(source), { recursive: true });
      await writeFile(join(beside.folder(source), name), text);
    };
    await land('b', '1.json', '{"id":1}');
    for (const [name, text] of Object.entries(files)) {
      await land('a', name, text);
      await utimes(join(beside.folder('a'), name), new Date(BEGIN), new Date(BEGIN));
    }
    await run(beside, pipeline);
    return { beside, land, file: (name: string) => join(beside.folder('a'), name) };
  };
  const run = ({ engine, data }: Beside, pipeline: Pipeline, full = false) =>
    engine.run(pipeline, { data, time: new Date(BEGIN), full });
  const ids = async ({ engine }: Beside) => (await answer(engine, 'SELECT id FROM a ORDER BY id')).flat();

  test('says of files that are the same what a run of everything says', async () => {
    const pipeline = keeping(made());
    const { beside, file } = await begun(pipeline, { '1.json': '{"id":1}', '2.json': '{"id":1}' });
    await rm(file('2.json'));
    const found = countsOf(await run(beside, pipeline));
    expect(found).toEqual(countsOf(await run(beside, pipeline, true)));
  });

  test('has nothing of a person who is forgotten, what was refused of them neither', async () => {
    const who = text('W.', { pii: 'direct', identifies: 'person' });
    const pipeline = keeping(made(0.9, { ...ID, who }));
    const lines = ['{"id":1,"who":"ann"}', '{"id":"x","who":"ann"}', '{"id":"y","who":"bea"}'];
    const { beside, file } = await begun(pipeline, { '1.json': lines.join('\n') });
    await rm(file('1.json'));
    await beside.engine.forget(pipeline, { subject: 'ann', dryRun: false });
    for (const full of [false, true]) {
      const { summary } = await run(beside, pipeline, full);
      expect(summary.tables[0]).toMatchObject({
        ...{ table: 'a', read: 3, filtered: 2, written: 0, quarantined: 1, reasons: { WRONG_TYPE: 1 } },
        quarantinedBytes: lines[2]?.length,
      });
      expect(await answer(beside.engine, 'SELECT raw FROM a_quarantine')).toEqual([[lines[2]]]);
    }
  });

  test('is held to another share of what may be refused, also where all of its files are gone', async () => {
    const pipeline = keeping(made(0.9));
    const { beside, file } = await begun(pipeline, { '1.json': '{"id":1}\n{"id":"x"}' });
    await rm(file('1.json'));
    const { failures } = await run(beside, keeping(made(0.05)));
    expect(failures).toEqual((await run(beside, keeping(made(0.05)), true)).failures);
    expect(failures).toHaveLength(1);
  });

  test('is refused where it is not known which files its rows are of', async () => {
    const { beside, file } = await begun(made(), { '1.json': '{"id":1}', '2.json': '{"id":2}' });
    const store = new Store(join(beside.dir, 'lake'));
    await rm(join(store.publishedDir('a', (await store.pointer()).tables.a as Version), 'landed.json'));
    await rm(file('2.json'));
    await expect(run(beside, keeping(made()))).rejects.toThrow(/^a: it keeps the rows/);
    expect(await ids(beside)).toEqual(['1', '2']);
  });

  test('takes a file that was copied from elsewhere for the one that it was', async () => {
    const pipeline = keeping(made());
    const { beside, land, file } = await begun(pipeline, { '1.json': '{"id":1}', '2.json': '{"id":2}' });
    const { atime, mtime } = await stat(file('2.json'));
    for (const name of ['1.json', '2.json']) await rm(file(name));
    await land('a', '2.json', '{"id":2}');
    await utimes(file('2.json'), atime, mtime);
    const { summary } = await run(beside, pipeline);
    expect(summary.tables[0]).toMatchObject({ table: 'a', read: 2, unchanged: true });
  });

  test.each(['moved.json', '1.json.gz'])('is refused where a file is there as %s', async (name) => {
    const pipeline = keeping(made());
    const { beside, file } = await begun(pipeline, { '1.json': '{"id":1}', '2.json': '{"id":2}' });
    if (name.endsWith('.gz')) {
      await writeFile(file(name), gzipSync('{"id":1}'));
      await rm(file('1.json'));
    } else await rename(file('1.json'), file(name));
    await expect(run(beside, pipeline)).rejects.toThrow(name);
    expect(await ids(beside)).toEqual(['1', '2']);
  });
});

describe('days that are asked for', () => {
  const AT = { at: timestamp('A.') };
  const byDay = (key: 'at' | 'id') =>
    small({
      a: { ...ID, at: epochMillis('A.') },
      o: { ...AT, ...ID },
      job: { increments: [{ key, by: { a: key } }] },
      sql: '',
      runs: [],
    });

  test('are made again where a table is made by day, and no others', async () => {
    const jobs = await mkdtemp(join(root, 'jobs-'));
    await writeFile(join(jobs, 'o.sql'), 'SELECT a.at, a.id FROM a a');
    const pipeline = byDay('at');
    const beside = new Beside(pipeline, jobs);
    const lines = [0, 1, 2].map((id) => `{"id":${id},"at":${BEGIN + id * 24 * HOUR}}`).join('\n');
    for (const source of ['a', 'b']) await mkdir(beside.folder(source), { recursive: true });
    await writeFile(join(beside.folder('a'), '1.json'), lines);
    await writeFile(join(beside.folder('b'), '1.json'), '{"id":1}');
    const time = new Date(BEGIN);
    await beside.run({}, time);
    const store = new Store(join(beside.dir, 'lake'));
    const dir = async () => store.publishedDir('o', (await store.pointer()).tables.o as Version);
    // As no run would: what is on the disk is other rows.
    const spoil = (part: string, as: string) =>
      withDatabase(async (db) => {
        const wrong = join(root, 'wrong.parquet');
        await db.run(
          `COPY (SELECT * REPLACE (${as}) FROM ${parquetFile(part)}) TO '${wrong}' (FORMAT parquet)`,
        );
        await rename(wrong, part);
      });
    await spoil(join(await dir(), 'part-0.parquet'), 'id + 10 AS id');
    const ids = async () =>
      (await answer(beside.engine, 'SELECT o.id FROM o o ORDER BY o.at')).map(([id]) => id);
    const days = { from: '2026-01-02', to: '2026-01-03' };
    expect(unchangedIn(await beside.engine.run(pipeline, { data: beside.data, time }))).toContain('o');
    expect(await ids()).toEqual(['10', '11', '12']);
    const run = await beside.engine.run(pipeline, { data: beside.data, time, days });
    expect(await ids()).toEqual(['10', '1', '12']);
    expect(run.summary.tables.find(({ table }) => table === 'o')?.part).toEqual({ key: 'at', values: 1 });
    expect(run.warnings).toEqual([]);
    const all = { from: '2026-01-01', to: '2026-02-01' };
    await beside.engine.run(pipeline, { data: beside.data, time, days: all });
    expect(await ids()).toEqual(['0', '1', '2']);
    // A file of its own, whose list has the third day.
    await writeFile(join(beside.folder('a'), '2.json'), `{"id":3,"at":${BEGIN + 3 * 24 * HOUR}}`);
    await beside.run({}, time);
    expect(await unlisted(beside)).toEqual([]);
    const other = (await filesOfRows(await dir())).sort().at(-1) as string;
    await spoil(other, '"at" - INTERVAL 47 HOUR AS "at"');
    expect(await ids()).toEqual(['0', '1', '3', '2']);
    await beside.engine.run(pipeline, { data: beside.data, time, days });
    expect(await ids()).toEqual(['0', '1', '2']);
  });

  test('are told of tables that are not made by day', async () => {
    const jobs = await mkdtemp(join(root, 'jobs-'));
    await writeFile(join(jobs, 'o.sql'), 'SELECT a.at, a.id FROM a a');
    const beside = new Beside(byDay('id'), jobs);
    for (const source of ['a', 'b']) {
      await mkdir(beside.folder(source), { recursive: true });
      await writeFile(join(beside.folder(source), '1.json'), `{"id":1,"at":${BEGIN}}`);
    }
    const days = { from: '2026-01-01', to: '2026-01-02' };
    const run = await beside.engine.run(beside.pipeline, { data: beside.data, days });
    expect(run.warnings).toEqual(['not made by day, and not made again for these days: o; --full makes all']);
  });

  test.each([
    ['--from', '2026-01-01'],
    ['--from', '2026-01-02', '--to', '2026-01-01'],
    ['--from', '2026-01-01', '--to', '2026-13-01'],
    ['--from', '2026-01-01', '--to', '2026-02-30'],
    ['--from', '2026-01-01', '--to', '2026-02-01', '--full'],
  ])('are refused: %s %s %s %s', async (...args) => {
    const { status, stderr } = await lake(['run', '--lake', join(root, 'no-days'), ...args]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/--from .* (are no days|leave out what else is asked)/);
    expect(existsSync(join(root, 'no-days'))).toBe(false);
  });
});

describe('lake plan', () => {
  test('says of each table what a run would do, and why', async () => {
    const [data, into] = [join(root, 'plan-data'), join(root, 'plan-lake')];
    const people = { email: 'a@example.com', spelled: ['a@example.com'], customerName: 'A', phone: '1' };
    const land = (name: string, seconds: number) =>
      Promise.all(
        Object.entries(
          linesOf({
            people: [{ ...people, devices: ['d'], agrees: true, moved: [seconds] }],
            steps: [{ device: 'd', at: seconds }],
          }),
        ).map(async ([each, lines]) => {
          await mkdir(join(data, each, 'landing'), { recursive: true });
          if (name === 'first.json' || each === 'step_trainer')
            await writeFile(join(data, each, 'landing', name), `${lines.join('\n')}\n`);
        }),
      );
    await land('first.json', 1);
    const planned = async (...args: string[]) => {
      const { stdout, stderr } = await lake(['plan', '--data', data, '--lake', into, ...args]);
      expect(stderr).toBe('');
      return stdout
        .split('\n')
        .map((line) => line.trim().split(/ {2,}/))
        .filter(([, is]) => is)
        .slice(1);
    };
    expect((await planned()).map(([, ...said]) => said)).toEqual([
      ...stedi.sources.map(() => ['made', 'was never read']),
      ...stedi.jobs.map(() => ['made', 'was never made']),
    ]);
    expect((await lake(['run', '--data', data, '--lake', into])).status).toBe(0);
    await land('second.json', 2);
    const after = Object.fromEntries((await planned()).map(([table, ...said]) => [table, said]));
    expect(after).toMatchObject({
      customer_landing: ['kept'],
      accelerometer_landing: ['kept'],
      step_trainer_landing: ['made', '1 file is new'],
      customer_trusted: ['kept'],
      accelerometer_trusted: ['kept'],
      step_trainer_trusted: ['maybe', 'if step_trainer_landing has other rows, in part by serialNumber'],
    });
    const other = Object.fromEntries(
      (await planned('--consent', 'since-grant')).map(([table, ...said]) => [table, said]),
    );
    expect(other.accelerometer_trusted).toEqual(['made', 'consent is since-grant, and was granted']);
    expect((await planned('--full')).every(([, is, why]) => is === 'made' && why === '--full')).toBe(true);
    const days = ['--from', '1970-01-01', '--to', '1970-01-02'];
    expect((await lake(['run', '--data', data, '--lake', into, ...days])).stderr).toContain(
      'not made by day, and not made again for these days: customer_trusted',
    );
  });
});
