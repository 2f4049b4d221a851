import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { lakehouse, text } from '../model';
import { lake } from '../pipeline';
import { bitsOf, readConfig, readSettings, SettingsError, type StackConfig } from './settings';

// Of the shortest length, in hex.
const KEY = 'f2ca1bb6c7e907d06dafe4687e579fce';
const config = (
  values: Readonly<Record<string, unknown>> = {},
  more: Partial<StackConfig> = {},
): StackConfig => ({
  project: 'acme',
  stack: 'dev',
  region: 'eu-central-1',
  values,
  ...more,
});
const read = (values: Readonly<Record<string, unknown>> = {}, more: Partial<StackConfig> = {}) =>
  readSettings(config(values, more), lake);

/** What is told of a configuration, a line a fault. */
function told(values: Readonly<Record<string, unknown>>, more: Partial<StackConfig> = {}): string[] {
  try {
    read(values, more);
  } catch (error) {
    if (error instanceof SettingsError) return error.faults.map(({ path, message }) => `${path}: ${message}`);
    throw error;
  }
  return [];
}

// With the one that forgets people.
const JOBS = [...lake.jobs.map(({ name }) => name), 'forget'];
const ZONES = lake.zones.map(({ name }) => name);
const ZONE = { dataOnDestroy: 'retain', oldVersionDays: 30, quarantineDays: 90, optimizeTables: true };
const JOB = { workerType: 'G.1X', maxWorkers: 2, timeoutMinutes: 60, flex: false };
const forEach = <T>(names: readonly string[], value: T) =>
  Object.fromEntries(names.map((name) => [name, value]));

const DEFAULTS = {
  name: 'acme-dev',
  region: 'eu-central-1',
  encryption: 's3',
  protect: true,
  dataOnDestroy: 'retain',
  zones: forEach(ZONES, ZONE),
  start: 'demand',
  crawl: 'demand',
  jobs: forEach(JOBS, JOB),
  logDays: 30,
  parameters: { consent: 'granted', pairing: 'customer' },
  queries: { scanLimitMegabytes: 10240, resultDays: 7 },
  permissions: 'iam',
  analysts: [],
  auditTrail: false,
  dashboard: false,
  page: false,
  tags: { project: 'acme', stack: 'dev', 'managed-by': 'pulumi' },
};

describe('a configuration', () => {
  test('of nothing gives the defaults, and no optional part', () => {
    expect(read()).toStrictEqual(DEFAULTS);
    expect(read({}, { region: undefined })).not.toHaveProperty('region');
  });

  test('of groups without more turns parts on with their defaults', () => {
    expect(read({ network: {}, alerts: { email: 'who@example.com' } })).toStrictEqual({
      ...DEFAULTS,
      network: { cidr: '10.0.0.0/24' },
      alerts: { email: 'who@example.com', quarantinedShare: 0.01 },
    });
  });

  test('changes what it says and leaves the rest', () => {
    expect(
      read({
        encryption: 'kms',
        protect: false,
        dataOnDestroy: 'delete',
        zones: {
          landing: { quarantineDays: 7 },
          curated: { dataOnDestroy: 'delete', optimizeTables: false },
        },
        start: 'files',
        crawl: 'cron(0 2 * * ? *)',
        logDays: 3653,
        parameters: { consent: 'since-grant' },
        queries: { resultDays: 1 },
        alerts: { email: 'who@example.com', quarantinedShare: 0 },
        network: { cidr: '10.9.0.0/16', availabilityZone: 'eu-central-1b' },
        permissions: 'lake-formation',
        analysts: ['arn:aws:iam::111122223333:role/a/b/analyst'],
        auditTrail: true,
        dashboard: true,
        page: true,
        tags: { owner: 'data' },
      }),
    ).toStrictEqual({
      ...DEFAULTS,
      encryption: 'kms',
      protect: false,
      dataOnDestroy: 'delete',
      zones: {
        landing: { ...ZONE, quarantineDays: 7 },
        trusted: ZONE,
        curated: { ...ZONE, dataOnDestroy: 'delete', optimizeTables: false },
      },
      start: 'files',
      crawl: 'cron(0 2 * * ? *)',
      logDays: 3653,
      parameters: { consent: 'since-grant', pairing: 'customer' },
      queries: { scanLimitMegabytes: 10240, resultDays: 1 },
      alerts: { email: 'who@example.com', quarantinedShare: 0 },
      network: { cidr: '10.9.0.0/16', availabilityZone: 'eu-central-1b' },
      permissions: 'lake-formation',
      analysts: ['arn:aws:iam::111122223333:role/a/b/analyst'],
      auditTrail: true,
      dashboard: true,
      page: true,
      tags: { owner: 'data', project: 'acme', stack: 'dev', 'managed-by': 'pulumi' },
    });
  });

  test('of one job goes over that of all jobs, which goes over the defaults', () => {
    const { jobs } = read({
      jobs: { maxWorkers: 4, flex: true },
      jobOverrides: { customer_trusted: { workerType: 'G.2X', maxWorkers: 9 } },
    });
    expect(jobs).toStrictEqual({
      ...forEach(JOBS, { ...JOB, maxWorkers: 4, flex: true }),
      customer_trusted: { ...JOB, workerType: 'G.2X', maxWorkers: 9, flex: true },
    });
  });

  test('is read as Pulumi holds it: what is no text as text', () => {
    const settings = read({
      protect: 'false',
      auditTrail: 'true',
      logDays: '14',
      jobs: '{"maxWorkers":3}',
      network: '{}',
      alerts: ' {"email":"who@example.com"}'.trim(),
      start: 'cron(0 3 * * ? *)',
    });
    expect(settings).toMatchObject({
      protect: false,
      auditTrail: true,
      logDays: 14,
      network: { cidr: '10.0.0.0/24' },
      alerts: { email: 'who@example.com', quarantinedShare: 0.01 },
      start: 'cron(0 3 * * ? *)',
    });
    expect(settings.jobs.customer_trusted?.maxWorkers).toBe(3);
    expect(told({ jobs: '{"maxWorkers":' })).toEqual([
      'jobs: is "{\\"maxWorkers\\":"; it is a group of settings',
    ]);
    expect(told({ logDays: '-1.5' })[0]).toMatch(/^logDays: is -1\.5; /);
    expect(told({ logDays: '3 days' })[0]).toMatch(/^logDays: is "3 days"; /);
  });
});

const CRON = 'such as cron(0 3 * * ? *), daily at 3:00 UTC';
const LOG_DAYS =
  '7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653';
const WORKERS = 'G.1X or G.2X or G.4X or G.8X or G.12X or G.16X or R.1X or R.2X or R.4X or R.8X';
const EMAIL = 'who@example.com';
const ROLE = 'arn:aws:iam::111122223333:role/analyst';

describe('every fault names its setting, the bad value and the rule', () => {
  test.each<[Record<string, unknown>, string[]]>([
    [{ encryption: 'aes' }, ['encryption: is "aes"; it is s3 or kms']],
    [{ protect: 1 }, ['protect: is 1; it is true or false']],
    [{ auditTrail: null }, ['auditTrail: is null; it is true or false']],
    [{ permissions: 'none' }, ['permissions: is "none"; it is iam or lake-formation']],
    [
      { permissions: 'lake-formation' },
      [
        'analysts: is missing or empty; Lake Formation grants to somebody: it is the ARN of a role or a user, such as arn:aws:iam::111122223333:role/analyst',
      ],
    ],
    [
      { permissions: 'lake-formation', analysts: ['me', ROLE] },
      [
        'analysts.0: is "me"; it is the ARN of a role or a user, such as arn:aws:iam::111122223333:role/analyst',
      ],
    ],
    [
      { permissions: 'lake-formation', analysts: [ROLE, ROLE] },
      [`analysts: is ["${ROLE}","${ROLE}"]; it has no ARN twice`],
    ],
    [
      { analysts: [ROLE] },
      [
        'analysts: does something with permissions: lake-formation only; by IAM, attach the policy NAME-analyst',
      ],
    ],
    [{ dataOnDestroy: 'keep' }, ['dataOnDestroy: is "keep"; it is retain or delete']],
    [{ zones: 3 }, ['zones: is 3; it is a group of settings']],
    [{ zones: [] }, ['zones: is []; it is a group of settings']],
    [{ zones: { landing: null } }, ['zones.landing: is null; it is a group of settings']],
    [
      {
        zones: {
          landing: { oldVersionDays: 6, quarantineDays: 3651, dataOnDestroy: 'x' },
          trusted: { optimizeTables: 'no' },
        },
      },
      [
        'zones.landing.dataOnDestroy: is "x"; it is retain or delete',
        'zones.landing.oldVersionDays: is 6; it is a whole number from 7 to 3650',
        'zones.landing.quarantineDays: is 3651; it is a whole number from 7 to 3650',
        'zones.trusted.optimizeTables: is "no"; it is true or false',
      ],
    ],
    [
      { start: 'daily' },
      [`start: is "daily"; it is demand, files or a schedule: a schedule is cron(…), ${CRON}`],
    ],
    [{ start: 3 }, [`start: is 3; it is demand, files or a schedule: a schedule is cron(…), ${CRON}`]],
    [
      { start: ['cron(0 3 * * ? *)'] },
      [`start: is ["cron(0 3 * * ? *)"]; it is demand, files or a schedule: a schedule is cron(…), ${CRON}`],
    ],
    [
      { start: 'cron(0 3 * * ?)' },
      [
        `start: is "cron(0 3 * * ?)"; it is demand, files or a schedule: has 5 fields; it has minutes, hours, day of month, month, day of week and year, ${CRON}`,
      ],
    ],
    [
      { start: 'cron(0 3 * * * *)' },
      [
        `start: is "cron(0 3 * * * *)"; it is demand, files or a schedule: either its day of month or its day of week is ?, ${CRON}`,
      ],
    ],
    [
      { start: 'cron(0 3 ? * ? *)' },
      [
        `start: is "cron(0 3 ? * ? *)"; it is demand, files or a schedule: either its day of month or its day of week is ?, ${CRON}`,
      ],
    ],
    [
      { start: 'cron(61 3 * * ? *)' },
      [
        `start: is "cron(61 3 * * ? *)"; it is demand, files or a schedule: number 61 is not between 0 and 59; ${CRON}`,
      ],
    ],
    [{ crawl: 'files' }, [`crawl: is "files"; it is demand or a schedule: a schedule is cron(…), ${CRON}`]],
    [
      { jobs: { workerType: 'G.3X', maxWorkers: 1, timeoutMinutes: 0, flex: 'x' } },
      [
        `jobs.workerType: is "G.3X"; it is ${WORKERS}`,
        'jobs.maxWorkers: is 1; it is a whole number from 2 to 299',
        'jobs.timeoutMinutes: is 0; it is a whole number from 1 to 480',
        'jobs.flex: is "x"; it is true or false',
      ],
    ],
    [
      { jobs: { maxWorkers: 300, timeoutMinutes: 481 } },
      [
        'jobs.maxWorkers: is 300; it is a whole number from 2 to 299',
        'jobs.timeoutMinutes: is 481; it is a whole number from 1 to 480',
      ],
    ],
    [{ jobs: { maxWorkers: 2.5 } }, ['jobs.maxWorkers: is 2.5; it is a whole number from 2 to 299']],
    [
      { jobOverrides: { customer_trusted: { maxWorkers: 'many' } } },
      ['jobOverrides.customer_trusted.maxWorkers: is "many"; it is a whole number from 2 to 299'],
    ],
    [{ logDays: 8 }, [`logDays: is 8; CloudWatch keeps logs for ${LOG_DAYS} days`]],
    [
      { parameters: { consent: 'maybe', pairing: 3 } },
      [
        'parameters.consent: is "maybe"; it is granted or since-grant',
        'parameters.pairing: is 3; it is customer or timestamp',
      ],
    ],
    [
      { queries: { scanLimitMegabytes: 9, resultDays: 366 } },
      [
        'queries.scanLimitMegabytes: is 9; it is a whole number from 10 to 10000000',
        'queries.resultDays: is 366; it is a whole number from 1 to 365',
      ],
    ],
    [{ queries: { resultDays: 0 } }, ['queries.resultDays: is 0; it is a whole number from 1 to 365']],
    [{ alerts: {} }, ['alerts.email: is missing; it is an e-mail address']],
    ...[-0.01, 1.01, 'x'].map((quarantinedShare): [Record<string, unknown>, string[]] => [
      { alerts: { email: EMAIL, quarantinedShare } },
      [
        `alerts.quarantinedShare: is ${JSON.stringify(quarantinedShare)}; it is a share from 0 to 1, such as 0.01`,
      ],
    ]),
    ...['10.0.0.0', '10.0.0.0/15', '10.0.0.0/27', '10.0.0.0/8', '10.0.0.64/25', '10.0.0/24', 3].map(
      (cidr): [Record<string, unknown>, string[]] => [
        { network: { cidr } },
        [
          `network.cidr: is ${JSON.stringify(cidr)}; it is a range of addresses from /16 to /26 that begins at its first, such as 10.0.0.0/24`,
        ],
      ],
    ),
    [
      { network: { availabilityZone: 'eu-central-1' } },
      [
        'network.availabilityZone: is "eu-central-1"; it is the name of an availability zone, such as eu-central-1b',
      ],
    ],
    [{ network: true }, ['network: is true; it is a group of settings']],
    [
      { tags: { project: 'x', stack: 'x', 'managed-by': 'x', owner: 3 } },
      [
        'tags.project: is a tag that the program sets',
        'tags.stack: is a tag that the program sets',
        'tags.managed-by: is a tag that the program sets',
        'tags.owner: is 3; a tag is text',
      ],
    ],
    [{ tags: 'x' }, ['tags: is "x"; it is a group of settings']],
  ])('%j', (values, faults) => {
    expect(told(values)).toEqual(faults);
  });

  test.each<[Record<string, unknown>, string]>([
    [{ zones: { landing: { oldVersionDays: 7, quarantineDays: 3650 } } }, 'days'],
    [{ jobs: { maxWorkers: 299, timeoutMinutes: 480 } }, 'workers'],
    [{ jobs: { timeoutMinutes: 1 } }, 'minutes'],
    [{ queries: { scanLimitMegabytes: 10, resultDays: 365 } }, 'queries'],
    [{ queries: { scanLimitMegabytes: 10_000_000 } }, 'megabytes'],
    [{ logDays: 7 }, 'log days'],
    [{ alerts: { email: EMAIL, quarantinedShare: 1 } }, 'share'],
    [{ network: { cidr: '10.0.0.192/26' } }, 'addresses'],
    [{ start: 'cron(0/15 * ? * MON-FRI *)' }, 'schedule'],
  ])('the limits themselves are none: %j', (values) => {
    expect(told(values)).toEqual([]);
  });
});

describe('a key that no setting has', () => {
  const known =
    'encryption, protect, dataOnDestroy, zones, start, crawl, jobs, jobOverrides, logDays, parameters, queries, alerts, network, permissions, analysts, auditTrail, dashboard, page, tags';
  const job = 'workerType, maxWorkers, timeoutMinutes, flex';

  test.each<[Record<string, unknown>, string]>([
    [{ mine: 'x' }, `mine: is no setting; there are ${known}`],
    [{ zones: { raw: {} } }, 'zones.raw: is no setting of zones; there are landing, trusted, curated'],
    [
      { zones: { landing: { optimizeTables: true } } },
      'zones.landing.optimizeTables: is no setting of zones.landing; there are dataOnDestroy, oldVersionDays, quarantineDays',
    ],
    [
      { zones: { curated: { quarantineDays: 30 } } },
      'zones.curated.quarantineDays: is no setting of zones.curated; there are dataOnDestroy, oldVersionDays, optimizeTables',
    ],
    [{ jobs: { workers: 2 } }, `jobs.workers: is no setting of jobs; there are ${job}`],
    [
      { jobOverrides: { customer_landing: {} } },
      `jobOverrides.customer_landing: is no setting of jobOverrides; there are ${JOBS.join(', ')}`,
    ],
    [
      { jobOverrides: { customer_trusted: { workers: 2 } } },
      `jobOverrides.customer_trusted.workers: is no setting of jobOverrides.customer_trusted; there are ${job}`,
    ],
    [
      { parameters: { other: 'x' } },
      'parameters.other: is no setting of parameters; there are consent, pairing',
    ],
    [
      { queries: { limit: 1 } },
      'queries.limit: is no setting of queries; there are scanLimitMegabytes, resultDays',
    ],
    [
      { alerts: { email: EMAIL, mail: EMAIL } },
      'alerts: has a key that is no setting; there are email, quarantinedShare',
    ],
    [{ network: { zone: 'a' } }, 'network.zone: is no setting of network; there are cidr, availabilityZone'],
  ])('%j', (values, fault) => {
    expect(told(values)).toEqual([fault]);
  });
});

describe('tags', () => {
  const key = 'is no key of a tag: 1 to 128 letters, digits, spaces and _.:/=+-@, not aws:';

  test.each<[Record<string, unknown>, string[]]>([
    [{ Project: 'x' }, ['tags.Project: is a tag that the program sets']],
    [{ 'aws:owner': 'x' }, [`tags.aws:owner: ${key}`]],
    [{ 'a*b': 'x' }, [`tags.a*b: ${key}`]],
    [{ ['k'.repeat(129)]: 'x' }, [`tags.${'k'.repeat(129)}: ${key}`]],
    [{ owner: 'x'.repeat(257) }, [`tags.owner: is "${'x'.repeat(257)}"; a tag is at most 256 characters`]],
  ])('%j', (tags, faults) => {
    expect(told({ tags })).toEqual(faults);
  });

  test('are at most seven besides those of the program', () => {
    const tags = forEach(['a', 'b', 'c', 'd', 'e', 'f', 'g'], 'x');
    expect(told({ tags })).toEqual([]);
    expect(told({ tags: { ...tags, h: 'x' } })[0]).toMatch(
      /; there are at most 7 tags: S3 takes 10 of an object, and the program sets 3$/,
    );
    expect(told({ tags: { ['k'.repeat(128)]: 'x'.repeat(256), 'Größe _.:/=+-@ 1': '' } })).toEqual([]);
  });
});

describe('what depends on several settings', () => {
  const flex = (job: string, type: string) =>
    `jobOverrides.${job}.flex: is true with ${type} workers; FLEX takes G.1X and G.2X`;

  test('flexible runs take small workers', () => {
    expect(told({ jobs: { flex: true, workerType: 'G.2X' } })).toEqual([]);
    expect(told({ jobs: { flex: true, workerType: 'G.4X' } })).toEqual([
      'jobs.flex: is true with G.4X workers; FLEX takes G.1X and G.2X',
    ]);
    expect(
      told({ jobs: { flex: true }, jobOverrides: { customer_trusted: { workerType: 'R.1X' } } }),
    ).toEqual([flex('customer_trusted', 'R.1X')]);
    expect(
      told({ jobs: { workerType: 'G.8X' }, jobOverrides: { customers_curated: { flex: true } } }),
    ).toEqual([flex('customers_curated', 'G.8X')]);
    expect(
      told({
        jobs: { flex: true, workerType: 'G.8X' },
        jobOverrides: forEach(JOBS, { flex: false }),
      }),
    ).toEqual([]);
  });

  test('is told where other settings cannot be read', () => {
    expect(told({ jobs: { flex: true, workerType: 'G.4X' }, logDays: 8, protect: 1 })).toEqual([
      'protect: is 1; it is true or false',
      `logDays: is 8; CloudWatch keeps logs for ${LOG_DAYS} days`,
      'jobs.flex: is true with G.4X workers; FLEX takes G.1X and G.2X',
    ]);
    expect(told({ jobs: 3, jobOverrides: 'x' })).toEqual([
      'jobs: is 3; it is a group of settings',
      'jobOverrides: is "x"; it is a group of settings',
    ]);
  });

  test('a network needs a region', () => {
    const fault =
      'network: needs aws:region, which its endpoints are named by; set it: pulumi config set aws:region REGION';
    expect(told({ network: {} }, { region: undefined })).toEqual([fault]);
    expect(told({ network: {} })).toEqual([]);
    expect(told({ network: {}, logDays: 8 }, { region: undefined })).toEqual([
      `logDays: is 8; CloudWatch keeps logs for ${LOG_DAYS} days`,
      fault,
    ]);
  });

  test.each(['eu-central-1', 'us-gov-west-1', 'cn-north-1', 'ap-southeast-2'])('%s is a region', (region) => {
    expect(told({}, { region })).toEqual([]);
  });

  test.each(['eu-central', 'Frankfurt', 'eu_central_1', 'eu-central-1a', ''])('"%s" is none', (region) => {
    expect(told({}, { region })).toEqual([
      `aws:region: is "${region}"; a region is written like eu-central-1`,
    ]);
  });
});

describe('the name of a stack', () => {
  const rule = "its name and the project's are part of a bucket's, and match ^[a-z](?:[a-z0-9-]*[a-z0-9])?$";

  test.each(['Dev', 'dev_1', 'dev.1', 'dév', 'dev-', ''])('"%s"', (stack) => {
    expect(told({}, { stack })).toEqual([`stack: is "${stack}"; ${rule}`]);
  });

  test('of a project of another spelling is no better', () => {
    expect(told({}, { project: 'Acme' })).toEqual([`stack: is "dev"; ${rule}`]);
    expect(told({}, { project: '1acme' })).toEqual([`stack: is "dev"; ${rule}`]);
  });

  test('fits into that of every bucket, the one of artifacts too', () => {
    // acme-…-artifacts-000000000000
    const fits = 'd'.repeat(63 - 'acme-'.length - '-artifacts-000000000000'.length);
    expect(told({}, { stack: fits })).toEqual([]);
    expect(told({}, { stack: `${fits}d` })).toEqual([
      `stack: is "${fits}d", which makes a bucket's name of 64 characters (acme-${fits}d-artifacts-000000000000); S3 takes 63: choose a shorter one`,
    ]);
  });
});

test('no zone takes the name of a bucket of the stack itself', () => {
  const words = lakehouse(['audit']);
  const notes = words.source({
    name: 'notes',
    zone: 'audit',
    entity: 'notes',
    description: 'Notes.',
    columns: { note: text('A note.') },
  });
  const zone = words.zone('audit', { description: 'Notes.', tables: [notes], jobs: [] });
  expect(() => readSettings({ project: 'acme', stack: 'dev', values: {} }, words.pipeline(zone))).toThrow(
    'zones.audit: is the name of a bucket of the stack itself (artifacts, audit); rename the zone',
  );
});

test('no table takes the name of the job that forgets people', () => {
  const words = lakehouse(['raw']);
  const columns = { note: text('A note.') };
  const notes = words.source({ name: 'notes', zone: 'raw', entity: 'notes', description: 'Notes.', columns });
  const forget = words.table({ name: 'forget', zone: 'raw', description: 'F.', columns });
  const job = words.job({ output: forget, inputs: [notes], description: 'F.' });
  const zone = words.zone('raw', {
    description: 'N.',
    tables: [notes, forget],
    jobs: [job],
  });
  expect(() => readSettings({ project: 'acme', stack: 'dev', values: {} }, words.pipeline(zone))).toThrow(
    'jobs.forget: is the name of the job of the stack itself that forgets people; rename the table',
  );
});

test('a definition that knows nobody has no settings of who forgets them', () => {
  const words = lakehouse(['raw']);
  const columns = { note: text('A note.') };
  const notes = words.source({ name: 'notes', zone: 'raw', entity: 'notes', description: 'Notes.', columns });
  const zone = words.zone('raw', { description: 'N.', tables: [notes], jobs: [] });
  const config = { project: 'acme', stack: 'dev', values: {} };
  expect(readSettings(config, words.pipeline(zone)).jobs).toEqual({});
});

test('all faults are told at once', () => {
  const values = { logDays: 8, mine: 1, network: {}, tags: { stack: 'x' }, alerts: { email: 'who' } };
  const faults = [
    'stack: is "Dev"; its name and the project\'s are part of a bucket\'s, and match ^[a-z](?:[a-z0-9-]*[a-z0-9])?$',
    `logDays: is 8; CloudWatch keeps logs for ${LOG_DAYS} days`,
    'alerts.email: is none; it is an e-mail address',
    'tags.stack: is a tag that the program sets',
    expect.stringMatching(/^mine: is no setting; there are /),
    'aws:region: is "x"; a region is written like eu-central-1',
  ];
  expect(told(values, { stack: 'Dev', region: 'x' })).toEqual(faults);
  const lines = (() => {
    try {
      readConfig(config(values, { stack: 'Dev', region: 'x' }), lake);
    } catch (error) {
      return (error as Error).message.split('\n');
    }
  })();
  expect(lines?.[0]).toBe('The configuration of stack Dev has 7 faults:');
  expect(lines).toHaveLength(8);
  expect(lines?.[2]).toBe(`  ${faults[1]}`);
});

test('one fault is one', () => {
  expect(() => read({ logDays: 8 })).toThrow(
    `The configuration of stack dev has 1 fault:\n  logDays: is 8; CloudWatch keeps logs for ${LOG_DAYS} days`,
  );
  expect(new SettingsError('dev', []).name).toBe('SettingsError');
});

describe('the key of pseudonyms', () => {
  const advice = 'it makes the pseudonyms: pulumi config set --secret pseudonymKey "$(openssl rand -hex 32)"';

  test('is handed out apart', () => {
    const { settings, pseudonymKey } = readConfig(config({ pseudonymKey: KEY }), lake);
    expect(pseudonymKey).toBe(KEY);
    expect(settings).toStrictEqual(DEFAULTS);
    expect(JSON.stringify(settings)).not.toContain(KEY);
    expect(read({ pseudonymKey: KEY })).toStrictEqual(DEFAULTS);
  });

  test.each([
    ['missing', undefined, 'is missing'],
    ['short', 'k'.repeat(31), 'is shorter than 32 characters'],
    ['one letter', 'k'.repeat(64), 'is easy to guess: it repeats itself or counts on'],
    ['a word again and again', 'secret-1'.repeat(8), 'is easy to guess: it repeats itself or counts on'],
    ['the digits in order', '0123456789abcdef'.repeat(2), 'is easy to guess: it repeats itself or counts on'],
    [
      'the alphabet',
      'abcdefghijklmnopqrstuvwxyz0123456789',
      'is easy to guess: it repeats itself or counts on',
    ],
    ['no text', 12345, 'is shorter than 32 characters'],
    ['long', 'k'.repeat(65), 'is longer than 64 bytes'],
    ['long in bytes', 'é'.repeat(33), 'is longer than 64 bytes'],
  ])('may not be %s', (_, pseudonymKey, found) => {
    const values = pseudonymKey === undefined ? {} : { pseudonymKey };
    expect(() => readConfig(config(values), lake)).toThrow(
      `The configuration of stack dev has 1 fault:\n  pseudonymKey: ${found}; ${advice}`,
    );
  });

  test('may not stand in the clear, where that is known', () => {
    const withKey = config({ pseudonymKey: KEY });
    expect(() => readConfig({ ...withKey, isSecret: () => false }, lake)).toThrow(
      `The configuration of stack dev has 1 fault:\n  pseudonymKey: is set in the clear; choose another one; ${advice}`,
    );
    const asked: string[] = [];
    const isSecret = (key: string) => asked.push(key) > 0;
    expect(readConfig({ ...withKey, isSecret }, lake).pseudonymKey).toBe(KEY);
    expect(asked).toEqual(['pseudonymKey']);
  });

  test('is text even where it looks like a number', () => {
    const digits = '31415926535897932384626433832795';
    expect(readConfig(config({ pseudonymKey: digits }), lake).pseudonymKey).toBe(digits);
  });
});

describe('no fault quotes', () => {
  const message = (values: Record<string, unknown>) => {
    try {
      readConfig(config(values), lake);
      return '';
    } catch (error) {
      return `${error}${JSON.stringify(error)}`;
    }
  };

  test.each([
    { alerts: { email: 'who@' } },
    { alerts: { email: ['who@example.com'] } },
    { alerts: 'who@example.com' },
    { alerts: ['who@example.com'] },
    { alerts: '["who@example.com"]' },
    { alerts: { 'who@example.com': true } },
    { email: 'who@example.com' },
  ])('an address: %j', (values) => {
    expect(message(values)).toMatch(/alerts|email/);
    expect(message(values)).not.toContain('who');
  });

  test.each([
    { pseudonymKey: 'hush' },
    { pseudonymKey: { hush: 'hush' } },
    { pseudonymKey: ['hush'] },
    { pseudonymkey: 'hush'.repeat(20) },
    { pseudonymKey: 'hush'.repeat(20), logDays: 8 },
  ])('a key: %j', (values) => {
    expect(message(values)).toMatch(/fault/);
    expect(message(values)).not.toContain('hush');
  });
});

describe('whatever stands in a file', () => {
  const names = [...Object.keys(DEFAULTS), 'alerts', 'network', 'jobOverrides', 'pseudonymKey', '__proto__'];
  const leaf = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.string(),
    fc.constantFrom('{}', '[', 'true', '3', 'cron()'),
  );
  const group = fc.dictionary(
    fc.oneof(
      fc.string(),
      fc.constantFrom(...ZONES, ...JOBS, 'email', 'cidr', 'flex', '__proto__', 'constructor'),
    ),
    leaf,
  );
  const values = fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), fc.oneof(leaf, group));

  test('is read, or told as faults of the configuration', () => {
    fc.assert(
      fc.property(values, fc.string(), fc.option(fc.string(), { nil: undefined }), (given, stack, region) => {
        for (const work of [readSettings, readConfig]) {
          try {
            work({ project: 'acme', stack, region, values: given }, lake);
          } catch (error) {
            if (!(error instanceof SettingsError)) throw error;
            expect(error.faults.length).toBeGreaterThan(0);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

test('a random key is never taken for one that is easy to guess', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('hex', 'base64', 'base64url'),
      fc.integer({ min: 32, max: 64 }),
      (as, length) => {
        expect(
          bitsOf(
            randomBytes(64)
              .toString(as as BufferEncoding)
              .slice(0, length),
          ),
        ).toBeGreaterThan(64);
      },
    ),
    { numRuns: 500 },
  );
});
