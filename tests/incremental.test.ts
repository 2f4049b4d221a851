// A run reads what is new and makes what follows from it. Whatever happens to the files, the rules and the people in between,
// it gives what a run of everything gives on the same files, row for row.
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { DuckDbEngine } from '../engines/duckdb/engine';
import { planLake } from '../engines/duckdb/plan';
import type { RunResult } from '../engines/engine';
import { landingDir } from '../engines/landing/files';
import { inSql } from '../engines/plan';
import { loadProject } from '../engines/project';
import { Store } from '../engines/store';
import { hasQuarantine, type Pipeline } from '../model';
import { lake as stedi } from '../pipeline';
import { writeMissing } from '../samples/contract';
import { ENTITIES } from '../samples/stedi';
import { answer, lake, ROOT, temporaryDir } from './support/lake';
import { linesOf, type World, world } from './support/people';
import { differences, NONE } from './support/rows';
import { soak } from './support/soak';

const root = temporaryDir('incremental');
let lakes = 0;

/** A lake and its data, and a run of everything beside it. */
class Beside {
  readonly dir = join(root, `lake-${lakes++}`);
  readonly data = join(this.dir, 'data');
  readonly engine: DuckDbEngine;
  private runs = 0;

  constructor(
    readonly pipeline: Pipeline,
    private readonly jobs: string,
  ) {
    this.engine = new DuckDbEngine({ lake: join(this.dir, 'lake'), jobs });
  }

  folder = (source: string) =>
    landingDir(this.data, this.pipeline.sources.find(({ entity }) => entity === source) as never);

  /** Runs, and expects the tables of a run of everything in a lake of the same key and the same list. */
  async run(parameters: Readonly<Record<string, string>>, time: Date): Promise<RunResult> {
    const request = { data: this.data, parameters, time };
    const other = join(this.dir, `whole-${this.runs++}`);
    await mkdir(other);
    const copy = async (name: string) => {
      const path = join(this.dir, 'lake', name);
      if (existsSync(path)) await cp(path, join(other, name), { recursive: true });
    };
    // Before it: what it learns of devices it enters itself.
    for (const name of ['suppressed.json', 'receipts']) await copy(name);
    const plan = await planLake(new Store(join(this.dir, 'lake')), this.jobs, this.pipeline, request);
    const found = await this.engine.run(this.pipeline, request);
    const unchanged = unchangedIn(found);
    // What failed is told of some tables only.
    if (found.failures.length === 0) {
      for (const { table, does } of plan.filter((one) => one.does !== 'maybe'))
        expect({ table, does }).toEqual({ table, does: unchanged.includes(table) ? 'keep' : 'make' });
    }
    await copy('pseudonym.key');
    const whole = new DuckDbEngine({ lake: other, jobs: this.jobs });
    const expected = await whole.run(this.pipeline, request);
    expect(found.failures).toEqual(expected.failures);
    expect(countsOf(found)).toEqual(countsOf(expected));
    if (expected.failures.length === 0) {
      for (const table of this.pipeline.tables.values()) {
        await this.compare(whole, `SELECT * FROM ${table.name}`);
        if (hasQuarantine(table)) await this.compare(whole, `SELECT * FROM ${table.name}_quarantine`);
      }
    }
    await rm(other, { recursive: true });
    return found;
  }

  private async compare(whole: DuckDbEngine, sql: string) {
    const [found, expected] = [await answer(this.engine, sql), await answer(whole, sql)];
    expect({ sql, ...differences(found, expected) }).toEqual({ sql, ...NONE });
  }
}

/** What is said of each table, but for what a run's own is. */
const countsOf = ({ summary }: RunResult) =>
  summary.tables.map(({ seconds: _, unchanged: __, part: ___, ...table }) => table);

const inPart = (run: RunResult) => run.summary.tables.flatMap(({ table, part }) => (part ? [table] : []));

const unchangedIn = ({ summary }: RunResult) =>
  summary.tables.flatMap(({ table, unchanged }) => (unchanged ? [table] : []));

/** What may happen between two runs. */
type Event =
  | {
      readonly does: 'add' | 'replace';
      readonly entity: string;
      readonly world: World;
      readonly bad: boolean;
    }
  | { readonly does: 'remove' | 'touch'; readonly entity: string; readonly pick: number }
  | { readonly does: 'forget'; readonly pick: number }
  | { readonly does: 'rules'; readonly parameters: Readonly<Record<string, string>> }
  | { readonly does: 'wait'; readonly hours: number };

const entity = fc.constantFrom(...ENTITIES);
const pick = fc.nat(20);
const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ does: fc.constant('add' as const), entity, world, bad: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ does: fc.constant('replace' as const), entity, world, bad: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ does: fc.constantFrom('remove' as const, 'touch' as const), entity, pick }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('forget' as const), pick }) },
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
    weight: 1,
    arbitrary: fc.record({ does: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 60 }) }),
  },
);

const HOUR = 3_600_000;
const SEED = 20_261_128;

describe('a run of what is new gives what a run of everything gives', () => {
  test(`STEDI, histories from seed ${SEED}`, async () => {
    const [kept, parts] = [new Set<string>(), new Set<string>()];
    await fc.assert(
      fc.asyncProperty(
        world,
        fc.boolean(),
        fc.array(fc.array(event, { minLength: 1, maxLength: 3 }), { minLength: 2, maxLength: 5 }),
        async (first, isLastFirst, steps) => {
          // The last way to make a job in part is taken where the others would make most of it.
          const turned = stedi.jobs.map((job) => ({ ...job, increments: job.increments.toReversed() }));
          const pipeline = isLastFirst ? { ...stedi, jobs: turned } : stedi;
          const beside = new Beside(pipeline, join(ROOT, 'jobs'));
          let [parameters, time] = [{}, Date.UTC(2026, 0, 1)];
          let files = 0;
          const write = async (into: string, from: World, bad: boolean, name = `part-${files++}.json`) => {
            const lines = [...linesOf(from)[into as 'customer'], ...(bad ? ['{"bad'] : [])];
            await mkdir(beside.folder(into), { recursive: true });
            await writeFile(join(beside.folder(into), name), `${lines.join('\n')}\n`);
          };
          for (const each of ENTITIES) await write(each, first, false);
          await beside.run(parameters, new Date(time));
          for (const events of steps) {
            for (const one of events) {
              if (one.does === 'add') await write(one.entity, one.world, one.bad);
              else if (one.does === 'rules') parameters = one.parameters;
              else if (one.does === 'wait') time += one.hours * HOUR;
              else if (one.does === 'forget') {
                const subject = first.people[one.pick % first.people.length]?.email as string;
                await beside.engine.forget(pipeline, { subject, dryRun: false });
              } else {
                const names = (await readdir(beside.folder(one.entity))).sort();
                const name = names[('pick' in one ? one.pick : 0) % names.length] as string;
                const path = join(beside.folder(one.entity), name);
                if (one.does === 'replace') await write(one.entity, one.world, one.bad, name);
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
      { seed: SEED, numRuns: soak(5), endOnFailure: true },
    );
    // Else nothing was left out.
    expect([...kept].sort()).toEqual([...stedi.tables.keys()].sort());
    expect([...parts].sort()).toEqual(stedi.jobs.map(({ name }) => name).sort());
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
  });
});
