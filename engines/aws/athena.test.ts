import { AthenaClient } from '@aws-sdk/client-athena';
import { ConfiguredRetryStrategy } from '@smithy/core/retry';
import { type Answer, AthenaStandin, type Look, type Started } from '../../tests/standin/athena';
import { type AwsRequest, type Fault, jsonError } from '../../tests/support/aws-server';
import { Interrupted, LakeError, UsageError } from '../engine';
import { type AsQuery, Athena, type AthenaOptions, TIMEOUTS } from './athena';

const ATTEMPTS = 4;

let standin: AthenaStandin;
let url: string;
/** What the next query is answered. */
let next: (query: Started) => Answer | Promise<Answer>;
let waited: number[];

beforeAll(async () => {
  standin = new AthenaStandin((query) => next(query));
  url = await standin.server.start();
});
afterAll(() => standin.server.stop());
beforeEach(() => {
  next = () => NUMBERS;
  waited = [];
  standin.server.fault = () => undefined;
  standin.server.requests.length = 0;
  standin.started.length = 0;
  standin.stopped.length = 0;
  standin.largestPage = 0;
});

const LONG = 2500;
/** Three looks and three pages. */
const NUMBERS: Answer = {
  columns: [{ name: 'n', type: 'bigint' }],
  rows: { count: LONG, row: (i) => [String(i)] },
  looks: [
    { state: 'QUEUED' },
    { state: 'RUNNING', scannedBytes: 5 },
    { state: 'SUCCEEDED', scannedBytes: 7 },
  ],
};

const athena = (options: Partial<AthenaOptions> = {}) =>
  new Athena({
    client: new AthenaClient({
      region: 'us-east-1',
      endpoint: url,
      credentials: { accessKeyId: 'AKIASTANDIN', secretAccessKey: 'stand-in' },
      retryStrategy: new ConfiguredRetryStrategy(ATTEMPTS, 1),
    }),
    workGroup: 'stedi-lakehouse-dev',
    database: 'stedi_lakehouse_dev',
    pause: async (milliseconds) => {
      waited.push(milliseconds);
    },
    ...options,
  });

async function asked(sql = 'SELECT n FROM t', options: Partial<AthenaOptions> = {}, as: AsQuery = {}) {
  const { rows, ...result } = await athena(options).query(sql, as);
  const all: (string | null)[][] = [];
  for await (const chunk of rows) all.push(...chunk.map((row) => [...row]));
  return { ...result, rows: all };
}

/** What a query is refused with. */
const refused = (...call: Parameters<typeof asked>) =>
  asked(...call).then(
    () => undefined,
    (error: unknown) => error as Error,
  );

const ALL = Array.from({ length: LONG }, (_, i) => [String(i)]);
const operations = () => standin.server.requests.map(({ operation }) => operation);

test('a query is started once, looked at until it ended, and read page by page', async () => {
  const result = await asked();
  expect(result).toMatchObject({
    columns: [{ name: 'n', type: 'number' }],
    scannedBytes: 7,
    reused: false,
    queryExecutionId: standin.started[0]?.id,
  });
  expect(result.rows).toEqual(ALL);
  expect(operations()).toEqual([
    'StartQueryExecution',
    ...Array(3).fill('GetQueryExecution'),
    ...Array(3).fill('GetQueryResults'),
  ]);
  expect(standin.largestPage).toBe(1000);
  expect(standin.started).toMatchObject([
    { workGroup: 'stedi-lakehouse-dev', database: 'stedi_lakehouse_dev', reuseMinutes: undefined },
  ]);
});

test('a page is asked for when the one before it was taken, and none after whoever reads leaves', async () => {
  const { rows } = await athena().query('SELECT n FROM t');
  for await (const chunk of rows) {
    expect(chunk).toHaveLength(999);
    break;
  }
  expect(operations().filter((name) => name === 'GetQueryResults')).toHaveLength(1);
});

test('it is looked at ever more rarely, at most every 5 s, and not by all at the same moment', async () => {
  const running: Look = { state: 'RUNNING' };
  next = () => ({ looks: [running, ...Array<Look>(30).fill(running), { state: 'SUCCEEDED' }] });
  await asked();
  expect(waited).toHaveLength(31);
  expect(Math.max(...waited)).toBeLessThanOrEqual(5000);
  expect(Math.min(...waited.slice(-10))).toBeGreaterThanOrEqual(2500);
  expect(waited[0]).toBeLessThanOrEqual(200);
  expect(new Set(waited.slice(-10)).size).toBeGreaterThan(1);
});

describe('values', () => {
  const columns = (...types: string[]) => types.map((type, i) => ({ name: `c${i}`, type }));

  test.each<[string, string | null, string | null]>([
    ['varchar', null, null],
    ['varchar', '', ''],
    ['varchar', 'NULL', 'NULL'],
    ['varchar', 'a,"b"\n\'c\' ü 🙂', 'a,"b"\n\'c\' ü 🙂'],
    ['bigint', '9007199254740993', '9007199254740993'],
    ['bigint', '-9223372036854775808', '-9223372036854775808'],
    ['decimal(18,3)', '167.780', '167.78'],
    ['decimal', '-0.500', '-0.5'],
    ['decimal', '100.000', '100'],
    ['decimal', '0.000', '0'],
    ['decimal(38,2)', '123456789012345678901234567890123456.70', '123456789012345678901234567890123456.7'],
    ['decimal(38,0)', '100', '100'],
    ['double', '1.0E10', '10000000000'],
    ['double', '1.0E300', '1e+300'],
    ['double', '1.0E-7', '1e-7'],
    ['double', '-0.0', '0'],
    ['double', '100.0', '100'],
    ['double', 'NaN', 'NaN'],
    ['double', '-Infinity', '-Infinity'],
    ['real', '1.1', '1.100000023841858'],
    ['boolean', 'true', 'true'],
    ['date', '0967-01-02', '0967-01-02'],
    ['timestamp', '2023-05-01 10:00:00.120', '2023-05-01 10:00:00.120'],
    ['timestamp(6)', '2023-05-01 10:00:00.120999', '2023-05-01 10:00:00.120'],
    ['timestamp(0)', '2023-05-01 10:00:00', '2023-05-01 10:00:00.000'],
    ['timestamp with time zone', '2023-05-01 10:00:00.5 UTC', '2023-05-01 10:00:00.500'],
    ['timestamp(3) with time zone', '2023-05-01 10:00:00.000 +02:00', '2023-05-01 08:00:00.000'],
    [
      'timestamp with time zone',
      '2023-05-01 10:00:00.000 Europe/Berlin',
      '2023-05-01 10:00:00.000 Europe/Berlin',
    ],
    ['array(integer)', '[1, 2]', '[1, 2]'],
    ['row(a integer)', '{a=1}', '{a=1}'],
  ])('%s %j is printed %j', async (type, text, printed) => {
    next = () => ({ columns: columns(type), rows: [[text]] });
    expect((await asked()).rows).toEqual([[printed]]);
  });

  test('each column has its kind', async () => {
    next = () => ({ columns: columns('integer', 'varchar(3)', 'timestamp(3)', 'date', 'boolean', 'map') });
    expect((await asked()).columns.map(({ type }) => type)).toEqual([
      'number',
      'text',
      'instant',
      'date',
      'boolean',
      'text',
    ]);
  });

  test('names have the capital letters of the contracts, or of the SQL', async () => {
    next = () => ({
      columns: ['serialnumber', 'total', 'other', 'twice'].map((name) => ({ name, type: 'bigint' })),
    });
    const { columns: found } = await asked('SELECT serialnumber, 1 AS Total, Twice, TWICE FROM t', {
      names: ['serialNumber', 'email'],
    });
    expect(found.map(({ name }) => name)).toEqual(['serialNumber', 'Total', 'other', 'twice']);
  });
});

describe('the header row', () => {
  const named = (statement: NonNullable<Answer['statement']>, rows = [['tab_name'], ['b']]): Answer => ({
    columns: [{ name: 'tab_name', type: 'varchar' }],
    rows,
    statement,
  });

  test.each<[string, NonNullable<Answer['statement']>, string[][]]>([
    ['of a SELECT is none of its rows', { type: 'DML', kind: 'SELECT', header: true }, [['tab_name'], ['b']]],
    [
      'is not looked for in SHOW',
      { type: 'UTILITY', kind: 'SHOW_TABLES', header: false },
      [['tab_name'], ['b']],
    ],
    ['is not looked for in DESCRIBE', { type: 'DDL', header: false }, [['tab_name'], ['b']]],
    ['is found where Athena does not say what it ran', { type: 'DML', header: true }, [['tab_name'], ['b']]],
    ['of EXPLAIN is found', { type: 'UTILITY', kind: 'EXPLAIN', header: true }, [['tab_name'], ['b']]],
  ])('%s', async (_, statement, rows) => {
    next = () => named(statement);
    expect((await asked()).rows).toEqual(rows);
  });

  test('a row that names no columns is none', async () => {
    next = () => named({ type: 'DML', header: false }, [['a'], ['b']]);
    expect((await asked()).rows).toEqual([['a'], ['b']]);
  });

  test('is on the first page only', async () => {
    next = () => ({
      columns: [{ name: 'n', type: 'varchar' }],
      rows: { count: 1200, row: () => ['n'] },
    });
    expect((await asked()).rows).toHaveLength(1200);
  });
});

test.each([
  'SELECT 1',
  ' -- why\nWITH a AS (SELECT 1) SELECT * FROM a;',
  '(SELECT 1) UNION ALL (SELECT 2)',
  'VALUES 1, 2',
  'TABLE t',
  'SHOW TABLES',
  'describe t',
  'EXPLAIN SELECT 1',
  'EXPLAIN ANALYZE VERBOSE SELECT 1',
  'EXPLAIN (TYPE DISTRIBUTED, FORMAT JSON) SELECT 1',
  'SELECT \'DROP TABLE t; DELETE\' AS "a;b"',
])('sends %j', async (sql) => {
  await asked(sql);
  expect(standin.started).toMatchObject([{ sql }]);
});

test.each([
  ['', /empty/],
  [' -- nothing\n;', /empty/],
  ['SELECT 1; SELECT 2', /several statements/],
  ['DROP TABLE t', /changes nothing/],
  ['INSERT INTO t SELECT 1', /changes nothing/],
  ['/* SELECT */ DELETE FROM t', /changes nothing/],
  ["UNLOAD (SELECT 1) TO 's3://b/' WITH (format = 'JSON')", /changes nothing/],
  ['CREATE TABLE x AS SELECT 1', /changes nothing/],
  ['EXPLAIN ANALYZE INSERT INTO t SELECT 1', /changes nothing/],
  ['EXPLAIN (TYPE IO) DROP TABLE t', /changes nothing/],
  ['EXECUTE q', /changes nothing/],
  ['MSCK REPAIR TABLE t', /changes nothing/],
])('refuses %j and asks nothing', async (sql, said) => {
  const error = await refused(sql);
  expect(error).toBeInstanceOf(UsageError);
  expect(error?.message).toMatch(said);
  expect(standin.server.requests).toEqual([]);
});

test('refuses a query longer than Athena takes', async () => {
  await expect(asked(`SELECT '${'ü'.repeat(131_072)}'`)).rejects.toThrow(
    'the query has 262153 bytes, and Athena takes 262144; make it shorter',
  );
  expect(standin.server.requests).toEqual([]);
});

test('parameters go as literals, and reuse by its age', async () => {
  await asked('SELECT ?, ?', { reuseMinutes: 30 }, { parameters: ["O'Brien", 5n] });
  expect(standin.started).toMatchObject([{ parameters: ["'O''Brien'", '5'], reuseMinutes: 30 }]);
});

test('a result that is reused says so', async () => {
  next = () => ({ ...NUMBERS, reused: true });
  expect((await asked()).reused).toBe(true);
});

describe('a limit', () => {
  const MB = 1024 ** 2;

  test('of its own stops the query while it runs, and says so', async () => {
    next = () => ({
      ...NUMBERS,
      looks: [
        { state: 'RUNNING', scannedBytes: 5 * MB },
        { state: 'RUNNING', scannedBytes: 11.5 * MB },
      ],
    });
    const error = await refused(undefined, { maxScanBytes: 10 * MB });
    expect(error).toBeInstanceOf(LakeError);
    expect(error?.message).toBe(
      `the query scanned 11.5 MB, more than --max-scan 10 MB; the query was stopped (query id ${standin.started[0]?.id})`,
    );
    expect(standin.stopped).toEqual([standin.started[0]?.id]);
    expect(Math.max(...waited)).toBeLessThanOrEqual(1000);
  });

  test('that is not passed changes nothing', async () => {
    expect((await asked(undefined, { maxScanBytes: 7 })).rows).toEqual(ALL);
    expect(standin.stopped).toEqual([]);
  });

  test('passed by a query that ended is told too, and how not to pay it again', async () => {
    next = () => ({ ...NUMBERS, looks: [{ state: 'SUCCEEDED', scannedBytes: 8 }] });
    const error = await refused(undefined, { maxScanBytes: 7 });
    expect(error?.message).toMatch(
      /scanned 8 bytes, more than --max-scan 7 bytes, and ended before it could be stopped.*--reuse 60/,
    );
    expect(standin.stopped).toEqual([]);
  });

  test('does not hide why a query failed', async () => {
    next = () => ({ looks: [{ state: 'FAILED', reason: 'EXCEEDED_TIME: too long', scannedBytes: 8 }] });
    expect((await refused(undefined, { maxScanBytes: 7 }))?.message).toMatch(/too long/);
    expect(standin.stopped).toEqual([]);
  });

  test.each(['CANCELLED', 'FAILED'] as const)('of the workgroup is told as its own: %s', async (state) => {
    const reason = 'Query cancelled! : Bytes scanned limit was exceeded';
    next = () => ({ looks: [{ state, reason, scannedBytes: 12 * MB }] });
    expect((await refused(undefined, { maxScanBytes: 10 * MB }))?.message).toMatch(
      /^Athena stopped the query after 12 MB: it scans more than the workgroup stedi-lakehouse-dev allows/,
    );
  });
});

describe('stopping', () => {
  test('stops the query and says which', async () => {
    const stop = new AbortController();
    next = () => ({ looks: [{ state: 'RUNNING' }] });
    const error = await refused(
      undefined,
      { pause: async () => void (waited.push(1) === 3 && stop.abort()) },
      { signal: stop.signal },
    );
    expect(error).toBeInstanceOf(Interrupted);
    expect(error?.message).toBe(`stopped; the query was stopped (query id ${standin.started[0]?.id})`);
    expect(standin.stopped).toHaveLength(1);
  });

  test('while the query is being started stops it all the same', async () => {
    const stop = new AbortController();
    next = () => {
      stop.abort();
      return NUMBERS;
    };
    expect(await refused(undefined, {}, { signal: stop.signal })).toBeInstanceOf(Interrupted);
    expect(standin.stopped).toEqual([standin.started[0]?.id]);
  });

  test('while it is looked at stops it', async () => {
    const stop = new AbortController();
    standin.server.fault = ({ operation }) => {
      if (operation === 'GetQueryExecution') stop.abort();
      return undefined;
    };
    const error = await refused(undefined, {}, { signal: stop.signal });
    expect(error).toBeInstanceOf(Interrupted);
    expect(standin.stopped).toEqual([standin.started[0]?.id]);
    expect(waited.length).toBeLessThanOrEqual(1);
  });

  test('before it was sent sends nothing', async () => {
    const error = await refused(undefined, {}, { signal: AbortSignal.abort() });
    expect(error).toBeInstanceOf(Interrupted);
    expect(standin.server.requests).toEqual([]);
  });

  test('while rows come ends them', async () => {
    const stop = new AbortController();
    const { rows } = await athena().query('SELECT n FROM t', { signal: stop.signal });
    const read = async () => {
      for await (const _ of rows) stop.abort();
    };
    await expect(read()).rejects.toThrow(/^stopped; the query had ended \(query id/);
    expect(standin.stopped).toEqual([]);
  });

  test('that fails says that the query may go on', async () => {
    const stop = new AbortController();
    next = () => ({ looks: [{ state: 'RUNNING' }] });
    standin.server.fault = ({ operation }) =>
      operation === 'StopQueryExecution' ? jsonError('AccessDeniedException', 'no') : undefined;
    const error = await refused(undefined, { pause: async () => stop.abort() }, { signal: stop.signal });
    expect(error?.message).toMatch(
      /^stopped; the query could not be stopped and may go on \(query id .*\): access denied: athena:StopQueryExecution/,
    );
  });

  test('by somebody else is told', async () => {
    next = () => ({ looks: [{ state: 'CANCELLED' }] });
    expect((await refused())?.message).toMatch(/^the query was stopped by somebody else \(query id/);
  });
});

describe('a query that cannot be started', () => {
  const start = (type: string, message: string, status?: number) => {
    next = () => {
      throw jsonError(type, message, status);
    };
  };

  test.each([
    [
      'InvalidRequestException',
      'WorkGroup x is not found.',
      /^there is no workgroup stedi-lakehouse-dev in us-east-1/,
    ],
    ['InvalidRequestException', 'WorkGroup does not exist', /^there is no workgroup/],
    [
      'InvalidRequestException',
      'No output location provided. An output location is required either through the Workgroup result configuration setting or as an API input.',
      /has no place for results; deploy/,
    ],
    ['InvalidRequestException', 'WorkGroup x is disabled', /is disabled/],
    [
      'AccessDeniedException',
      'User: arn:aws:sts::123456789012:assumed-role/r/jane@example.com is not authorized to perform: athena:StartQueryExecution on resource: arn:aws:athena:us-east-1:123456789012:workgroup/x',
      /^access denied: athena:StartQueryExecution on arn:aws:athena:us-east-1:123456789012:workgroup\/x/,
    ],
  ])('%s: %s', async (type, message, told) => {
    start(type, message);
    const error = await refused();
    expect(error).toBeInstanceOf(LakeError);
    expect(error?.message).toMatch(told);
    expect(error?.message).not.toMatch(/jane/);
    expect(standin.started).toEqual([]);
  });

  test('for its grammar says where, with the line', async () => {
    start('InvalidRequestException', "line 2:7: mismatched input 'FORM'. Expecting: ','");
    const error = await refused('SELECT\n  n   FORM t', {}, { file: 'queries/x.sql' });
    expect(error?.message).toBe(
      "queries/x.sql:2: mismatched input 'FORM'. Expecting: ','\n    n   FORM t\n        ^",
    );
  });
});

/** By index of the request: nothing happens to the other ones. */
const at = (index: number, fault: Fault) => (request: AwsRequest) =>
  request.index === index ? fault : undefined;
const THROTTLE = jsonError('ThrottlingException', 'Rate exceeded');
const BROKEN = jsonError('InternalServerException', 'oops', 500);
const REQUESTS = 7;
const requests = Array.from({ length: REQUESTS }, (_, i) => i);

describe.each<[string, Fault]>([
  ['throttled', THROTTLE],
  ['answered with a fault of the server', BROKEN],
  ['lost', 'reset'],
  ['done, and its answer cut', 'cut'],
])('each request in turn %s', (_, fault) => {
  test.each(requests)('once: request %i', async (index) => {
    standin.server.fault = at(index, fault);
    expect((await asked()).rows).toEqual(ALL);
    expect(standin.started).toHaveLength(1);
    // A look whose answer is cut was one: the next may find the query ended.
    expect([REQUESTS, REQUESTS + 1]).toContain(operations().length);
  });

  test.each(requests)('from request %i on, always', async (first) => {
    const failed: string[] = [];
    standin.server.fault = ({ index, operation }) => {
      if (index < first) return undefined;
      failed.push(operation);
      return fault;
    };
    const error = await refused();
    expect(error).toBeInstanceOf(LakeError);
    expect(error?.message).toMatch(/^(?:AWS throttles: )?athena:\w+ /);
    expect(standin.started.length).toBeLessThanOrEqual(1);
    // The request as often as may be; then a query that goes on is asked to stop.
    const isLooking = failed[0] === 'GetQueryExecution';
    expect(failed).toEqual([
      ...Array(ATTEMPTS).fill(failed[0]),
      ...Array(isLooking ? ATTEMPTS : 0).fill('StopQueryExecution'),
    ]);
    expect(error?.message.includes('may go on')).toBe(isLooking);
  });
});

test('an answer that never comes is given up', async () => {
  next = () => new Promise(() => undefined);
  const client = new AthenaClient({
    region: 'us-east-1',
    endpoint: url,
    credentials: { accessKeyId: 'AKIASTANDIN', secretAccessKey: 'stand-in' },
    retryStrategy: new ConfiguredRetryStrategy(ATTEMPTS, 1),
    requestHandler: { ...TIMEOUTS, requestTimeout: 50 },
  });
  expect((await refused(undefined, { client }))?.message).toMatch(
    /^athena:StartQueryExecution on the workgroup stedi-lakehouse-dev: AWS cannot be reached in us-east-1 \(ETIMEDOUT\)/,
  );
  expect(operations()).toHaveLength(ATTEMPTS);
});

test('a query whose looks fail is stopped', async () => {
  standin.server.fault = ({ operation }) => (operation === 'GetQueryExecution' ? THROTTLE : undefined);
  expect((await refused())?.message).toMatch(
    /^AWS throttles: athena:GetQueryExecution .*; the query was stopped \(query id/,
  );
  expect(standin.stopped).toEqual([standin.started[0]?.id]);
});
