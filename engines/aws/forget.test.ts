import { lake } from '../../pipeline';
import { errorOf, S3StandIn } from '../../tests/standin/s3';
import {
  type AwsRequest,
  type AwsResponse,
  AwsServer,
  awsEnvironment,
  type Fault,
  json,
  jsonError,
} from '../../tests/support/aws-server';
import { outputsOf } from '../../tests/support/stack';
import { Interrupted, LakeError, type Receipt } from '../engine';
import { forgetOnStack } from './forget';
import { GlueRuns } from './glue-runs';
import type { Stack } from './stack';

const SUBJECT = 'Sarah.Li+x@example.com';
const OUTPUTS = outputsOf();
const NAME = OUTPUTS.name;
const { landing: LANDING, artifacts: ARTIFACTS } = OUTPUTS.buckets;

interface Run {
  readonly Id: string;
  readonly JobName: string;
  readonly Arguments?: Readonly<Record<string, string>>;
  JobRunState: string;
  ErrorMessage?: string;
  CompletedOn?: number;
}

/** Glue and S3 as far as forgetting needs them: time passes where the caller waits. */
class StandIn {
  readonly s3 = new S3StandIn(Object.values(OUTPUTS.buckets));
  readonly runs: Run[] = [];
  readonly workflowRuns: { WorkflowRunId: string; Status: string; CompletedOn?: number }[] = [];
  /** What a run does, look by look. */
  states = ['STARTING', 'RUNNING', 'SUCCEEDED'];
  error: string | undefined;
  /** What its log says. */
  log: string | undefined;
  /** How the first objects that are put are answered, though they were. */
  readonly putAnswers: AwsResponse[] = [];
  /** A run shows in a listing from so many listings on. */
  hidden = 0;
  leaves = (request: { readonly id: string; readonly dryRun: boolean }): unknown => ({
    id: request.id,
    at: '2026-11-25T16:00:00Z',
    codeVersion: '0.1.0',
    subject: 'a'.repeat(64),
    dryRun: request.dryRun,
    places: [{ table: 'customer_trusted', kind: 'rows', engine: 'glue', removed: 2 }],
    remade: [{ table: 'customer_trusted', engine: 'glue', rows: 5 }],
    seconds: 60,
    sharedDevices: 1,
    oldVersions: 3,
    unread: [],
    warnings: [],
  });

  get requestsLeft() {
    return [...this.s3.contentOf(LANDING).keys()];
  }
  get forgetRuns() {
    return this.runs.filter(({ JobName }) => JobName === OUTPUTS.forget);
  }

  readonly handle = (request: AwsRequest): AwsResponse => {
    if (request.operation === '') {
      const answer = this.s3.handle(request);
      return (request.method === 'PUT' && this.putAnswers.shift()) || answer;
    }
    const asked = JSON.parse(request.body.toString()) as {
      readonly JobName: string;
      readonly RunId?: string;
      readonly MaxResults?: number;
      readonly Arguments: Readonly<Record<string, string>>;
    };
    switch (request.operation) {
      case 'GetWorkflowRuns':
        return json({ Runs: this.workflowRuns });
      case 'GetJobRuns': {
        const own = this.runs.filter(({ JobName }) => JobName === asked.JobName).toReversed();
        if (own.length > 0 && this.hidden > 0) {
          this.hidden -= 1;
          return json({ JobRuns: [] });
        }
        return json({ JobRuns: own.slice(0, asked.MaxResults) });
      }
      case 'StartJobRun':
        return this.start(asked.JobName, asked.Arguments);
      case 'GetJobRun': {
        const run = this.runs.find(({ Id }) => Id === asked.RunId);
        if (!run) return jsonError('EntityNotFoundException', 'no run');
        this.advance(run);
        return json({ JobRun: run });
      }
      case 'GetLogEvents':
        return this.log !== undefined && request.body.includes(`/aws-glue/${NAME}/forget/error`)
          ? json({ events: [{ timestamp: 0, message: this.log }] })
          : jsonError('ResourceNotFoundException', 'no stream');
      default:
        return jsonError('InvalidInputException', `nobody expects ${request.operation}`);
    }
  };

  private start(JobName: string, Arguments: Readonly<Record<string, string>>): AwsResponse {
    if (this.forgetRuns.some(({ JobRunState }) => ['STARTING', 'RUNNING'].includes(JobRunState)))
      return jsonError('ConcurrentRunsExceededException', 'one at a time');
    const run = { Id: `jr_${this.runs.length}`, JobName, Arguments, JobRunState: 'STARTING' };
    this.runs.push(run);
    return json({ JobRunId: run.Id });
  }

  private advance(run: Run) {
    const [state = '', ...more] = this.states;
    run.JobRunState = state;
    if (more.length > 0) this.states = more;
    if (state === 'RUNNING') this.read(run);
    if (!['STARTING', 'RUNNING'].includes(state) && this.error !== undefined) run.ErrorMessage = this.error;
  }

  /** The job reads its request, deletes it and leaves a receipt. */
  private read(run: Run) {
    const key = run.Arguments?.['--request']?.replace(`s3://${LANDING}/`, '') ?? '';
    const body = this.s3.contentOf(LANDING).get(key);
    if (body === undefined) return;
    this.s3.buckets.get(LANDING)?.delete(key);
    const asked = JSON.parse(body.toString()) as { id: string; dryRun: boolean; subject: string };
    expect(asked).toEqual({ id: expect.any(String), dryRun: asked.dryRun, subject: SUBJECT });
    const receipt = this.leaves(asked);
    if (receipt !== undefined) this.s3.put(ARTIFACTS, `receipts/${asked.id}.json`, JSON.stringify(receipt));
  }
}

let aws: StandIn;
let server: AwsServer;
let stack: Stack;
let told: string[];
let waited: number;
const before = { ...process.env };

beforeEach(async () => {
  aws = new StandIn();
  server = new AwsServer(aws.handle);
  Object.assign(process.env, awsEnvironment(await server.start()));
  stack = { name: 'dev', outputs: OUTPUTS, client: { region: 'us-east-1', maxAttempts: 2 } };
  told = [];
  waited = 0;
});
afterEach(async () => {
  await server.stop();
  expect(process.listenerCount('SIGINT')).toBe(0);
});
afterAll(() => {
  for (const key of Object.keys(process.env)) if (!(key in before)) delete process.env[key];
  Object.assign(process.env, before);
});

const pause = async (milliseconds: number) => {
  waited += milliseconds;
};
const forget = ({ dryRun = false, how = pause } = {}): Promise<Receipt> =>
  forgetOnStack(stack, { subject: SUBJECT, dryRun }, (text) => told.push(text), how);
/** The error's message, which is for people. */
const failure = async (options?: Parameters<typeof forget>[0]): Promise<string> => {
  try {
    await forget(options);
  } catch (error) {
    expect(error).toBeInstanceOf(LakeError);
    return (error as Error).message;
  }
  throw new Error('it did not fail');
};
const asked = (operation: string) => server.requests.filter((each) => each.operation === operation);

/** What nobody may see of the person, wherever it is told. */
const quotes = (text: string) => text.toLowerCase().includes('sarah');

test('a person is forgotten by the job, whose receipt is returned', async () => {
  const receipt = await forget();
  expect(receipt).toMatchObject({ subject: 'a'.repeat(64), dryRun: false, oldVersions: 3 });
  expect(receipt.id).toMatch(/^\d{8}T\d{9}Z-[0-9a-f]{4}$/);
  expect(aws.forgetRuns.map(({ Arguments }) => Arguments)).toEqual([
    { '--request': `s3://${LANDING}/forget/requests/${receipt.id}.json` },
  ]);
  expect(aws.requestsLeft).toEqual([]);
  expect(told).toEqual([
    `${NAME}-forget (jr_0) forgets; it takes minutes`,
    `${NAME}-forget: starting`,
    `${NAME}-forget: running`,
  ]);
  // The address is in the request alone.
  expect(server.requests.filter(({ body }) => quotes(body.toString())).map(({ method }) => method)).toEqual([
    'PUT',
  ]);
  expect(server.requests.filter(({ path, query }) => quotes(path + query.toString()))).toEqual([]);
});

/** The summary of a run of a job, as the job leaves it. */
const summary = (job: string, seconds: number) => {
  const runId = '20261124T160000000Z-0f3a';
  const text = {
    version: 1,
    runId,
    job,
    outcome: 'published',
    codeVersion: '1',
    parameters: {},
    seconds,
    tables: [],
  };
  aws.s3.put(ARTIFACTS, `runs/${job}/${runId}.json`, JSON.stringify(text));
};

test('a dry run is asked of the job, and says how long the jobs took last', async () => {
  summary('customer_trusted', 200);
  summary('customers_curated', 100.5);
  await expect(forget({ dryRun: true })).resolves.toMatchObject({ dryRun: true, seconds: 300.5 });
  expect(aws.requestsLeft).toEqual([]);
});

test('a dry run that may not read how long they took says so', async () => {
  server.fault = ({ query }) => (query.has('list-type') ? errorOf('AccessDenied', 403) : undefined);
  const { warnings } = await forget({ dryRun: true });
  expect(warnings).toEqual([expect.stringMatching(/^how long it would take is not known: access denied/)]);
});

test('one that was begun and did not end well is told, until another does', async () => {
  const unfinished = () => new GlueRuns(stack).unfinishedForget();
  expect(await unfinished()).toBeUndefined();
  aws.states = ['STARTING', 'TIMEOUT'];
  await failure();
  expect(await unfinished()).toMatchObject({ id: 'jr_0', state: 'TIMEOUT' });
  aws.states = ['STARTING', 'RUNNING', 'SUCCEEDED'];
  await forget({ dryRun: true });
  expect(await unfinished()).toMatchObject({ id: 'jr_0' });
  aws.states = ['STARTING', 'RUNNING', 'SUCCEEDED'];
  told = [];
  await forget();
  expect(told[0]).toBe(
    'the last forget (jr_0) ended as TIMEOUT, and its person may not be gone: npx lake forget for them again. One of anybody completes what was begun',
  );
  expect(await unfinished()).toBeUndefined();
});

test('a stack without such a job is told', async () => {
  const { forget: _, ...none } = OUTPUTS;
  stack = { ...stack, outputs: none };
  expect(await failure()).toBe(
    'the stack dev has no job that forgets a person; where tables of the definition say whose their rows are, deploy it: pulumi up --stack dev',
  );
  expect(server.requests).toEqual([]);
});

describe('nothing is started while', () => {
  const job = `${NAME}-customer_trusted`;
  test.each(['RUNNING', 'STOPPING'])('the workflow is %s', async (Status) => {
    aws.workflowRuns.push({ WorkflowRunId: 'wr_0', Status: 'COMPLETED' }, { WorkflowRunId: 'wr_1', Status });
    expect(await failure()).toBe(
      `nobody was forgotten, as a run that goes on could bring rows back: workflow ${NAME} (wr_1); wait for its end and call this again`,
    );
  });
  test.each(['STARTING', 'RUNNING', 'STOPPING', 'WAITING'])('a job is %s', async (JobRunState) => {
    aws.runs.push({ Id: 'jr_a', JobName: job, JobRunState });
    // Glue tells the newest first; one that waits may be older.
    aws.runs.push({ Id: 'jr_b', JobName: job, JobRunState: 'FAILED' });
    expect(await failure()).toContain(`job ${job} (jr_a)`);
  });
  test('it forgets somebody else', async () => {
    aws.runs.push({ Id: 'jr_a', JobName: `${NAME}-forget`, JobRunState: 'RUNNING' });
    expect(await failure()).toContain(`job ${NAME}-forget (jr_a)`);
  });
  afterEach(() => {
    expect([asked('StartJobRun'), aws.requestsLeft]).toEqual([[], []]);
    expect(server.requests.filter(({ method }) => method === 'PUT')).toEqual([]);
  });
});

test('runs that are over are none', async () => {
  for (const JobRunState of ['STOPPED', 'SUCCEEDED', 'FAILED', 'TIMEOUT', 'ERROR', 'EXPIRED'])
    aws.runs.push({ Id: `jr_${JobRunState}`, JobName: `${NAME}-customer_trusted`, JobRunState });
  for (const Status of ['COMPLETED', 'STOPPED', 'ERROR'])
    aws.workflowRuns.push({ WorkflowRunId: 'w', Status });
  await expect(forget()).resolves.toMatchObject({ dryRun: false });
});

test('what ran meanwhile is told, as it may have brought rows back', async () => {
  const late = { Id: 'jr_late', JobName: `${NAME}-customers_curated`, JobRunState: 'SUCCEEDED' };
  server.fault = ({ operation }) => {
    if (operation === 'GetJobRun' && !aws.runs.some(({ Id }) => Id === 'jr_late'))
      aws.runs.push({ ...late, CompletedOn: Date.now() / 1000 + 60 });
    return undefined;
  };
  const { id, again } = await forget();
  expect(id).toMatch(/^\d{8}T/);
  expect(again).toBe(
    `meanwhile ran: job ${NAME}-customers_curated (jr_late); what began before the person was entered in the list of the forgotten may have brought rows back. Call this again when it has ended: what is back is removed then`,
  );
});

test('where nobody can tell what ran meanwhile, that is told', async () => {
  server.fault = ({ operation }) =>
    operation === 'GetWorkflowRuns' && aws.forgetRuns.length > 0
      ? jsonError('AccessDeniedException', 'no')
      : undefined;
  expect((await forget()).again).toMatch(
    /^nobody can tell whether something ran meanwhile that brought rows back: access denied: .*\nCall this again/,
  );
});

test('a dry run, and one beside which nothing ran, need no other', async () => {
  expect(await forget()).not.toHaveProperty('again');
  aws.workflowRuns.push({ WorkflowRunId: 'w', Status: 'COMPLETED', CompletedOn: Date.now() / 1000 + 60 });
  aws.states = ['STARTING', 'RUNNING', 'SUCCEEDED'];
  expect(await forget({ dryRun: true })).not.toHaveProperty('again');
});

describe.each(['FAILED', 'TIMEOUT', 'STOPPED', 'ERROR', 'EXPIRED'])('a job that ends as %s', (state) => {
  test('is told with its own words, and never whom they name', async () => {
    aws.states = ['STARTING', 'RUNNING', state];
    aws.error = `SystemExit: nothing came of ${SUBJECT.toLowerCase()} at s3://x`;
    aws.log = `ERROR ${SUBJECT} is there`;
    const message = await failure();
    const what = state === 'FAILED' ? 'failed' : `ended as ${state}`;
    expect(message).toBe(
      [
        `${NAME}-forget (jr_0) ${what}: SystemExit: nothing came of *** at s3://x`,
        '  the last lines of its log:',
        '    00:00:00 ERROR *** is there',
        '  log      npx lake logs forget --stack dev --run jr_0',
        `  console  https://us-east-1.console.aws.amazon.com/gluestudio/home?region=us-east-1#/job/${NAME}-forget/run/jr_0`,
        'Call this again: what was begun is completed.',
      ].join('\n'),
    );
    expect(aws.requestsLeft).toEqual([]);
  });

  test('before it read its request leaves none', async () => {
    aws.states = ['STARTING', state];
    const message = await failure();
    expect(message).toContain('\n  its log is empty\n');
    expect(message).toContain('Call this again');
    expect(aws.requestsLeft).toEqual([]);
  });
});

test('a receipt that is not there, or none of this version, is told', async () => {
  aws.leaves = () => undefined;
  expect(await failure()).toMatch(/succeeded and left no receipt at s3:.*call this again/);
  aws.states = ['STARTING', 'RUNNING', 'SUCCEEDED'];
  aws.leaves = ({ id }) => ({ id });
  expect(await failure()).toMatch(/is no receipt of this version; deploy again/);
});

test('it looks less often while nothing changes', async () => {
  aws.states = ['STARTING', ...Array<string>(200).fill('RUNNING'), 'SUCCEEDED'];
  await forget();
  expect(waited / asked('GetJobRun').length).toBeGreaterThan(15_000);
});

test('a start whose answer is lost is found by its request, late or when a second is refused', async () => {
  for (const [hidden, starts] of [
    [2, 1],
    [5, 2],
  ] as const) {
    let left = 1;
    server.requests.length = 0;
    // The request reached Glue: `cut` answers, and half of it arrives.
    server.fault = ({ operation }) => (operation === 'StartJobRun' && left-- > 0 ? 'cut' : undefined);
    aws.runs.length = 0;
    aws.states = ['STARTING', 'RUNNING', 'SUCCEEDED'];
    aws.hidden = hidden;
    await forget();
    expect(aws.forgetRuns).toHaveLength(1);
    expect(asked('StartJobRun')).toHaveLength(starts);
  }
});

test('a request that was put twice, as an answer was lost, goes with both versions', async () => {
  aws.putAnswers.push({ status: 500 });
  server.fault = ({ operation }) =>
    operation === 'StartJobRun' ? jsonError('AccessDeniedException', 'no') : undefined;
  expect(await failure()).toMatch(/^access denied: glue:StartJobRun on job /);
  expect(server.requests.filter(({ method }) => method === 'DELETE')).toHaveLength(2);
  expect(aws.requestsLeft).toEqual([]);
});

test('somebody else who was faster is waited for by the person', async () => {
  server.fault = ({ operation }) => {
    if (operation === 'StartJobRun')
      aws.runs.push({ Id: 'jr_other', JobName: `${NAME}-forget`, JobRunState: 'RUNNING' });
    return undefined;
  };
  expect(await failure()).toBe(
    `job ${NAME}-forget forgets somebody else at the moment; call this again when it has ended. Nobody was forgotten`,
  );
  expect(aws.requestsLeft).toEqual([]);
});

describe('Ctrl-C', () => {
  test('before the start leaves nothing', async () => {
    server.fault = ({ method }) => {
      if (method === 'PUT') process.emit('SIGINT');
      return undefined;
    };
    await expect(forget()).rejects.toThrow(
      new Interrupted('interrupted; nobody was forgotten, nothing was started'),
    );
    expect([aws.forgetRuns, aws.requestsLeft]).toEqual([[], []]);
  });

  test('while the job runs says that it goes on, and where its receipt will be', async () => {
    aws.states = ['RUNNING'];
    // It does not wait for the end of a wait.
    const how = () => {
      setImmediate(() => process.emit('SIGINT'));
      return new Promise<void>(() => {});
    };
    const caught = await forget({ how }).catch((error: unknown) => error);
    expect(caught).toBeInstanceOf(Interrupted);
    expect((caught as Error).message).toMatch(
      new RegExp(
        `^interrupted; ${NAME}-forget \\(jr_0\\) goes on all the same, and leaves its receipt when it is done: aws s3 cp s3://${ARTIFACTS}/receipts/\\S+\\.json -$`,
      ),
    );
  });
});

// --- Whatever goes wrong at whichever request ---

const FAULTS: readonly (readonly [string, Fault, boolean])[] = [
  ['the connection is closed', 'reset', false],
  ['half of the answer arrives', 'cut', false],
  ['AWS fails', { status: 503, body: '' }, false],
  [
    'access is denied',
    jsonError('AccessDeniedException', 'User: u is not authorized to perform: glue:X', 400),
    true,
  ],
];

/** How many requests a good run makes: each job's runs and summaries are looked at. */
const LENGTH = 11 + 2 * lake.jobs.length;

describe.each(FAULTS)('%s', (_, fault, forGood) => {
  const fits = (request: AwsRequest): Fault =>
    forGood && request.operation === '' ? errorOf('AccessDenied', 403) : fault;

  test.each(Array.from({ length: LENGTH }, (_each, i) => i))('once at request %i', async (at) => {
    server.fault = (request) => (request.index === at ? fits(request) : undefined);
    const ended = await forget().catch((error: unknown) => error);
    if (ended instanceof Error) {
      expect(ended).toBeInstanceOf(LakeError);
      expect(quotes(ended.message)).toBe(false);
      expect(forGood).toBe(true);
    }
    expect(aws.forgetRuns.length).toBeLessThanOrEqual(1);
    // Nobody but the job, which reads it, may find it: or the person is told that it is there.
    const runs = aws.forgetRuns.some(({ JobRunState }) => JobRunState === 'STARTING');
    if (!runs && aws.requestsLeft.length > 0) expect(String(ended)).toContain('may be left');
  });

  test.each(Array.from({ length: LENGTH }, (_each, i) => i))('from request %i on', async (at) => {
    server.fault = (request) => (request.index >= at ? fits(request) : undefined);
    const ended = await forget().catch((error: unknown) => error);
    const all = [String(ended), ...told].join('\n');
    expect(quotes(all)).toBe(false);
    if (ended instanceof Error) expect(ended).toBeInstanceOf(LakeError);
    else expect(server.requests.length).toBeGreaterThan(at);
    if (aws.requestsLeft.length > 0) expect(all).toMatch(/may be left|goes on all the same/);
  });
});

test('a good run makes as many requests as are broken above', async () => {
  await forget();
  expect(server.requests).toHaveLength(LENGTH);
});
