import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { dashboardFaults } from '../tests/standin/aws/dashboard';
import { STARTED } from './alerts';
import { Dashboard, type DashboardArgs } from './dashboard';
import { deployed, jobSettings, site } from './testing';

type Widget = {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly properties: { readonly title: string; readonly metrics: readonly (readonly unknown[])[] };
};

const job = (name: string) => ({ name: `acme-test-${name}`, label: name, settings: jobSettings });
const ARGS: DashboardArgs = {
  site,
  jobs: [job('reading')],
  tables: ['reading_raw', 'reading'],
  workgroups: ['acme-test'],
};

async function made(args: Partial<DashboardArgs> = {}) {
  const { inputs, list } = await deployed(() => new Dashboard('overview', { ...ARGS, ...args }));
  const { dashboardBody, ...rest } = inputs('aws:cloudwatch/dashboard:Dashboard') as {
    dashboardBody: { json: { widgets: readonly Widget[] } };
  };
  const { json: body } = dashboardBody;
  return { list, rest, body, faults: dashboardFaults(JSON.stringify(body)) };
}
const metricsOf = (widgets: readonly Widget[]) => widgets.flatMap(({ properties }) => properties.metrics);
const dimension = (name: string, metrics: readonly (readonly unknown[])[]) =>
  metrics.flatMap((metric) => (metric.includes(name) ? [metric[metric.indexOf(name) + 1]] : []));

test('shows each job, table and workgroup', async () => {
  const { list, rest, body, faults } = await made();
  expect(list).toEqual([
    'aws:cloudwatch/dashboard:Dashboard overview-dashboard',
    'lakehouse:operations:Dashboard overview',
  ]);
  expect(rest).toStrictEqual({ dashboardName: 'acme-test' });
  const ofJob = ['JobName', 'acme-test-reading', 'JobRunId', 'ALL', 'Type', 'count'];
  const runs = (metric: string) => [
    ['Glue', metric, ...ofJob, 'ObservabilityGroup', 'error', { label: 'reading' }],
  ];
  const ofTables = (metric: string) =>
    ['reading_raw', 'reading'].map((table) => [
      'Lakehouse/acme-test',
      metric,
      'Table',
      table,
      { label: table },
    ]);
  expect(body.widgets.map(({ properties: { title, metrics } }) => [title, metrics])).toStrictEqual([
    ['Runs that succeeded', runs('glue.succeed.ALL')],
    ['Runs that failed', runs('glue.error.ALL')],
    [
      'DPU hours, at most',
      [
        ['Glue', 'glue.driver.aggregate.elapsedTime', ...ofJob, { id: 'time0', visible: false }],
        // Five workers of 2 DPUs; Glue counts milliseconds.
        [{ id: 'hours0', expression: 'time0 * 10 / 3600000', label: 'reading' }],
      ],
    ],
    ['Rows written', ofTables('RowsWritten')],
    ['Seconds', ofTables('Seconds')],
    ['Refused share', ofTables('QuarantinedShare')],
    [
      'Bytes that Athena scanned',
      [['AWS/Athena', 'ProcessedBytes', 'WorkGroup', 'acme-test', { label: 'acme-test' }]],
    ],
  ]);
  expect(faults).toEqual([]);
});

test('every metric of the stack’s own is one that runs report', async () => {
  const runner = join(__dirname, '..', 'jobs', 'runner', 'lakehouse_runner', 'glue.py');
  const [, units = ''] = /^_UNITS = \{(.*)\}$/m.exec(readFileSync(runner, 'utf8')) ?? [];
  const reported = [...units.matchAll(/"(\w+)":/g)].map(([, name]) => name);
  const { body } = await made();
  const shown = metricsOf(body.widgets).flatMap(([namespace, name]) =>
    String(namespace).startsWith('Lakehouse/') ? [name] : [],
  );
  expect([...new Set([...shown, STARTED])].toSorted()).toEqual(reported.toSorted());
});

test('whatever a definition has, it is all there, within CloudWatch’s rules', async () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,40}$/);
  const names = fc.uniqueArray(name, { maxLength: 12 });
  // What no definition has, as it is refused before: quotes, braces, backslashes.
  const odd = fc.uniqueArray(fc.string({ minLength: 1, unit: fc.constantFrom(...'"\\{}[],:\'a') }), {
    maxLength: 5,
  });
  await fc.assert(
    fc.asyncProperty(names, fc.oneof(names, odd), names, async (jobs, tables, workgroups) => {
      const { body, faults } = await made({ jobs: jobs.map(job), tables, workgroups });
      const metrics = metricsOf(body.widgets);
      expect(faults).toEqual([]);
      const each = (found: readonly unknown[]) => [...new Set(found)];
      expect(each(dimension('JobName', metrics))).toEqual(jobs.map((one) => `acme-test-${one}`));
      expect(each(dimension('Table', metrics))).toEqual(tables);
      expect(each(dimension('WorkGroup', metrics))).toEqual(workgroups);
      // No widget covers another.
      const taken = body.widgets.map(({ x, y }) => `${x} ${y}`);
      expect(new Set(taken).size).toBe(taken.length);
      for (const { x, y, width, height } of body.widgets) expect([x % width, y % height]).toEqual([0, 0]);
    }),
    { numRuns: 25 },
  );
});

test('a definition that is too large for it is refused with what to do', async () => {
  const tables = Array.from({ length: 167 }, (_, i) => `t${i}`);
  await expect(made({ jobs: [], workgroups: [], tables: tables.slice(1) })).resolves.toMatchObject({
    faults: [],
  });
  await expect(made({ jobs: [], workgroups: [], tables })).rejects.toThrow(
    /overview: has 501 metrics; it takes 500: turn dashboard off, or define a second lakehouse/,
  );
});
