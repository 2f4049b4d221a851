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

const YES = 'it is true or false';
const GROUP = 'it is a group of settings';
const ANALYST = `it is the ARN of a role or a user, such as ${ROLE}`;
const START = 'it is demand, files or a schedule:';
const DAYS = 'it is a whole number from 7 to 3650';
const ADDRESSES = 'it is a range of addresses from /16 to /26 that begins at its first, such as 10.0.0.0/24';

/** What `a.b` is set to, with what it needs beside it. */
const set = (setting: string, value: unknown): Record<string, unknown> => {
  const values = setting.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as Record<
    string,
    object
  >;
  return setting.startsWith('alerts.') ? { alerts: { email: EMAIL, ...values.alerts } } : values;
};

describe('every fault names its setting, the bad value and the rule', () => {
  test.each<[setting: string, rule: string, ...values: unknown[]]>([
    ['encryption', 'it is s3 or kms', 'aes'],
    ['protect', YES, 1],
    ['auditTrail', YES, null],
    ['permissions', 'it is iam or lake-formation', 'none'],
    ['dataOnDestroy', 'it is retain or delete', 'keep'],
    ['zones', GROUP, 3, []],
    ['zones.landing', GROUP, null],
    ['zones.landing.dataOnDestroy', 'it is retain or delete', 'x'],
    ['zones.landing.oldVersionDays', DAYS, 6],
    ['zones.landing.quarantineDays', DAYS, 3651],
    ['zones.trusted.optimizeTables', YES, 'no'],
    ['start', `${START} a schedule is cron(…), ${CRON}`, 'daily', 3, ['cron(0 3 * * ? *)']],
    [
      'start',
      `${START} has 5 fields; it has minutes, hours, day of month, month, day of week and year, ${CRON}`,
      'cron(0 3 * * ?)',
    ],
    [
      'start',
      `${START} either its day of month or its day of week is ?, ${CRON}`,
      'cron(0 3 * * * *)',
      'cron(0 3 ? * ? *)',
    ],
    ['start', `${START} number 61 is not between 0 and 59; ${CRON}`, 'cron(61 3 * * ? *)'],
    ['crawl', `it is demand or a schedule: a schedule is cron(…), ${CRON}`, 'files'],
    ['jobs.workerType', `it is ${WORKERS}`, 'G.3X'],
    ['jobs.maxWorkers', 'it is a whole number from 2 to 299', 1, 2.5, 300],
    ['jobs.timeoutMinutes', 'it is a whole number from 1 to 480', 0, 481],
    ['jobs.flex', YES, 'x'],
    ['jobOverrides.customer_trusted.maxWorkers', 'it is a whole number from 2 to 299', 'many'],
    ['logDays', `CloudWatch keeps logs for ${LOG_DAYS} days`, 8],
    ['parameters.consent', 'it is granted or since-grant', 'maybe'],
    ['parameters.pairing', 'it is customer or timestamp', 3],
    ['queries.scanLimitMegabytes', 'it is a whole number from 10 to 10000000', 9],
    ['queries.resultDays', 'it is a whole number from 1 to 365', 0, 366],
    ['alerts.quarantinedShare', 'it is a share from 0 to 1, such as 0.01', -0.01, 1.01, 'x'],
    ['network', GROUP, true],
    ['network.cidr', ADDRESSES, '10.0.0.0', '10.0.0.0/15', '10.0.0.0/27', '10.0.0.64/25', '10.0.0/24', 3],
    [
      'network.availabilityZone',
      'it is the name of an availability zone, such as eu-central-1b',
      'eu-central-1',
    ],
    ['tags', GROUP, 'x'],
    ['tags.owner', 'a tag is text', 3],
    ['tags.owner', 'a tag is at most 256 characters', 'x'.repeat(257)],
  ])('%s: %s', (setting, rule, ...values) => {
    for (const value of values) {
      expect(told(set(setting, value))).toEqual([`${setting}: is ${JSON.stringify(value)}; ${rule}`]);
    }
  });

  test.each<[setting: string, ...values: unknown[]]>([
    ['zones.landing.oldVersionDays', 7, 3650],
    ['zones.landing.quarantineDays', 7, 3650],
    ['jobs.maxWorkers', 2, 299],
    ['jobs.timeoutMinutes', 1, 480],
    ['queries.resultDays', 1, 365],
    ['queries.scanLimitMegabytes', 10, 10_000_000],
    ['logDays', 7],
    ['alerts.quarantinedShare', 0, 1],
    ['network.cidr', '10.0.0.0/16', '10.0.0.192/26'],
    ['start', 'cron(0/15 * ? * MON-FRI *)'],
  ])('the limits of %s are none', (setting, ...values) => {
    for (const value of values) expect(told(set(setting, value))).toEqual([]);
  });

  const lakeFormation = { permissions: 'lake-formation' };
  test.each<[Record<string, unknown>, string]>([
    [{ alerts: {} }, 'alerts.email: is missing; it is an e-mail address'],
    [lakeFormation, `analysts: is missing or empty; Lake Formation grants to somebody: ${ANALYST}`],
    [{ ...lakeFormation, analysts: ['me', ROLE] }, `analysts.0: is "me"; ${ANALYST}`],
    [{ ...lakeFormation, analysts: [ROLE, ROLE] }, `analysts: is ["${ROLE}","${ROLE}"]; it has no ARN twice`],
    [
      { analysts: [ROLE] },
      'analysts: does something with permissions: lake-formation only; by IAM, attach the policy NAME-analyst',
    ],
  ])('%j', (values, fault) => {
    expect(told(values)).toEqual([fault]);
  });
});

describe('a key that no setting has', () => {
  const job = 'workerType, maxWorkers, timeoutMinutes, flex';

  test.each([
    ['zones', 'landing, trusted, curated'],
    ['zones.landing', 'dataOnDestroy, oldVersionDays, quarantineDays'],
    ['zones.curated', 'dataOnDestroy, oldVersionDays, optimizeTables'],
    ['jobs', job],
    ['jobOverrides', JOBS.join(', ')],
    ['jobOverrides.customer_trusted', job],
    ['parameters', 'consent, pairing'],
    ['queries', 'scanLimitMegabytes, resultDays'],
    ['network', 'cidr, availabilityZone'],
  ])('of %s', (group, known) => {
    expect(told(set(`${group}.mine`, 1))).toEqual([
      `${group}.mine: is no setting of ${group}; there are ${known}`,
    ]);
  });

  test('of the stack, or of who is told, whose address it may be', () => {
    const known = Object.keys(DEFAULTS).filter((key) => key !== 'name' && key !== 'region');
    const [fault] = told({ mine: 'x' });
    expect(fault).toMatch(/^mine: is no setting; there are /);
    expect(fault?.split(' there are ')[1]?.split(', ').toSorted()).toEqual(
      [...known, 'jobOverrides', 'alerts', 'network'].toSorted(),
    );
    expect(told(set('alerts.mail', EMAIL))).toEqual([
      'alerts: has a key that is no setting; there are email, quarantinedShare',
    ]);
  });
});

describe('tags', () => {
  test.each(['project', 'stack', 'managed-by', 'Project'])('%s is the program’s', (tag) => {
    expect(told({ tags: { [tag]: 'x' } })).toEqual([`tags.${tag}: is a tag that the program sets`]);
  });

  test.each(['aws:owner', 'a*b', 'k'.repeat(129)])('%s is no key', (tag) => {
    expect(told({ tags: { [tag]: 'x' } })).toEqual([
      `tags.${tag}: is no key of a tag: 1 to 128 letters, digits, spaces and _.:/=+-@, not aws:`,
    ]);
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

describe('a definition', () => {
  /** A zone of one source, and of a table of it where that has a name. */
  const readOf = (zone: string, table?: string) => {
    const words = lakehouse([zone]);
    const columns = { note: text('A note.') };
    const notes = words.source({ name: 'notes', zone, entity: 'notes', description: 'Notes.', columns });
    const made = (table === undefined ? [] : [table]).map((name) =>
      words.table({ name, zone, description: 'Made.', columns }),
    );
    const jobs = made.map((output) => words.job({ output, inputs: [notes], description: 'Makes it.' }));
    const pipeline = words.pipeline(
      words.zone(zone, { description: 'Notes.', tables: [notes, ...made], jobs }),
    );
    return readSettings({ project: 'acme', stack: 'dev', values: {} }, pipeline);
  };

  test('gives no zone the name of a bucket of the stack itself', () => {
    expect(() => readOf('audit')).toThrow(
      'zones.audit: is the name of a bucket of the stack itself (artifacts, audit); rename the zone',
    );
  });

  test('gives no table the name of the job that forgets people', () => {
    expect(() => readOf('raw', 'forget')).toThrow(
      'jobs.forget: is the name of the job of the stack itself that forgets people; rename the table',
    );
  });

  test('that knows nobody has no settings of who forgets them', () => {
    expect(readOf('raw').jobs).toEqual({});
  });
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
