import { type Job, runTime } from '../../model';
import { lake as pipeline } from '../../pipeline';
import { GlueStandIn } from '../../tests/standin/glue';
import {
  type AwsRequest,
  AwsServer,
  awsEnvironment,
  type Fault,
  jsonError,
} from '../../tests/support/aws-server';
import { someOf } from '../../tests/support/soak';
import { outputsOf } from '../../tests/support/stack';
import { LakeError, type RunEvent } from '../engine';
import { GlueRuns } from './glue-runs';
import type { Stack } from './stack';
import { followWorkflow, runJobs, type StackRunResult } from './stack-run';
import { Summaries } from './summaries';

const JOBS = pipeline.jobs.map(({ name }) => name);
/** What a run of the stack says something of: a source that no job reads is not among them. */
const TABLES = [...pipeline.tables].flatMap(([name, table]) =>
  pipeline.jobs.some(({ output, inputs }) => [output, ...inputs].some((one) => one === table)) ? [name] : [],
);
const outputs = outputsOf(pipeline);

let server: AwsServer;
let glue: GlueStandIn;
let events: RunEvent[];
let stack: Stack;

beforeEach(async () => {
  glue = new GlueStandIn(pipeline, outputs);
  server = new AwsServer(glue.handle);
  Object.assign(process.env, awsEnvironment(await server.start()));
  events = [];
  stack = {
    name: 'dev',
    outputs,
    client: {
      region: 'us-east-1',
      maxAttempts: 3,
      requestHandler: { connectionTimeout: 1_000, socketTimeout: 2_000 },
    },
  };
});
afterEach(() => server.stop());

const runs = () => new GlueRuns(stack, glue.advance);
const following = () => ({
  pipeline,
  stack: 'dev',
  runs: runs(),
  summaries: new Summaries(stack),
  tell: (event: RunEvent) => {
    events.push(event);
  },
  pause: glue.advance,
});

async function workflow(): Promise<StackRunResult> {
  const id = await runs().startWorkflow();
  return followWorkflow(following(), id);
}

const only = (names: readonly string[], parameters: Readonly<Record<string, string>> = {}) =>
  runJobs(
    following(),
    pipeline.jobs.filter(({ name }) => names.includes(name)),
    parameters,
  );

/** What was told of each table, in order. */
const told = () =>
  Object.fromEntries(
    TABLES.map((table) => [
      table,
      events.flatMap((event) =>
        ('summary' in event ? event.summary.table : event.table) === table ? [event.kind] : [],
      ),
    ]),
  );

/** How many jobs follow each other at most. */
function depthOf(jobs: typeof pipeline.jobs): number {
  const depths = new Map<string, number>();
  for (const { name, inputs } of jobs)
    depths.set(name, 1 + Math.max(0, ...inputs.map((input) => depths.get(input.name) ?? 0)));
  return Math.max(...depths.values());
}

const count = (operation: string) => server.requests.filter((r) => r.operation === operation).length;

describe('a run of the workflow', () => {
  test('is followed to its end', async () => {
    const { summary, failed, notes } = await workflow();
    expect({ failed, notes, skipped: summary.skipped }).toEqual({ failed: [], notes: [], skipped: [] });
    expect(summary).toMatchObject({ stack: 'dev', outcome: 'published', codeVersion: '1.0.0' });
    expect(summary.tables.map(({ table }) => table)).toEqual(TABLES);
    expect(summary.jobs.map(({ job, state }) => [job, state])).toEqual(JOBS.map((job) => [job, 'SUCCEEDED']));
    // A job says by which time it judged consents.
    expect(summary.parameters).toEqual({
      consent: 'granted',
      pairing: 'customer',
      run_time: runTime.default,
    });
    // As long as the longest way through the jobs, of which each takes a minute.
    expect(summary.seconds).toBe(60 * depthOf(pipeline.jobs));
    expect(told()).toEqual(Object.fromEntries(TABLES.map((table) => [table, ['start', 'done']])));
  });

  test('is looked at less often while nothing changes', async () => {
    glue.jobSeconds = 1_000;
    await workflow();
    const seconds = 1_000 * depthOf(pipeline.jobs);
    // Not every two seconds, as in the beginning.
    expect(count('GetWorkflowRun')).toBeLessThan(seconds / 10);
    expect(count('GetWorkflowRun')).toBeGreaterThan(seconds / 20);
  });

  test.each(['FAILED', 'TIMEOUT', 'STOPPED'] as const)('with a job that ends as %s failed', async (state) => {
    glue.ends.set('customers_curated', state);
    const { summary, failed } = await workflow();
    expect(glue.workflowRuns.map((run) => run.ended !== undefined)).toEqual([true]);
    expect(summary.outcome).toBe('failed');
    expect(failed).toMatchObject([
      {
        job: 'customers_curated',
        state,
        error: 'SystemExit: stedi-lakehouse-dev-customers_curated was not published.',
      },
    ]);
    expect(summary.skipped).toEqual(JOBS.slice(JOBS.indexOf('customers_curated') + 1));
    expect(told()).toMatchObject({
      accelerometer_trusted: ['start', 'done'],
      // Only one that failed by itself left a summary.
      customers_curated: state === 'FAILED' ? ['start', 'failed', 'done'] : ['start', 'failed'],
      step_trainer_landing: ['skipped'],
      step_trainer_trusted: ['skipped'],
      machine_learning_curated: ['skipped'],
    });
  });

  test('is not told by the summary of the one before', async () => {
    glue.jobSeconds = 10;
    await workflow();
    glue.ends.set('customers_curated', 'TIMEOUT');
    events = [];
    await workflow();
    expect(told().customers_curated).toEqual(['start', 'failed']);
  });

  test('that goes on keeps another from being started', async () => {
    const id = await runs().startWorkflow();
    await expect(runs().startWorkflow()).rejects.toThrow(
      `a run of the workflow is going on (${id}); npx lake status --stack dev tells how far it is. Nothing was started`,
    );
    expect(count('StartWorkflowRun')).toBe(1);
  });

  test('that a schedule starts at the same moment is told', async () => {
    server.fault = ({ operation }) =>
      operation === 'StartWorkflowRun' ? jsonError('ConcurrentRunsExceededException', 'x') : undefined;
    await expect(runs().startWorkflow()).rejects.toThrow(
      'a run of the workflow is going on; npx lake status',
    );
  });

  test('whose summaries may not be read is judged all the same', async () => {
    server.fault = ({ operation }) =>
      operation === '' ? { status: 403, body: '<Error><Code>AccessDenied</Code></Error>' } : undefined;
    const { summary, notes } = await workflow();
    expect(summary.outcome).toBe('published');
    expect(notes).toHaveLength(JOBS.length);
    expect(notes[0]).toMatch(
      /^the summary of customer_trusted could not be read: access denied: s3:ListBucket on /,
    );
    expect(told().customer_trusted).toEqual(['start', 'untold']);
  });

  test('whose summaries are of another format names one', async () => {
    await workflow();
    const [key, text] = [...glue.objects].find(([at]) => at.includes('/runs/customer_trusted/')) ?? ['', ''];
    glue.objects.set(key, JSON.stringify({ ...JSON.parse(text), version: 2 }));
    await expect(new Summaries(stack).newestPublished('customer_trusted')).rejects.toThrow(
      `s3://${key} is of format 2, and this version reads 1; use the version that wrote it`,
    );
  });

  test('is found among many pages of others', async () => {
    glue.perRequest = 0;
    for (let i = 0; i < 5; i++) await workflow();
    const newest = await runs().newestWorkflowRun();
    expect(newest?.id).toBe(glue.workflowRuns.at(-1)?.id);
  });
});

describe('jobs alone', () => {
  test('each begins when those have succeeded that it reads', async () => {
    const { summary } = await only(['customer_trusted', 'customers_curated', 'accelerometer_trusted']);
    expect(summary.outcome).toBe('published');
    const at = new Map(glue.jobRuns.map((run) => [run.name.replace(`${outputs.name}-`, ''), run]));
    const ends = (job: string) => at.get(job)?.ends ?? 0;
    expect(at.get('accelerometer_trusted')?.began).toBeGreaterThanOrEqual(ends('customer_trusted'));
    expect(at.get('customers_curated')?.began).toBeGreaterThanOrEqual(ends('accelerometer_trusted'));
    expect(count('StartWorkflowRun')).toBe(0);
  });

  test('one that fails keeps those after it from beginning', async () => {
    glue.ends.set('customer_trusted', 'FAILED');
    const { summary, failed } = await only([
      'customer_trusted',
      'accelerometer_trusted',
      'step_trainer_trusted',
    ]);
    expect(failed.map(({ job }) => job)).toEqual(['customer_trusted']);
    expect(summary.skipped).toEqual(['accelerometer_trusted', 'step_trainer_trusted']);
    expect(summary.jobs.map(({ job, state }) => [job, state])).toEqual([['customer_trusted', 'FAILED']]);
  });

  test('one that reads none of them goes on beside one that fails', async () => {
    glue.ends.set('customer_trusted', 'FAILED');
    const { summary } = await only(['customer_trusted', 'step_trainer_trusted']);
    expect(summary.skipped).toEqual([]);
    expect(summary.outcome).toBe('failed');
    expect(summary.jobs.map(({ job, state }) => [job, state])).toEqual([
      ['customer_trusted', 'FAILED'],
      ['step_trainer_trusted', 'SUCCEEDED'],
    ]);
  });

  test('parameters go to the jobs that have them', async () => {
    await only(['customer_trusted', 'accelerometer_trusted'], { consent: 'since-grant' });
    expect(glue.jobRuns.map(({ name, args }) => [name, args['--parameters']])).toEqual([
      [`${outputs.name}-customer_trusted`, undefined],
      [`${outputs.name}-accelerometer_trusted`, 'consent=since-grant'],
    ]);
  });

  test('a parameter that is not given stays as the stack has it', async () => {
    const [first] = pipeline.jobs;
    if (!first) throw new Error('no job');
    const values = ['a', 'b'] as const;
    const parameters = ['mode', 'unit'].map((name) => ({ name, description: 'x', values, default: 'a' }));
    await runs().startJob({ ...first, parameters }, { mode: 'strict' });
    expect(glue.jobRuns[0]?.args['--parameters']).toBe('unit=kg,mode=strict');
  });

  test('one that runs already is not started', async () => {
    const job = pipeline.jobs.filter(({ name }) => name === 'customer_trusted');
    await only(['customer_trusted']);
    await expect(runs().failOnRunning(['customer_trusted'])).resolves.toBeUndefined();
    const id = await runs().startJob(job[0] as (typeof job)[0], {});
    await expect(runs().failOnRunning(['customer_trusted'])).rejects.toThrow(
      `running already: customer_trusted (${id})`,
    );
  });
});

describe('nothing is started', () => {
  afterEach(() => {
    expect(count('StartWorkflowRun') + count('StartJobRun')).toBe(0);
  });

  test('while a person is being forgotten', async () => {
    const id = glue.forgetStarted();
    const why = `a forget goes on: job stedi-lakehouse-dev-forget (${id}); wait for its end. `;
    await expect(runs().startWorkflow()).rejects.toThrow(`${why}Nothing was started`);
    await expect(runs().failOnRunning(['customer_trusted'])).rejects.toThrow(`${why}Nothing was started`);
    await expect(only(['customer_trusted'])).rejects.toThrow(`${why}customer_trusted was not started`);
  });

  test('of the workflow while a job of it runs alone, or waits behind one that is over', async () => {
    const run = glue.jobRunStarted('customers_curated');
    run.began -= 60_000;
    glue.jobRunStarted('customers_curated').state = 'SUCCEEDED';
    await expect(runs().startWorkflow()).rejects.toThrow(
      `running already: customers_curated (${run.id}); npx lake status --stack dev tells how far. Nothing was started`,
    );
  });
});

test('a forget that is over, or a stack without one, keeps nothing from being started', async () => {
  glue.forgetStarted();
  await glue.advance(100_000);
  await runs().startWorkflow();
  const { forget: _, ...none } = outputs;
  stack = { ...stack, outputs: none };
  await glue.advance(1_000_000);
  await runs().startWorkflow();
  expect(count('StartWorkflowRun')).toBe(2);
});

/** A fault of one request, and whether a run comes to its end all the same. */
const FAULTS: readonly { name: string; fault: Fault; survives: boolean }[] = [
  { name: 'a 500', fault: jsonError('InternalServiceException', 'x', 500), survives: true },
  { name: 'a throttle', fault: jsonError('ThrottlingException', 'Rate exceeded'), survives: true },
  { name: 'a reset', fault: 'reset', survives: true },
  { name: 'a cut', fault: 'cut', survives: true },
  {
    name: 'a 403',
    fault: jsonError('AccessDeniedException', 'User: arn:aws:iam::1:user/me is not authorized', 400),
    survives: false,
  },
];

/** Everything anew, with a fault. */
async function anew(fault: (request: AwsRequest) => Fault | undefined): Promise<void> {
  await server.stop();
  glue = new GlueStandIn(pipeline, outputs);
  glue.jobSeconds = 10;
  server = new AwsServer(glue.handle);
  server.fault = fault;
  process.env.AWS_ENDPOINT_URL = await server.start();
}

/** Jobs that were started more than once. */
const twice = () => {
  const names = glue.jobRuns.map(({ name }) => name);
  return names.filter((name, i) => names.indexOf(name) !== i);
};

describe.each([
  { what: 'the workflow', run: workflow, guarded: true },
  {
    what: 'jobs alone',
    run: () => only(['customer_trusted', 'accelerometer_trusted']),
    guarded: false,
  },
])('$what with a fault at every request in turn', ({ run, guarded }) => {
  test.each(FAULTS)(
    '$name: nothing is started twice, and the end is told right',
    async ({ fault, survives }) => {
      await anew(() => undefined);
      await run();
      const requests = server.requests.length;
      // Each throttle is waited for.
      for (const at of isThrottle(fault) ? someOf(requests) : Array(requests).keys()) {
        await anew(({ index }) => (index === at ? fault : undefined));
        const result = await run().catch((error: Error) => error);
        // How often a run is looked at is a matter of chance, so that only now it is known what was hit.
        const operation = server.requests[at]?.operation ?? '';
        const place = `${operation} (${at})`;
        expect([place, glue.workflowRuns.length <= 1, twice()]).toEqual([place, true, []]);
        // A summary that may not be read changes no outcome; of a job nobody knows whether it began.
        const unclear = !guarded && operation === 'StartJobRun' && fault !== 'cut' && !isThrottle(fault);
        if (operation === '' ? true : survives && !unclear) {
          expect([place, result]).toEqual([place, expect.objectContaining({ failed: [] })]);
        } else {
          expect([place, result]).toEqual([place, expect.any(LakeError)]);
          expect((result as Error).message).not.toMatch(/arn:aws/);
        }
      }
      expect(requests).toBeGreaterThan(8);
    },
  );
});

const isThrottle = (fault: Fault) => typeof fault === 'object' && `${fault.body}`.includes('Throttling');

describe('a start whose answer is lost', () => {
  /** Takes the start, and loses its answer; `times` of them. */
  const losing = (operation: string, times: number, fault: Fault) => {
    let left = times;
    server.fault = (request) => (request.operation === operation && left-- > 0 ? fault : undefined);
  };

  test('is found by its mark, however late it shows', async () => {
    glue.lag = 3;
    glue.jobSeconds = 600;
    losing('StartWorkflowRun', 1, 'cut');
    const id = await runs().startWorkflow();
    expect(glue.workflowRuns.map((run) => run.id)).toEqual([id]);
    expect(count('StartWorkflowRun')).toBe(1);
  });

  test('is refused by Glue where it shows later than is waited for, and is found then', async () => {
    glue.lag = 6;
    glue.jobSeconds = 600;
    losing('StartWorkflowRun', 1, 'cut');
    const id = await runs().startWorkflow();
    expect(glue.workflowRuns.map((run) => run.id)).toEqual([id]);
    expect(count('StartWorkflowRun')).toBe(2);
  });

  test('is not taken for a run that somebody else started meanwhile', async () => {
    glue.jobSeconds = 600;
    let other: string | undefined;
    server.fault = ({ operation }) => {
      if (operation !== 'StartWorkflowRun' || other !== undefined) return undefined;
      other = glue.startedByOthers();
      return 'reset';
    };
    await expect(runs().startWorkflow()).rejects.toThrow(/a run of the workflow is going on \(wr_/);
    expect(glue.workflowRuns.map(({ id }) => id)).toEqual([other]);
  });

  test('of a job is never repeated unseen', async () => {
    glue.lag = 100;
    losing('StartJobRun', 1, 'cut');
    const [job] = pipeline.jobs;
    await expect(runs().startJob(job as Job, {})).rejects.toThrow(
      /^nobody can tell whether job stedi-lakehouse-dev-customer_trusted was started: .* lake status --stack dev/,
    );
    expect(glue.jobRuns).toHaveLength(1);
  });

  test.each([
    ['500s', jsonError('InternalServiceException', 'x', 500), /nobody can tell whether workflow/],
    ['resets', 'reset' as const, /nobody can tell whether workflow/],
    ['throttles', jsonError('ThrottlingException', 'x'), /AWS throttles: .*refused 8 times in a row/],
  ])('%s for ever end in words', async (_, fault, words) => {
    losing('StartWorkflowRun', 1_000, fault);
    await expect(runs().startWorkflow()).rejects.toThrow(words);
    expect(count('StartWorkflowRun')).toBe(8);
    expect(glue.workflowRuns).toEqual([]);
  });
});
