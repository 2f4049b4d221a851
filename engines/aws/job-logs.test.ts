import { lake as pipeline } from '../../pipeline';
import { GlueStandIn } from '../../tests/standin/glue';
import { AwsServer, awsEnvironment, type Fault, jsonError } from '../../tests/support/aws-server';
import { outputsOf } from '../../tests/support/stack';
import { JobLogs } from './job-logs';

const outputs = outputsOf(pipeline);
const GROUP = '/aws-glue/stedi-lakehouse-dev/customer_trusted';

let glue: GlueStandIn;
let server: AwsServer;
let logs: JobLogs;
beforeEach(async () => {
  glue = new GlueStandIn(pipeline, outputs);
  server = new AwsServer(glue.handle);
  Object.assign(process.env, awsEnvironment(await server.start()));
  const requestHandler = { connectionTimeout: 1_000, socketTimeout: 2_000 };
  logs = new JobLogs({
    name: 'dev',
    outputs,
    client: { region: 'us-east-1', maxAttempts: 3, requestHandler },
  });
});
afterEach(() => server.stop());

/** Appends lines with the numbers of a range, one a second, to a group. */
function write(group: string, from: number, to: number): void {
  const key = `${GROUP}/${group} jr_1`;
  const more = Array.from({ length: to - from + 1 }, (_, i) => ({
    timestamp: (from + i) * 1_000,
    message: `${group} ${from + i}\n`,
  }));
  glue.logs.set(key, [...(glue.logs.get(key) ?? []), ...more]);
}

const texts = (lines: readonly { readonly text: string }[]) => lines.map(({ text }) => text);
const numbered = (group: string, from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `${group} ${from + i}`);

test('the last lines are read over pages, of both groups in the order of time', async () => {
  // The stand-in gives twenty a page.
  write('error', 1, 95);
  write('output', 96, 97);
  write('error', 98, 98);
  const last = [...numbered('error', 49, 95), ...numbered('output', 96, 97), 'error 98'];
  expect(texts(await logs.tail('customer_trusted', 'jr_1', 50))).toEqual(last);
  expect(server.requests.length).toBeGreaterThan(3);
  expect(await logs.tail('customer_trusted', 'jr_1', 1_000)).toHaveLength(98);
});

test('a run that has written nothing has no lines', async () => {
  expect(await logs.tail('customer_trusted', 'jr_1', 50)).toEqual([]);
});

test('who follows gets each line once, whenever a group begins', async () => {
  const read = logs.follower('customer_trusted', 'jr_1', 10);
  expect(await read()).toEqual([]);
  write('error', 1, 45);
  expect(texts(await read())).toEqual(numbered('error', 1, 45));
  expect(await read()).toEqual([]);
  write('output', 46, 46);
  write('error', 47, 48);
  expect(texts(await read())).toEqual(['output 46', 'error 47', 'error 48']);
  expect(await read()).toEqual([]);
});

test('who begins to follow in the middle gets the last lines first', async () => {
  write('error', 1, 45);
  const read = logs.follower('customer_trusted', 'jr_1', 3);
  expect(texts(await read())).toEqual(numbered('error', 43, 45));
  write('error', 46, 47);
  expect(texts(await read())).toEqual(['error 46', 'error 47']);
});

test.each<readonly [string, Fault]>([
  ['a 500', jsonError('ServiceUnavailableException', 'x', 500)],
  ['a throttle', jsonError('ThrottlingException', 'x')],
  ['a reset', 'reset'],
  ['a cut', 'cut'],
])('%s at any request loses and doubles no line', async (_, fault) => {
  write('error', 1, 45);
  write('output', 46, 66);
  const whole = async () => texts(await logs.follower('customer_trusted', 'jr_1', 1_000)());
  const expected = await whole();
  expect(expected).toHaveLength(66);
  const requests = server.requests.length;
  for (let at = 0; at < requests; at++) {
    const first = server.requests.length;
    server.fault = ({ index }) => (index === first + at ? fault : undefined);
    expect([at, await whole()]).toEqual([at, expected]);
  }
});

test('who may not read them is told where they are', async () => {
  server.fault = () => jsonError('AccessDeniedException', 'User: me is not');
  await expect(logs.tail('customer_trusted', 'jr_1', 5)).rejects.toThrow(
    `access denied: logs:GetLogEvents on ${GROUP}/`,
  );
});
