import fc from 'fast-check';
import { readSettings, type Settings } from '../components/settings';
import definition from '../lakehouse';
import { int, lakehouse, type Pipeline, text } from '../model';
import { lake as stedi } from '../pipeline';
import { type Estimate, estimate, type ResourceClass } from './estimate';
import PRICES from './prices.json';
import { type Usage, usageBy } from './usage';

const USAGE = usageBy(definition.seconds);

type Values = Readonly<Record<string, unknown>>;

/** What the figures here were worked out for. Sources and jobs that come cost more, and change none of them. */
const SOURCES = ['customer_landing', 'accelerometer_landing', 'step_trainer_landing'];
const JOBS = [
  'customer_trusted',
  'accelerometer_trusted',
  'customers_curated',
  'step_trainer_trusted',
  'machine_learning_curated',
];
const isHere = ({ name }: { readonly name: string }) => [...SOURCES, ...JOBS].includes(name);
const lake: Pipeline = {
  ...stedi,
  zones: stedi.zones.map((zone) => ({
    ...zone,
    tables: [...zone.tables].filter(isHere),
    jobs: [...zone.jobs].filter(isHere),
  })),
  tables: new Map([...stedi.tables].filter(([, table]) => isHere(table))),
  sources: stedi.sources.filter(isHere),
  jobs: stedi.jobs.filter(isHere),
};

const settingsOf = (
  values: Values = {},
  pipeline: Pipeline = lake,
  region: string | undefined = 'us-east-1',
) => readSettings({ project: 'stedi-lakehouse', stack: 'dev', region, values }, pipeline);

const figures = ({ lines }: Estimate) => Object.fromEntries(lines.map((line) => [line.class, line.monthly]));

/** Round figures, so that a person can follow. */
const ROUND: Usage = {
  ...USAGE,
  monthsOld: 1,
  landingGigabytes: 100,
  growthGigabytes: 0,
  landingFiles: 1000,
  runs: 10,
  crawls: 3,
  crawlMinutes: 20,
  minutes: {},
  otherMinutes: 6,
  queries: 1024,
  gigabytesPerQuery: 1,
  logMegabytesPerJobRun: 20.48,
};

describe('by hand', () => {
  test('a stack of defaults', () => {
    const found = estimate(lake, settingsOf(), ROUND);
    expect(found.lines).toEqual([
      // 10 runs × 5 jobs × 2 workers × 0.1 h = 10, at 0.308
      { class: 'Glue jobs', what: '10 runs of 5 jobs, 10 DPU-hours', monthly: 3.08 },
      // 3 crawls × 2 DPUs × 1/3 h = 2, at 0.44
      { class: 'Glue crawler', what: '3 crawls, 2 DPU-hours', monthly: 0.88 },
      // 5 tables × (10 runs + 2 × 31 days) × 1/60 h = 6, at 0.44
      { class: 'Table optimizers', what: '5 tables, 6 DPU-hours', monthly: 2.64 },
      // 1024 × 1 GB = 1 TB, at 5
      { class: 'Athena', what: '1,024 queries, 1,024 GB scanned', monthly: 5 },
      // landing 100; tables 5 × 2 GB × (5 snapshots + 10/31 × 30 old versions) = 146.77; quarantine of 4 job inputs, each
      // 100/3 × 0.01 × 10 copies = 13.33; results 1 GB/31 × 8 days = 0.26: 260.36 at 0.023
      { class: 'S3 storage', what: '260 GB', monthly: 5.99 },
      // PUT 1000 files + 50 × 200 + 1024 × 2, at 0.005/1000; GET 50 × 500 + 10 × 100 GB × 128 + 1024 × 128, at 0.0004/1000
      { class: 'S3 requests', what: '13,048 PUT, 326,739 GET', monthly: 0.2 },
      // 50 × 20.48 MB = 1 GB, at 0.50; 30/31 of it stays, at 0.03
      { class: 'CloudWatch logs', what: '1 GB taken in, 0.97 GB kept', monthly: 0.53 },
      // (50 × (60 + 4) + 3 sources × 10 × 3) hours of 744, at 0.30
      { class: 'CloudWatch metrics', what: '4.42 metric-months', monthly: 1.33 },
      // 10 runs × (3 jobs that read people's lines + 1 that makes pseudonyms)
      { class: 'Secrets Manager', what: '1 secret, 40 reads', monthly: 0.4 },
    ]);
    expect(found.total).toBe(20.05);
    expect(found.prices).toEqual({ region: 'us-east-1', date: PRICES.date });
  });

  test('what can be turned on', () => {
    const on = settingsOf({
      encryption: 'kms',
      start: 'files',
      network: {},
      auditTrail: true,
      alerts: { email: 'a@example.com' },
      dashboard: true,
    });
    const usage = { ...ROUND, landingFiles: 2_000_000, mails: 100_000 };
    expect(figures(estimate(lake, on, usage))).toMatchObject({
      // A key, and a hundredth of 2,012,048 PUT and 326,739 GET at 0.03/10,000.
      KMS: 1.07,
      // 5 × 744 h and 1 GB, at 0.01.
      'VPC endpoints': 37.21,
      // As many, at 0.10/100,000.
      CloudTrail: 2.34,
      'CloudWatch alarms': 0.3,
      'CloudWatch dashboard': 3,
      'SNS e-mails': 2,
      EventBridge: 2,
    });
  });

  test.each<[string, Values, number, string]>([
    ['G.4X', { workerType: 'G.4X' }, 12.32, '40 DPU-hours'],
    ['FLEX', { flex: true }, 2.9, '10 DPU-hours'],
    ['R.2X', { workerType: 'R.2X', maxWorkers: 3 }, 15.6, '30 DPU-hours'],
    ['a timeout below the minutes', { timeoutMinutes: 3 }, 1.54, '5 DPU-hours'],
  ])('jobs on %s', (_, jobs, usd, hours) => {
    const [line] = estimate(lake, settingsOf({ jobs }), ROUND).lines;
    expect(line).toEqual({ class: 'Glue jobs', what: `10 runs of 5 jobs, ${hours}`, monthly: usd });
  });

  test('Glue bills a minute of a job, ten of a crawl, and Athena 10 MB of a query, at least', () => {
    const least = estimate(lake, settingsOf(), {
      ...ROUND,
      otherMinutes: 0.1,
      runs: 600,
      crawlMinutes: 0.1,
      queries: 1_048_576,
      gigabytesPerQuery: 0,
    });
    // 600 × 5 × 2 × 1/60 h = 100; 3 × 2 × 1/6 h = 1; 10 TB.
    expect(figures(least)).toMatchObject({ 'Glue jobs': 30.8, 'Glue crawler': 0.44, Athena: 50 });
  });

  test('each job has its minutes, STEDI’s as they were measured', () => {
    expect(USAGE.otherMinutes * 60).toBeCloseTo(152.8);
    const minutes = { ...USAGE.minutes, customer_trusted: 60 };
    const cost = (usage: Usage) => figures(estimate(lake, settingsOf(), usage))['Glue jobs'];
    // 30 × 2 × (60 + 60 + 110 + 426 + 117) s, two of them raised to the least; then 3600 s for one of those.
    expect(cost(USAGE)).toBe(3.97);
    expect(cost({ ...USAGE, minutes })).toBe(22.14);
  });

  test('what no pipeline has is not billed', () => {
    const other = lakehouse(['in', 'out']);
    const source = other.source({
      name: 's',
      zone: 'in',
      entity: 's',
      description: 'A source.',
      columns: { a: int('A number.') },
    });
    const table = other.table({
      name: 't',
      zone: 'out',
      description: 'A table.',
      columns: { a: int('A number.'), b: text('A text.') },
    });
    const job = other.job({ output: table, inputs: [source], description: 'Makes t.' });
    const pipeline = other.pipeline(
      other.zone('in', { description: 'In.', tables: [source], jobs: [] }),
      other.zone('out', { description: 'Out.', tables: [table], jobs: [job] }),
    );
    const settings = settingsOf({ auditTrail: true, alerts: { email: 'a@example.com' } }, pipeline);
    const found = estimate(pipeline, settings, ROUND);
    // No pseudonym and nobody to forget, no secret; one source, one alarm; no personal data, no event.
    expect(figures(found)).toMatchObject({ 'Glue jobs': 0.62, 'CloudWatch alarms': 0.1, CloudTrail: 0 });
    expect(figures(found)).not.toHaveProperty('Secrets Manager');
  });
});

describe('each setting changes what it turns on, and nothing else', () => {
  const RUNS: readonly ResourceClass[] = [
    'Glue jobs',
    'Table optimizers',
    'S3 storage',
    'S3 requests',
    'CloudWatch logs',
    'CloudWatch metrics',
    'Secrets Manager',
  ];
  const zone = (name: string, values: Values) => ({ zones: { [name]: values } });
  /** Every setting, so that a new one has to be thought of here. */
  const CHANGES: Readonly<
    Record<
      Exclude<keyof Settings, 'name' | 'region'>,
      readonly (readonly [Values, readonly ResourceClass[]])[]
    >
  > = {
    encryption: [[{ encryption: 'kms' }, ['KMS']]],
    protect: [[{ protect: false }, []]],
    dataOnDestroy: [[{ dataOnDestroy: 'delete' }, []]],
    zones: [
      [zone('landing', { oldVersionDays: 365 }), []],
      [zone('trusted', { oldVersionDays: 7 }), ['S3 storage']],
      [zone('landing', { quarantineDays: 7 }), ['S3 storage']],
      [zone('curated', { optimizeTables: false }), ['Table optimizers', 'S3 storage']],
      [zone('trusted', { dataOnDestroy: 'delete' }), []],
    ],
    start: [
      [{ start: 'cron(0 * * * ? *)' }, RUNS],
      [{ start: 'files' }, ['EventBridge']],
    ],
    crawl: [[{ crawl: 'cron(0 3 * * ? *)' }, ['Glue crawler']]],
    jobs: [
      [{ jobs: { maxWorkers: 3 } }, ['Glue jobs']],
      [{ jobs: { workerType: 'G.2X' } }, ['Glue jobs']],
      [{ jobs: { flex: true } }, ['Glue jobs']],
      [{ jobs: { timeoutMinutes: 2 } }, ['Glue jobs']],
      [{ jobs: { timeoutMinutes: 90 } }, []],
      [{ jobOverrides: { customer_trusted: { flex: true } } }, ['Glue jobs']],
    ],
    page: [[{ page: true }, []]],
    logDays: [[{ logDays: 365 }, ['CloudWatch logs']]],
    parameters: [[{ parameters: { consent: 'since-grant' } }, []]],
    queries: [
      [{ queries: { scanLimitMegabytes: 10 } }, ['Athena']],
      [{ queries: { resultDays: 365 } }, ['S3 storage']],
    ],
    alerts: [[{ alerts: { email: 'a@example.com' } }, ['CloudWatch alarms', 'SNS e-mails']]],
    dashboard: [[{ dashboard: true }, ['CloudWatch dashboard']]],
    network: [
      [{ network: {} }, ['VPC endpoints']],
      [{ network: {}, encryption: 'kms' }, ['KMS', 'VPC endpoints']],
    ],
    permissions: [
      [{ permissions: 'lake-formation', analysts: ['arn:aws:iam::123456789012:role/analyst'] }, []],
    ],
    // With them alone there is a fault.
    analysts: [],
    auditTrail: [[{ auditTrail: true }, ['CloudTrail']]],
    tags: [[{ tags: { team: 'research' } }, []]],
  };

  test.each(Object.values(CHANGES).flat())('%j changes %j', (values, classes) => {
    const usage = { ...USAGE, landingGigabytes: 10 };
    const [before, after] = [{}, values].map(
      (given) => new Map(estimate(lake, settingsOf(given), usage).lines.map((line) => [line.class, line])),
    );
    const all = new Set([...(before?.keys() ?? []), ...(after?.keys() ?? [])]);
    const changed = [...all].filter(
      (name) => JSON.stringify(before?.get(name)) !== JSON.stringify(after?.get(name)),
    );
    expect(changed.toSorted()).toEqual([...classes].sort());
  });

  test('a schedule that can be watched has an alarm of its own', () => {
    const cost = (start: string) =>
      figures(estimate(lake, settingsOf({ start, alerts: { email: 'a@example.com' } })))['CloudWatch alarms'];
    expect([cost('demand'), cost('cron(0 3 * * ? *)'), cost('cron(0 3 1 * ? *)')]).toEqual([0.3, 0.4, 0.3]);
  });

  test('KMS in a private network has an endpoint of its own', () => {
    const cost = (values: Values) =>
      figures(estimate(lake, settingsOf({ network: {}, ...values })))['VPC endpoints'];
    expect([cost({}), cost({ encryption: 'kms' })]).toEqual([29.77, 37.21]);
  });

  test('where nothing is cleaned, every run’s files stay', () => {
    const off = Object.fromEntries(['trusted', 'curated'].map((name) => [name, { optimizeTables: false }]));
    const found = estimate(lake, settingsOf({ zones: off }), { ...ROUND, monthsOld: 24 });
    // Landing 100, tables 5 × 2 × 241, quarantine 39.13 and results 0.26 GB, at 0.023.
    expect(figures(found)['S3 storage']).toBe(58.64);
    expect(figures(found)).not.toHaveProperty('Table optimizers');
  });
});

describe('assumptions', () => {
  const told = (values: Values, usage?: Usage, region?: string) =>
    estimate(lake, settingsOf(values, lake, region), usage).assumptions;

  test('say what the runs are', () => {
    expect(told({})).toContain('Runs: 30 a month, on demand. Crawls: 1 a month, on demand.');
    expect(told({ start: 'files', crawl: 'cron(0 3 ? * MON *)' })).toContain(
      'Runs: 30 a month, as files land. Crawls: 4 in 2027-01 by cron(0 3 ? * MON *).',
    );
  });

  test('say what a run costs that makes nothing', () => {
    // Each of five jobs a minute on four workers of a DPU, at 0.308 an hour.
    const jobs = { workerType: 'G.1X', maxWorkers: 4, flex: false };
    expect(lake.jobs).toHaveLength(5);
    expect(told({ jobs }).join()).toContain('a minute of each job all the same: 0.10 USD by schedule,');
  });

  test('say that the stack is elsewhere', () => {
    expect(told({}).join()).not.toContain('The stack is in');
    expect(told({}, USAGE, 'eu-central-1')[0]).toBe(
      'The stack is in eu-central-1, and these are prices of us-east-1: those of other regions differ.',
    );
    const nowhere = readSettings({ project: 'p', stack: 's', values: {} }, lake);
    expect(estimate(lake, nowhere).assumptions[0]).toBe(
      'The stack names no region, and these are prices of us-east-1: those of other regions differ.',
    );
  });
});

test('every price has a positive value, and AWS’s page', () => {
  for (const { usd, per, page } of Object.values(PRICES.of)) {
    expect(usd).toBeGreaterThan(0);
    expect(per).toBeGreaterThan(0);
    expect(page).toMatch(/^https:\/\/aws\.amazon\.com\/[a-z0-9-]+\/pricing\/$/);
  }
  expect(PRICES.date).toMatch(/^\d{4}-\d\d-\d\d$/);
});

describe('whatever the usage', () => {
  const amount = (max: number) => fc.double({ min: 0, max, noNaN: true });
  const count = (max: number) => fc.integer({ min: 0, max });
  const usages: fc.Arbitrary<Usage> = fc.record({
    month: fc.constantFrom('2027-01', '2027-02', '2028-02', '2027-04'),
    monthsOld: count(60),
    landingGigabytes: amount(10_000),
    growthGigabytes: amount(1000),
    landingFiles: count(1_000_000),
    quarantinedShare: amount(1),
    runs: count(3000),
    crawls: count(3000),
    crawlMinutes: amount(600),
    minutes: fc.dictionary(fc.constantFrom(...lake.jobs.map(({ name }) => name)), amount(600)),
    otherMinutes: amount(600),
    optimizerMinutes: amount(60),
    tableShare: amount(2),
    putsPerJobRun: count(10_000),
    getsPerJobRun: count(100_000),
    queries: count(100_000),
    gigabytesPerQuery: amount(1000),
    resultMegabytesPerQuery: amount(1000),
    logMegabytesPerJobRun: amount(1000),
    metricsPerJobRun: count(500),
    mails: count(10_000),
  });
  const settings = fc
    .record({
      encryption: fc.constantFrom('s3', 'kms'),
      start: fc.constantFrom('demand', 'files'),
      crawl: fc.constantFrom('demand', 'cron(0/15 * * * ? *)'),
      maxWorkers: fc.integer({ min: 2, max: 290 }),
      workerType: fc.constantFrom('G.1X', 'G.16X', 'R.8X'),
      optimizeTables: fc.boolean(),
      oldVersionDays: fc.integer({ min: 7, max: 3650 }),
      auditTrail: fc.boolean(),
      dashboard: fc.boolean(),
      more: fc.constantFrom({}, { network: {} }, { alerts: { email: 'a@example.com' } }),
    })
    .map(({ maxWorkers, workerType, optimizeTables, oldVersionDays, more, ...rest }) => ({
      ...rest,
      ...more,
      jobs: { maxWorkers, workerType },
      zones: Object.fromEntries(
        lake.zones.map(({ name, jobs }) => [
          name,
          { oldVersionDays, ...(jobs.length > 0 && { optimizeTables }) },
        ]),
      ),
    }));

  test('no figure is negative or none, and the total is the sum of the lines', () => {
    fc.assert(
      fc.property(usages, settings, (usage, values) => {
        const { lines, total } = estimate(lake, settingsOf(values), usage);
        for (const { monthly, what } of lines) {
          expect(monthly).toBeGreaterThanOrEqual(0);
          expect(Number.isFinite(monthly)).toBe(true);
          expect(what).not.toMatch(/NaN|∞|undefined/);
        }
        expect(total).toBeCloseTo(
          lines.reduce((sum, { monthly }) => sum + monthly, 0),
          4,
        );
      }),
    );
  });

  const GROWING = [
    'runs',
    'landingGigabytes',
    'growthGigabytes',
    'queries',
    'otherMinutes',
    'monthsOld',
  ] as const;
  test.each(GROWING)('more %s costs no less', (key) => {
    fc.assert(
      fc.property(usages, settings, fc.integer({ min: 1, max: 1000 }), (usage, values, more) => {
        const before = figures(estimate(lake, settingsOf(values), usage));
        const after = figures(estimate(lake, settingsOf(values), { ...usage, [key]: usage[key] + more }));
        for (const [name, usd] of Object.entries(before)) expect(after[name]).toBeGreaterThanOrEqual(usd);
      }),
      { numRuns: 40 },
    );
    const much = { ...ROUND, [key]: ROUND[key] + 1000 };
    expect(estimate(lake, settingsOf(), much).total).toBeGreaterThan(
      estimate(lake, settingsOf(), ROUND).total,
    );
  });

  test('more workers cost more', () => {
    fc.assert(
      fc.property(usages, settings, fc.integer({ min: 1, max: 9 }), (usage, values, more) => {
        const { jobs } = values;
        const grown = { ...values, jobs: { ...jobs, maxWorkers: jobs.maxWorkers + more } };
        const [before, after] = [values, grown].map((each) => estimate(lake, settingsOf(each), usage).total);
        expect(after).toBeGreaterThanOrEqual(before as number);
      }),
    );
  });

  test('the same arguments give the same estimate', () => {
    fc.assert(
      fc.property(usages, settings, (usage, values) => {
        expect(estimate(lake, settingsOf(values), usage)).toEqual(estimate(lake, settingsOf(values), usage));
      }),
      { numRuns: 20 },
    );
  });
});
