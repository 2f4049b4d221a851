// The same query gives the same rows in the same printed form on the local engine, and through the runner of Athena
// where a stand-in answers with the local engine's own rows, in Athena's types, texts and names.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AthenaClient } from '@aws-sdk/client-athena';
import { Athena } from '../engines/aws/athena';
import { runQuery } from '../engines/named-query';
import { lake as pipeline } from '../pipeline';
import { queries } from '../pipeline/queries';
import { writeSample } from '../samples/stedi';
import { type Answer, AthenaStandin, asAthena, type Started } from './standin/athena';
import { awsEnvironment, jsonError } from './support/aws-server';
import { ended, engineOf, lake, ROOT, result, spawnLake, temporaryDir } from './support/lake';
import { writeOtherSources } from './support/other-sources';
import { outputsOf } from './support/stack';

const dir = temporaryDir('athena');
const LAKE = join(dir, 'lake');
const OUTPUTS = join(dir, 'outputs.json');
const engine = engineOf(LAKE);
const QUERIES = readdirSync(join(ROOT, 'queries')).map((file) => file.replace(/\.sql$/, ''));
const sqlOf = (name: string) => readFileSync(join(ROOT, 'queries', `${name}.sql`), 'utf8');

const standin = new AthenaStandin((query) => next(query));
let next: (query: Started) => Answer | Promise<Answer>;
let url: string;
beforeAll(async () => {
  url = await standin.server.start();
  const data = join(dir, 'data');
  await writeSample(data, { customers: 12, seed: 3, dirty: 0.02 });
  await writeOtherSources(data, pipeline.sources);
  expect((await engine.run(pipeline, { data })).failures).toEqual([]);
  writeFileSync(
    OUTPUTS,
    JSON.stringify({ ...outputsOf(pipeline, 'stedi-lakehouse-test'), region: 'eu-west-1' }),
  );
});
afterAll(() => standin.server.stop());
beforeEach(() => {
  next = ({ sql }) => asAthena(engine, sql);
  standin.server.requests.length = 0;
  standin.started.length = 0;
  standin.stopped.length = 0;
});

const KEYS = { accessKeyId: 'AKIASTANDIN', secretAccessKey: 'stand-in' };
const names = [...new Set([...pipeline.tables.values()].flatMap(({ columns }) => Object.keys(columns)))];

/** Every type, with what its texts differ in. No query of STEDI has them all. */
const EDGES = `
SELECT * FROM (VALUES
  (1, CAST(9007199254740993 AS BIGINT), CAST(1e10 AS DOUBLE), CAST(1.50 AS DECIMAL(18, 3)),
    CAST('123456789012345678901234567890123456.70' AS DECIMAL(38, 2)), 'plain',
    TIMESTAMP '2023-05-01 10:00:00.12', DATE '0967-01-02', true),
  (2, -9223372036854775808, -0.0, 0, 0, '', TIMESTAMP '1969-12-31 23:59:59.999', DATE '9999-12-31', false),
  (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (4, 0, 1e300, -100, -0.01, 'a,"b"', TIMESTAMP '0001-01-01 00:00:00', DATE '1970-01-01', true),
  (5, 7, 1e-7, -0.001, 100, 'line
break', TIMESTAMP '9999-12-31 23:59:59.999', DATE '2024-02-29', true),
  (6, 7, CAST('NaN' AS DOUBLE), 1, 1, 'NULL', NULL, NULL, NULL),
  (7, 7, CAST('-Infinity' AS DOUBLE), 1, 1, ' ü 🙂 ''quoted'' ', NULL, NULL, NULL),
  (8, 7, 0.1, 1, 1, '\\N', NULL, NULL, NULL),
  (9, 7, 123456.789, 1, 1, 'null', NULL, NULL, NULL),
  (10, 7, 12345678.9, 1, 1, CHR(9), NULL, NULL, NULL)
) AS t (place, bigNumber, someDouble, someDecimal, longDecimal, someText, someInstant, someDate, isSo)
ORDER BY place`;

const onAthena = () =>
  new Athena({
    client: new AthenaClient({ region: 'eu-west-1', endpoint: url, credentials: KEYS }),
    workGroup: 'w',
    database: 'd',
    names,
  });

test.each([...QUERIES.map((name) => [name, sqlOf(name)]), ['every type', EDGES]])(
  'the rows of %s are the same',
  async (_, sql = '') => {
    const athena = onAthena();
    const local = await result(engine, sql);
    expect(local.columns.length).toBeGreaterThan(1);
    expect(await result(athena, sql)).toEqual(local);
  },
);

test('every query is declared, and its typed rows are the same', async () => {
  expect(queries.map(({ name }) => name).toSorted()).toEqual(QUERIES.toSorted());
  for (const query of queries) {
    const rows = await runQuery(onAthena(), query);
    expect({ query: query.name, rows }).toEqual({ query: query.name, rows: await runQuery(engine, query) });
  }
});

const stackArgs = (...args: string[]) => ['query', ...args, '--stack', 'test', '--outputs', OUTPUTS];
const onStack = (...args: string[]) => lake(stackArgs(...args), awsEnvironment(url));
const locally = (...args: string[]) => lake(['query', ...args, '--lake', LAKE]);

describe('lake query --stack', () => {
  test.each([
    ['csv', ['-e', EDGES]],
    ['json', ['-e', EDGES]],
    ['table', ['-e', EDGES]],
    ['table', ['subject_balance']],
    ['csv', ['readings_per_customer_day']],
  ])('prints the same bytes: %s of %j', async (format, args) => {
    const [local, stack] = await Promise.all([
      locally(...args, '--format', format),
      onStack(...args, '--format', format),
    ]);
    expect({ status: local.status, stderr: local.stderr }).toEqual({ status: 0, stderr: '' });
    expect({ status: stack.status, stdout: stack.stdout }).toEqual({ status: 0, stdout: local.stdout });
    expect(stack.stderr).toBe(
      `scanned 0 bytes, about USD 0.00005 at the price of us-east-1; query id ${standin.started[0]?.id}\n`,
    );
  });

  test('asks the workgroup it is told, and tells what was scanned and what that costs', async () => {
    next = async ({ sql }) => ({
      ...(await asAthena(engine, sql)),
      looks: [{ state: 'SUCCEEDED', scannedBytes: 4 * 1024 ** 3 - 1 }],
    });
    const { status, stderr } = await onStack('counts', '--workgroup', 'analysts', '--region', 'us-east-1');
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: `scanned 4 GB, about USD 0.02; query id ${standin.started[0]?.id}\n`,
    });
    expect(standin.started).toMatchObject([
      { workGroup: 'stedi-lakehouse-test-analysts', database: 'stedi_lakehouse_test' },
    ]);
  });

  test('takes an earlier result', async () => {
    next = async ({ sql }) => ({ ...(await asAthena(engine, sql)), reused: true });
    const { stderr } = await onStack('counts', '--reuse', '60');
    expect(stderr).toMatch(/^an earlier result was taken, nothing scanned; query id \S+\n$/);
    expect(standin.started).toMatchObject([{ reuseMinutes: 60 }]);
  });

  test('stops a query over --max-scan with status 1', async () => {
    next = () => ({ looks: [{ state: 'RUNNING', scannedBytes: 3 * 1024 ** 2 }] });
    const { status, stdout, stderr } = await onStack('counts', '--max-scan', '2.5MB');
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(
      /^lake: the query scanned 3 MB, more than --max-scan 2.5 MB; the query was stopped/,
    );
    expect(standin.stopped).toHaveLength(1);
  });

  test('tells why a query failed, and where its file says so', async () => {
    next = () => ({
      looks: [
        { state: 'FAILED', reason: "COLUMN_NOT_FOUND: line 4:3: Column 'm.nothing' cannot be resolved" },
      ],
    });
    const { status, stderr } = await onStack('training_overview');
    expect(status).toBe(1);
    expect(stderr).toBe(
      `lake: queries/training_overview.sql:4: Column 'm.nothing' cannot be resolved (COLUMN_NOT_FOUND); query id ${standin.started[0]?.id}\n    COUNT(DISTINCT m.subject) AS subjects,\n    ^\n`,
    );
  });

  test('tells rights that lack', async () => {
    next = () => {
      throw jsonError(
        'AccessDeniedException',
        'You are not authorized to perform: athena:StartQueryExecution',
      );
    };
    const { status, stderr } = await onStack('counts');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^lake: access denied: athena:StartQueryExecution; your role lacks/);
  });

  test('Ctrl-C stops the query, with status 130', async () => {
    next = () => {
      setTimeout(() => child.kill('SIGINT'), 300);
      return { looks: [{ state: 'RUNNING' }] };
    };
    const child = spawnLake(stackArgs('counts'), awsEnvironment(url));
    const { status, stdout, stderr } = await ended(child);
    expect({ status, stdout, stderr }).toEqual({
      status: 130,
      stdout: '',
      stderr: `lake: stopped; the query was stopped (query id ${standin.started[0]?.id})\n`,
    });
    expect(standin.stopped).toEqual([standin.started[0]?.id]);
  });

  test('a reader that ends early is no fault', async () => {
    next = () => ({
      columns: [{ name: 'n', type: 'bigint' }],
      rows: { count: 50_000, row: (i) => [String(i)] },
    });
    const child = spawnLake(stackArgs('-e', 'SELECT n FROM t', '--format', 'csv'), awsEnvironment(url));
    child.stdout?.once('data', () => child.stdout?.destroy());
    expect((await ended(child)).status).toBe(0);
    expect(standin.server.requests.length).toBeLessThan(50);
  });

  test.each([
    [['--stack', 'test', '--lake', 'x'], /--stack works on a deployed lake, so leave out --lake/],
    [['--stack', 'test', '--engine', 'duckdb'], /leave out --engine, which/],
    [['--max-scan', '2GB'], /give --stack NAME with --outputs and --max-scan/],
    [
      ['--workgroup', 'all', '--region', 'r'],
      /give --stack NAME with --outputs and --region and --workgroup/,
    ],
    [['--stack', 'test', '--max-scan', '0'], /'0' is invalid\. It is a size, such as 500MB or 2GB/],
    [['--stack', 'test', '--max-scan', '5KB'], /is invalid/],
    [['--stack', 'test', '--reuse', '10081'], /from 1 to 10080/],
    [['--stack', 'test', '--workgroup', 'mine'], /Allowed choices are all, analysts/],
  ])('the wrong call %j has status 2', async (args, said) => {
    const { status, stderr } = await lake(['query', 'counts', '--outputs', OUTPUTS, ...args]);
    expect(status).toBe(2);
    expect(stderr).toMatch(said);
  });

  test('without --stack nothing of AWS is loaded', async () => {
    const { stderr } = await lake(['query', 'counts', '--lake', LAKE], { NODE_DEBUG: 'module' });
    expect(stderr).toContain('cli/query.ts');
    expect(stderr).not.toMatch(/@aws-sdk/);
  });
});
