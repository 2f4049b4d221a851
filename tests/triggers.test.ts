// Glue runs the jobs of a workflow as its triggers say. Here the triggers that the provider receives are run by Glue's
// rules, and what runs is compared with the pipeline itself, not with components/triggers.ts.
import { array, assert, boolean, constantFrom, nat, property, record, shuffledSubarray } from 'fast-check';
import { type Trigger, triggersOf } from '../components/triggers';
import { double, type Job, lakehouse, type Table } from '../model';
import { lake } from '../pipeline';
import { type Emitted, emitted } from './support/emitted';
import {
  END_STATES,
  type EndState,
  faultsOf,
  firesOnCreation,
  matches,
  startsOf,
  type TriggerInputs,
  WorkflowRun,
} from './support/glue-triggers';

const FAILURES = END_STATES.filter((state) => state !== 'SUCCEEDED');

/** Who has to succeed before a job runs: those that make its inputs, and so on. */
function upstreamOf(job: Job, jobs: readonly Job[]): Set<Job> {
  const makers = jobs.filter(({ output }) => job.inputs.some(({ name }) => name === output.name));
  return new Set(makers.flatMap((maker) => [maker, ...upstreamOf(maker, jobs)]));
}

/** What a run did wrong. `order` is the jobs as they started, `states` how those ended that did not succeed. */
function wrongIn(
  jobs: readonly Job[],
  nameOf: (job: Job) => string,
  states: ReadonlyMap<string, EndState>,
  run: { readonly started: readonly string[]; readonly madeBefore: ReadonlyMap<string, readonly string[]> },
): string[] {
  const isFine = (job: Job) => !states.has(nameOf(job));
  const due = jobs.filter((job) => [...upstreamOf(job, jobs)].every(isFine));
  const wrong: string[] = [];
  for (const job of jobs) {
    const name = nameOf(job);
    const times = run.started.filter((each) => each === name).length;
    const expected = due.includes(job) ? 1 : 0;
    if (times !== expected) wrong.push(`${name} ran ${times} times and not ${expected}`);
    if (times === 0) continue;
    const ready = run.madeBefore.get(name) ?? [];
    for (const before of upstreamOf(job, jobs)) {
      if (!ready.includes(nameOf(before))) wrong.push(`${name} ran before ${nameOf(before)} had succeeded`);
    }
  }
  const unknown = run.started.filter((name) => !jobs.some((job) => nameOf(job) === name));
  return [...wrong, ...unknown.map((name) => `${name} ran, which is no job`)];
}

/** Runs a workflow to its end; `pick` says which of the running jobs ends next. */
function simulated(
  triggers: readonly TriggerInputs[],
  states: ReadonlyMap<string, EndState>,
  pick: (running: readonly string[]) => string,
) {
  const run = new WorkflowRun(triggers);
  const madeBefore = new Map<string, readonly string[]>();
  const succeeded: string[] = [];
  const note = () => {
    for (const name of run.started) if (!madeBefore.has(name)) madeBefore.set(name, [...succeeded]);
  };
  note();
  // A workflow that starts its jobs over and over is stopped.
  for (let ends = 0; run.runs.length > 0 && ends < 1000; ends++) {
    const job = pick(run.runs);
    const state = states.get(job) ?? 'SUCCEEDED';
    if (state === 'SUCCEEDED') succeeded.push(job);
    run.end(job, state);
    note();
  }
  return { started: run.started, madeBefore };
}

/** All orders in which the running jobs can end: each is the place of the one that ends, at every end. */
function everyOrder(explore: (pick: (running: readonly string[]) => string) => void): number {
  const pending: number[][] = [[]];
  let orders = 0;
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const taken: number[] = [];
    const given = path;
    explore((running) => {
      const place = given[taken.length] ?? 0;
      // Where the path ends, its other branches are still to be tried.
      if (taken.length >= given.length) {
        for (let other = 1; other < running.length; other++) pending.push([...taken, other]);
      }
      taken.push(place);
      return running[place] ?? '';
    });
    orders += 1;
  }
  return orders;
}

const subsets = <T>(values: readonly T[]): T[][] =>
  Array.from({ length: 2 ** values.length }, (_, bits) => values.filter((_, i) => (bits >> i) % 2 === 1));

/** All that goes wrong in runs of some triggers: every order of ends, for every set of jobs that fail in any way. */
function wrongOf(triggers: readonly TriggerInputs[], jobs: readonly Job[], nameOf: (job: Job) => string) {
  const wrong = new Set<string>();
  let runs = 0;
  for (const failing of subsets(jobs)) {
    for (const state of failing.length === 0 ? [FAILURES[0]] : FAILURES) {
      const states = new Map(failing.map((job): [string, EndState] => [nameOf(job), state ?? 'FAILED']));
      runs += everyOrder((pick) => {
        for (const fault of wrongIn(jobs, nameOf, states, simulated(triggers, states, pick)))
          wrong.add(fault);
      });
    }
  }
  return { runs, wrong: [...wrong] };
}

const CRON = 'cron(0 3 * * ? *)';
const STARTS = ['demand', CRON, 'files'] as const;
type StartSetting = (typeof STARTS)[number];

describe('the triggers of the workflow, as the provider receives them', () => {
  const received = new Map<StartSetting, readonly Emitted[]>();
  beforeAll(async () => {
    for (const start of STARTS) received.set(start, (await emitted('dev', { start })).resources);
  });

  const NAME = 'stedi-lakehouse-dev';
  const nameOf = ({ name }: Pick<Job, 'name'>) => `${NAME}-${name}`;
  const inputsOf = (start: StartSetting, type: string) =>
    (received.get(start) ?? []).filter((one) => one.type === type).map(({ inputs }) => inputs);
  const triggersIn = (start: StartSetting) =>
    inputsOf(start, 'aws:glue/trigger:Trigger') as unknown as TriggerInputs[];
  const runsOf = (start: StartSetting) => wrongOf(triggersIn(start), lake.jobs, nameOf);

  describe.each(STARTS)('start: %s', (start) => {
    it('are what Glue takes', () => {
      const [workflow, ...others] = inputsOf(start, 'aws:glue/workflow:Workflow');
      expect(others).toEqual([]);
      expect(faultsOf(triggersIn(start), String(workflow?.name))).toEqual([]);
      const jobs = inputsOf(start, 'aws:glue/job:Job').map(({ name }) => name);
      const forget = nameOf({ name: 'forget' });
      expect(jobs.toSorted()).toEqual([...lake.jobs.map(nameOf), forget].toSorted());
      // Whom to forget, no schedule and no file can say.
      expect(JSON.stringify(triggersIn(start))).not.toContain(forget);
    });

    it('start nothing when they are made', () => {
      expect(triggersIn(start).filter(firesOnCreation)).toEqual([]);
    });

    it('run each job once, after all that make its inputs, and none after one that failed', () => {
      const { runs, wrong } = runsOf(start);
      expect(wrong).toEqual([]);
      // 31 sets of failing jobs in 3 ways, and none.
      expect(runs).toBeGreaterThanOrEqual(94);
    });
  });

  it('start as the stack says', () => {
    const starts = STARTS.map((start) => triggersIn(start).filter(({ type }) => type !== 'CONDITIONAL'));
    expect(starts).toMatchObject([
      [{ type: 'ON_DEMAND', enabled: false }],
      [{ type: 'SCHEDULED', schedule: CRON }],
      [{ type: 'EVENT', enabled: false }],
    ]);
  });

  describe('broken in any way, are found out', () => {
    type Change = (trigger: TriggerInputs) => TriggerInputs;
    const when =
      (fits: (trigger: TriggerInputs) => boolean, change: Change): Change =>
      (trigger) =>
        fits(trigger) ? change(trigger) : trigger;
    const conditional = ({ type }: TriggerInputs) => type === 'CONDITIONAL';
    const conditionsOf = ({ predicate }: TriggerInputs) => predicate?.conditions ?? [];
    const of = (job: string) => (trigger: TriggerInputs) =>
      conditional(trigger) && trigger.name === `${NAME}-${job}`;
    it.each<[string, Change]>([
      [
        'any input instead of all',
        when(conditional, (one) => ({ ...one, predicate: { ...one.predicate, logical: 'ANY' } })),
      ],
      [
        'an input less',
        when(of('machine_learning_curated'), (one) => ({
          ...one,
          predicate: {
            logical: 'AND',
            conditions: conditionsOf(one).filter(({ jobName }) => !jobName?.endsWith('step_trainer_trusted')),
          },
        })),
      ],
      [
        'after a failure',
        when(of('accelerometer_trusted'), (one) => ({
          ...one,
          predicate: {
            ...one.predicate,
            conditions: conditionsOf(one).map((condition) => ({ ...condition, state: 'FAILED' })),
          },
        })),
      ],
      ['not enabled', when(of('customers_curated'), (one) => ({ ...one, enabled: false }))],
      ['not active', when(of('customers_curated'), (one) => ({ ...one, startOnCreation: false }))],
      [
        'a job that two triggers start',
        when(of('customers_curated'), (one) => ({
          ...one,
          actions: [...one.actions, { jobName: nameOf({ name: 'step_trainer_trusted' }) }],
        })),
      ],
      [
        'a job that the start starts too',
        when(
          (one) => !conditional(one),
          (one) => ({
            ...one,
            actions: [...one.actions, { jobName: nameOf({ name: 'accelerometer_trusted' }) }],
          }),
        ),
      ],
      ['a job that nothing starts', when(of('customers_curated'), (one) => ({ ...one, actions: [] }))],
    ])('%s', (_, change) => {
      for (const start of STARTS) {
        const changed = triggersIn(start).map(change);
        expect(changed).not.toEqual(triggersIn(start));
        expect(wrongOf(changed, lake.jobs, nameOf).wrong).not.toEqual([]);
      }
    });

    it('on demand, where the provider starts it', () => {
      const enabled = triggersIn('demand').map((trigger) => ({ ...trigger, enabled: true }));
      expect(enabled.filter(firesOnCreation)).toHaveLength(1);
    });
  });

  describe('start: files', () => {
    const bucketOf = (zone: string) => `${NAME}-${zone}-123456789012`;
    const landed = (bucket: string, key: string) => ({
      version: '0',
      id: '17793124-05d4-b198-2fde-7ededc63b103',
      'detail-type': 'Object Created',
      source: 'aws.s3',
      account: '123456789012',
      time: '2026-11-12T00:00:00Z',
      region: 'us-east-1',
      resources: [`arn:aws:s3:::${bucket}`],
      detail: {
        version: '0',
        bucket: { name: bucket },
        object: { key, size: 5, etag: 'b1946ac92492d2347c6235b4d2611184', sequencer: '00617F08299329D189' },
        'request-id': 'N4N7GDK58NMKJ12R',
        requester: '123456789012',
        'source-ip-address': '192.0.2.1',
        reason: 'PutObject',
      },
    });
    const ruleOf = () => {
      const [target, ...others] = inputsOf('files', 'aws:cloudwatch/eventTarget:EventTarget');
      expect(others).toEqual([]);
      expect(target?.arn).toBe(`arn:aws:glue:us-east-1:123456789012:workflow/${NAME}`);
      const rule = inputsOf('files', 'aws:cloudwatch/eventRule:EventRule').find(
        ({ name }) => name === target?.rule,
      );
      const pattern = JSON.parse(String(rule?.eventPattern));
      return (event: unknown) => matches(pattern, event);
    };

    it('tells the workflow of a file of each source', () => {
      const tells = ruleOf();
      for (const { entity } of lake.sources) {
        for (const file of ['part-0.json', '2026/11/12/part-0.json.gz']) {
          const event = landed(bucketOf('landing'), `${entity}/landing/${file}`);
          expect([event.detail.object.key, tells(event)]).toEqual([event.detail.object.key, true]);
        }
      }
    });

    it('tells it of nothing else', () => {
      const tells = ruleOf();
      const told: string[] = [];
      const file = 'part-0.json';
      for (const { entity, name } of lake.sources) {
        const own = landed(bucketOf('landing'), `${entity}/landing/${file}`);
        const keys = [
          `quarantine/${name}/${file}`,
          `${entity}/landing_x/${file}`,
          `${entity}/landing`,
          `${entity}/${file}`,
          `${entity}_x/landing/${file}`,
          `x/${entity}/landing/${file}`,
          file,
        ];
        const events = [
          ...keys.map((key) => landed(bucketOf('landing'), key)),
          ...['trusted', 'curated', 'artifacts', 'landing-2'].map((zone) =>
            landed(bucketOf(zone), own.detail.object.key),
          ),
          { ...own, 'detail-type': 'Object Deleted' },
          { ...own, 'detail-type': 'Object Tags Added' },
          { ...own, source: 'aws.glue' },
        ];
        told.push(...events.filter(tells).map((event) => JSON.stringify(event)));
      }
      for (const { output } of lake.jobs) {
        const event = landed(bucketOf(output.zone), `${output.name}/data/${file}`);
        if (tells(event)) told.push(JSON.stringify(event));
      }
      expect(told).toEqual([]);
    });

    it('is reported by the bucket of the landing zone alone, and then only', () => {
      const reporting = (start: StartSetting) =>
        inputsOf(start, 'aws:s3/bucketNotification:BucketNotification').map(({ bucket, eventbridge }) => [
          bucket,
          eventbridge,
        ]);
      expect(reporting('files')).toEqual([[bucketOf('landing'), true]]);
      for (const start of ['demand', CRON] as const) {
        expect(reporting(start)).toEqual([]);
        expect(inputsOf(start, 'aws:cloudwatch/eventRule:EventRule')).toEqual([]);
      }
    });

    it('is one run for the files of one upload', () => {
      const trigger = triggersIn('files').find(({ type }) => type === 'EVENT');
      if (!trigger) throw new Error('there is no EVENT trigger');
      expect(startsOf(trigger, [0])).toEqual([900]);
      expect(startsOf(trigger, [0, 10, 890])).toEqual([900]);
      expect(startsOf(trigger, [0, 1000])).toEqual([900, 1900]);
      expect(
        startsOf(
          trigger,
          Array.from({ length: 100 }, (_, i) => i),
        ),
      ).toEqual([99]);
    });
  });
});

describe('the triggers of any pipeline', () => {
  const any = lakehouse(['any']);
  const columns = { x: double('A number.') };

  /** Jobs of which each reads a source, or some of those before it. */
  function jobsOf(
    shapes: readonly { readonly reads: readonly boolean[]; readonly source: boolean }[],
  ): Job[] {
    const source: Table = any.source({
      name: 'source',
      zone: 'any',
      entity: 'any',
      description: 'Any.',
      columns,
    });
    const jobs: Job[] = [];
    for (const [at, shape] of shapes.entries()) {
      const inputs: Table[] = jobs.filter((_, i) => shape.reads[i]).map(({ output }) => output);
      if (shape.source || inputs.length === 0) inputs.push(source);
      const output = any.table({ name: `job_${at}`, zone: 'any', description: 'Any.', columns });
      const [first = source, ...rest] = inputs as Table<string, 'any'>[];
      jobs.push(any.job({ output, inputs: [first as Table<string, 'any'>, ...rest], description: 'Any.' }));
    }
    return jobs;
  }

  /** As Glue takes it. */
  const inputsOf = (trigger: Trigger): TriggerInputs => ({
    name: trigger.name,
    workflowName: 'any',
    actions: trigger.starts.map((jobName) => ({ jobName })),
    ...(trigger.kind === 'after'
      ? {
          type: 'CONDITIONAL',
          predicate: {
            logical: 'AND',
            conditions: trigger.after.map((jobName) => ({ jobName, state: 'SUCCEEDED' })),
          },
        }
      : { type: 'ON_DEMAND', enabled: false }),
  });

  it('run each job once, after all that make its inputs, and none after one that failed', () => {
    const SIZE = 8;
    const shapes = array(
      record({ reads: array(boolean(), { minLength: SIZE, maxLength: SIZE }), source: boolean() }),
      { minLength: 1, maxLength: SIZE },
    );
    const cases = shapes.chain((drawn) => {
      const jobs = jobsOf(drawn);
      return record({
        jobs: shuffledSubarray(jobs, { minLength: jobs.length }),
        failing: shuffledSubarray(jobs),
        state: constantFrom(...FAILURES),
        picks: array(nat(SIZE), { minLength: SIZE, maxLength: SIZE }),
      });
    });
    assert(
      property(cases, ({ jobs, failing, state, picks }) => {
        const triggers = triggersOf(jobs, 'demand').map(inputsOf);
        expect(faultsOf(triggers, 'any')).toEqual([]);
        const states = new Map(failing.map(({ name }): [string, EndState] => [name, state]));
        let at = 0;
        const run = simulated(
          triggers,
          states,
          (running) => running[(picks[at++ % picks.length] ?? 0) % running.length] ?? '',
        );
        expect(wrongIn(jobs, ({ name }) => name, states, run)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});
