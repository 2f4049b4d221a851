import { parse } from 'aws-cron-parser';
import { z } from 'zod';
import { type Fault, hasQuarantine, type Pipeline, tellFaults, type ZoneDefinition } from '../model';
import { knowsPeople } from '../model/manifest';
import { bucketName, FORGET_JOB, MAX_BUCKET_NAME } from './site';

/** When the workflow runs: when somebody starts it, by the clock (UTC), or when files land. */
export type Start = 'demand' | 'files' | Cron;
export type Cron = `cron(${string})`;

/** How Glue runs a job. */
export interface JobSettings {
  /** Default: G.1X, 4 vCPU and 16 GB. */
  readonly workerType: (typeof WORKER_TYPES)[number];
  /** Most workers that auto scaling may take, the driver's included. Default: 2. */
  readonly maxWorkers: number;
  /** Minutes after which Glue stops a run. Default: 60. */
  readonly timeoutMinutes: number;
  /** Whether a run may wait for spare capacity, at a lower price. Default: false. */
  readonly flex: boolean;
}

export interface ZoneSettings {
  /** Whether `destroy` may delete the zone's data; it does where the stack's `dataOnDestroy` says so too. Default: retain. */
  readonly dataOnDestroy: 'retain' | 'delete';
  /** Days that a replaced or deleted object can be had back. Default: 30; at least 7. */
  readonly oldVersionDays: number;
  /** Days that refused lines and moved rows are kept. Default: 90; at least 7. */
  readonly quarantineDays: number;
  /** Whether Glue compacts and cleans the zone's Iceberg tables. Default: true. */
  readonly optimizeTables: boolean;
}

export interface AlertSettings {
  /** Who is told of failures, and of quarantine above the share. */
  readonly email: string;
  /** Share of a source's lines in quarantine that is worth a mail (0 to 1). Default: 0.01. */
  readonly quarantinedShare: number;
}

export interface NetworkSettings {
  /** Addresses of the private network. Default: 10.0.0.0/24. */
  readonly cidr: string;
  /** Where it is. Default: the first in which AWS offers all of its endpoints. */
  readonly availabilityZone?: string | undefined;
}

/** What a stack may choose; everything else is the definition's. */
export interface Settings {
  /** Project and stack, such as `shop-dev`. */
  readonly name: string;
  readonly region?: string;
  /** `s3`: S3's own keys. `kms`: a key of the stack. Default: s3. */
  readonly encryption: 's3' | 'kms';
  /** Whether Pulumi refuses to delete buckets, tables, the key and the secret. Default: true. */
  readonly protect: boolean;
  /** What `destroy` does with data. `delete` needs the zone's consent too. Default: retain. */
  readonly dataOnDestroy: 'retain' | 'delete';
  readonly zones: Readonly<Record<string, ZoneSettings>>;
  /** Default: demand. */
  readonly start: Start;
  /** When the crawler looks at the landing zone. Default: demand. */
  readonly crawl: 'demand' | Cron;
  /** Of the job that forgets people too, where there is one. */
  readonly jobs: Readonly<Record<string, JobSettings>>;
  /** Days that logs are kept, one of CloudWatch's choices. Default: 30; at least 7. */
  readonly logDays: number;
  /** The rules that runs follow, by parameter. Default: each parameter's own. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly queries: {
    /** A query that would scan more is stopped. Default: 10240; at least 10, Athena's own floor. */
    readonly scanLimitMegabytes: number;
    /** Days that results are kept. Default: 7. */
    readonly resultDays: number;
  };
  /** Default: nobody is told. */
  readonly alerts?: AlertSettings;
  /** Default: Glue's own network. */
  readonly network?: NetworkSettings;
  /**
   * What governs the queries of analysts: IAM, which opens the tables without personal data to whoever has the policy
   * `NAME-analyst`, or Lake Formation, which opens to `analysts` the other tables too, but for their personal columns.
   * Default: iam.
   */
  readonly permissions: 'iam' | 'lake-formation';
  /** Roles and users, as their ARNs. Default: none; Lake Formation needs at least one. */
  readonly analysts: readonly string[];
  /** Whether CloudTrail records who reads and writes personal data. Default: false. */
  readonly auditTrail: boolean;
  /** Whether CloudWatch has a dashboard of the stack. Default: false; an account's fourth costs 3 USD a month. */
  readonly dashboard: boolean;
  /** Whether the page of `lake docs` is put into the artifacts' bucket. Default: false. */
  readonly page: boolean;
  /** Tags besides `project`, `stack` and `managed-by`. Default: none. */
  readonly tags: Readonly<Record<string, string>>;
}

export const WORKER_TYPES = [
  'G.1X',
  'G.2X',
  'G.4X',
  'G.8X',
  'G.12X',
  'G.16X',
  'R.1X',
  'R.2X',
  'R.4X',
  'R.8X',
] as const;
/** DPUs, or M-DPUs, of a worker, each of four cores: the figure in its type, `G.4X`. */
export const dpusOf = (type: JobSettings['workerType']) => Number(/\d+/.exec(type)?.[0]);
const FLEX_WORKER_TYPES: readonly string[] = ['G.1X', 'G.2X'];
/** CloudWatch's own choices from the floor on. */
const LOG_DAYS = [
  7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];
/** Below it nobody is back from a holiday to see what happened. */
const FLOOR_DAYS = 7;
const SHARE = 'it is a share from 0 to 1, such as 0.01';
const CIDR = 'it is a range of addresses from /16 to /26 that begins at its first, such as 10.0.0.0/24';
const AVAILABILITY_ZONE = 'it is the name of an availability zone, such as eu-central-1b';
const ANALYST = 'it is the ARN of a role or a user, such as arn:aws:iam::111122223333:role/analyst';
const RESERVED_TAGS = ['project', 'stack', 'managed-by'];
const MAX_TAGS = 10 - RESERVED_TAGS.length;
/** What all services take. */
const TAG_KEY = /^(?!aws:)[\p{L}\p{N} _.:/=+\-@]{1,128}$/iu;

/** Thrown once with every fault of a stack's configuration. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  constructor(
    stack: string,
    readonly faults: readonly Fault[],
  ) {
    super(tellFaults(faults, `The configuration of stack ${stack}`));
  }
}

const EXAMPLE = 'such as cron(0 3 * * ? *), daily at 3:00 UTC';

/** Glue's six fields, of which either the day of the month or that of the week is `?`. */
function cronFault(text: string): string | undefined {
  const fields = /^cron\((.*)\)$/.exec(text)?.[1]?.trim().split(/\s+/);
  if (!fields) return `a schedule is cron(…), ${EXAMPLE}`;
  if (fields.length !== 6) {
    return `has ${fields.length} fields; it has minutes, hours, day of month, month, day of week and year, ${EXAMPLE}`;
  }
  if ((fields[2] === '?') === (fields[4] === '?')) {
    return `either its day of month or its day of week is ?, ${EXAMPLE}`;
  }
  try {
    parse(fields.join(' '));
    return undefined;
  } catch (error) {
    return `${(error as Error).message.replace(/^Invalid: /, '')}; ${EXAMPLE}`;
  }
}

/** One of some words, or a schedule. */
const wordOrCron = <const W extends string>(...words: readonly W[]) =>
  z.custom<W | Cron>().superRefine((value, context) => {
    if (words.some((word) => word === value)) return;
    const fault = cronFault(typeof value === 'string' ? value : '');
    if (fault) {
      context.addIssue({ code: 'custom', message: `it is ${words.join(', ')} or a schedule: ${fault}` });
    }
  });

const from = (least: number, most: number) => {
  const error = `it is a whole number from ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
};
const days = from(FLOOR_DAYS, 3650);
const yes = z.boolean({ error: 'it is true or false' });
const onDestroy = z.enum(['retain', 'delete']);

const jobShape = z.strictObject({
  workerType: z.enum(WORKER_TYPES),
  // A driver and a worker; auto scaling starts no job with less.
  maxWorkers: from(2, 299),
  timeoutMinutes: from(1, 480),
  flex: yes,
});
const JOB_DEFAULTS: JobSettings = { workerType: 'G.1X', maxWorkers: 2, timeoutMinutes: 60, flex: false };

const ZONE_DEFAULTS: ZoneSettings = {
  dataOnDestroy: 'retain',
  oldVersionDays: 30,
  quarantineDays: 90,
  optimizeTables: true,
};
/** A zone has only the settings that do something there. */
const zoneShape = (zone: ZoneDefinition) =>
  z
    .strictObject({
      dataOnDestroy: onDestroy,
      oldVersionDays: days,
      ...(zone.tables.some(hasQuarantine) && { quarantineDays: days }),
      ...(zone.tables.some(({ format }) => format === 'iceberg') && { optimizeTables: yes }),
    })
    .partial();

/** Whether a VPC may have the range: AWS takes up to /28, of which endpoints and workers leave too little. */
function isNetwork(cidr: string): boolean {
  const [address = '', size = ''] = cidr.split('/');
  const bits = Number(size);
  const value = address.split('.').reduce((all, part) => all * 256 + Number(part), 0);
  return bits >= 16 && bits <= 26 && value % 2 ** (32 - bits) === 0;
}

/** An object with a key for each name of the definition that settings may use, and no other. */
const named = <T extends z.ZodType>(names: readonly string[], schema: T) =>
  z.strictObject(Object.fromEntries(names.map((name) => [name, schema] as const)));

/** The jobs of a stack: those of the definition, and the one that forgets people. */
const jobsOf = (pipeline: Pipeline): string[] => [
  ...pipeline.jobs.map(({ name }) => name),
  ...(knowsPeople(pipeline) ? [FORGET_JOB] : []),
];

const shapeOf = (pipeline: Pipeline) =>
  z.strictObject({
    encryption: z.enum(['s3', 'kms']).default('s3'),
    protect: yes.default(true),
    dataOnDestroy: onDestroy.default('retain'),
    zones: z
      .strictObject(
        Object.fromEntries(pipeline.zones.map((zone) => [zone.name, zoneShape(zone).default({})] as const)),
      )
      .prefault({}),
    start: wordOrCron('demand', 'files').default('demand'),
    crawl: wordOrCron('demand').default('demand'),
    jobs: jobShape.partial().default({}),
    jobOverrides: named(jobsOf(pipeline), jobShape.partial().default({})).prefault({}),
    logDays: z
      .literal(LOG_DAYS, { error: `CloudWatch keeps logs for ${LOG_DAYS.join(', ')} days` })
      .default(30),
    parameters: z
      .strictObject(
        Object.fromEntries(
          pipeline.parameters.map(({ name, values, default: first }) => [
            name,
            z.enum(values).default(first),
          ]),
        ),
      )
      .prefault({}),
    queries: z
      .strictObject({
        scanLimitMegabytes: from(10, 10_000_000).default(10_240),
        resultDays: from(1, 365).default(7),
      })
      .prefault({}),
    alerts: z
      .strictObject({
        email: z.email({ error: 'it is an e-mail address' }),
        quarantinedShare: z
          .number({ error: SHARE })
          .min(0, { error: SHARE })
          .max(1, { error: SHARE })
          .default(0.01),
      })
      .optional(),
    network: z
      .strictObject({
        cidr: z
          .cidrv4({ error: CIDR, abort: true })
          .refine(isNetwork, { error: CIDR })
          .default('10.0.0.0/24'),
        availabilityZone: z
          .string({ error: AVAILABILITY_ZONE })
          .regex(/^[a-z]{2}(?:-[a-z]+)+-\d[a-z]$/, { error: AVAILABILITY_ZONE })
          .optional(),
      })
      .optional(),
    permissions: z.enum(['iam', 'lake-formation']).default('iam'),
    analysts: z
      .array(
        z.string({ error: ANALYST }).regex(/^arn:aws:iam::\d{12}:(?:role|user)\/[\w+=,.@/-]+$/, ANALYST),
        {
          error: 'it is a list of ARNs',
        },
      )
      .refine((all) => new Set(all).size === all.length, { error: 'it has no ARN twice' })
      .default([]),
    auditTrail: yes.default(false),
    dashboard: yes.default(false),
    page: yes.default(false),
    tags: z
      .record(
        z
          .string()
          .refine((key) => !RESERVED_TAGS.includes(key.toLowerCase()), {
            error: 'is a tag that the program sets',
          })
          .regex(TAG_KEY, {
            error: 'is no key of a tag: 1 to 128 letters, digits, spaces and _.:/=+-@, not aws:',
          }),
        z.string({ error: 'a tag is text' }).max(256, { error: 'a tag is at most 256 characters' }),
      )
      .refine((tags) => Object.keys(tags).length <= MAX_TAGS, {
        error: `there are at most ${MAX_TAGS} tags: S3 takes 10 of an object, and the program sets ${RESERVED_TAGS.length}`,
      })
      .default({}),
  });

/** The stack, and its configuration by key without the project's name: as Pulumi holds it, or as its file does. */
export interface StackConfig {
  readonly project: string;
  readonly stack: string;
  /** `aws:region`. */
  readonly region?: string | undefined;
  readonly values: Readonly<Record<string, unknown>>;
  /** Whether a key is set as a secret. Default: nobody knows. */
  readonly isSecret?: (key: string) => boolean;
}

/** The key that {@link readConfig} hands out apart, so that nothing prints it with the settings. */
const SECRET = 'pseudonymKey';
const SECRET_LENGTH = 32;
/** The block of SHA-256: engines do not hash a longer key first. */
const SECRET_BYTES = 64;

/** Bits that it has to be worth at least; a random one of the shortest length in hex is worth about 90 here. */
const SECRET_BITS = 64;

/**
 * How hard a text is to guess, in bits: what its characters are worth by how often each occurs, without those that
 * repeat what stood before or count on. It knows no words: a sentence is worth more here than to somebody who guesses.
 */
export function bitsOf(text: string): number {
  const counts = new Map<string, number>();
  for (const each of text) counts.set(each, (counts.get(each) ?? 0) + 1);
  const { length } = text;
  const each = [...counts.values()].reduce(
    (sum, count) => sum - (count / length) * Math.log2(count / length),
    0,
  );
  const seen = new Set<string>();
  let fresh = 0;
  for (let at = 0; at < length; at++) {
    const three = text.slice(Math.max(0, at - 2), at + 1);
    const step = at === 0 ? Number.NaN : text.charCodeAt(at) - text.charCodeAt(at - 1);
    if (!seen.has(three) && !(Math.abs(step) <= 1)) fresh++;
    seen.add(three);
  }
  return each * fresh;
}

/** Pulumi keeps everything as text: what is not text in its file is JSON. */
const fromText = (value: unknown): unknown => {
  if (typeof value !== 'string' || !/^(?:true|false|-?\d+(?:\.\d+)?|[[{].*)$/s.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
};

/** The rules that the schema leaves to zod, in words. */
const ruleOf: z.core.$ZodErrorMap = (issue) => {
  if (issue.code === 'unrecognized_keys')
    return `there are ${Object.keys((issue.inst as z.ZodObject).shape).join(', ')}`;
  if (issue.code === 'invalid_key') return issue.issues.map(({ message }) => message).join('; ');
  if (issue.code === 'invalid_value') return `it is ${issue.values.join(' or ')}`;
  if (issue.code !== 'invalid_type') return undefined;
  return `it is ${['object', 'record'].includes(issue.expected) ? 'a group of settings' : `a ${issue.expected}`}`;
};

function faultsOf(issue: z.core.$ZodIssue): Fault[] {
  const { message, input } = issue;
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    // A key there may be an address.
    if (path === 'alerts') return [{ path, message: `has a key that is no setting; ${message}` }];
    return issue.keys.map((key) => ({
      path: [...issue.path, key].join('.'),
      message: `is no setting${path ? ` of ${path}` : ''}; ${message}`,
    }));
  }
  if (issue.code === 'invalid_key') return [{ path, message }];
  // A person's address is not for logs, however it is misspelt.
  const isPersonal = path === 'alerts' || path === 'alerts.email';
  const found = input === undefined ? 'is missing' : isPersonal ? 'is none' : `is ${JSON.stringify(input)}`;
  return [{ path, message: `${found}; ${message}` }];
}

/** Lower case, digits and hyphens: what S3 takes in a bucket's name. */
const NAME = /^[a-z](?:[a-z0-9-]*[a-z0-9])?$/;
/** What the buckets besides the zones' are for. */
const OWN_BUCKETS = ['artifacts', 'audit'];
const REGION = /^[a-z]{2}(?:-[a-z]+)+-\d$/;

function nameFaults({ project, stack }: StackConfig, pipeline: Pipeline): Fault[] {
  const name = `${project}-${stack}`;
  if (!NAME.test(name)) {
    return [
      {
        path: 'stack',
        message: `is "${stack}"; its name and the project's are part of a bucket's, and match ${NAME.source}`,
      },
    ];
  }
  const taken = pipeline.zones.filter((zone) => OWN_BUCKETS.includes(zone.name));
  if (taken.length > 0) {
    return taken.map((zone) => ({
      path: `zones.${zone.name}`,
      message: `is the name of a bucket of the stack itself (${OWN_BUCKETS.join(', ')}); rename the zone`,
    }));
  }
  if (pipeline.jobs.some((job) => job.name === FORGET_JOB)) {
    const message = 'is the name of the job of the stack itself that forgets people; rename the table';
    return [{ path: `jobs.${FORGET_JOB}`, message }];
  }
  const longest = [...pipeline.zones.map((zone) => zone.name), ...OWN_BUCKETS]
    .map((purpose) => bucketName({ name, account: '0'.repeat(12) }, purpose))
    .reduce((a, b) => (b.length > a.length ? b : a), '');
  return longest.length > MAX_BUCKET_NAME
    ? [
        {
          path: 'stack',
          message: `is "${stack}", which makes a bucket's name of ${longest.length} characters (${longest}); S3 takes ${MAX_BUCKET_NAME}: choose a shorter one`,
        },
      ]
    : [];
}

/** What depends on several settings, told as far as each can be read, whatever is wrong with the others. */
function crossFaults(
  values: Readonly<Record<string, unknown>>,
  { region }: StackConfig,
  pipeline: Pipeline,
): Fault[] {
  const faults: Fault[] = [];
  if (region !== undefined && !REGION.test(region)) {
    faults.push({ path: 'aws:region', message: `is "${region}"; a region is written like eu-central-1` });
  }
  if (values.network !== undefined && region === undefined) {
    faults.push({
      path: 'network',
      message:
        'needs aws:region, which its endpoints are named by; set it: pulumi config set aws:region REGION',
    });
  }
  const byLakeFormation = values.permissions === 'lake-formation';
  const { analysts } = values;
  if (byLakeFormation !== (Array.isArray(analysts) && analysts.length > 0)) {
    const message = byLakeFormation
      ? `is missing or empty; Lake Formation grants to somebody: ${ANALYST}`
      : 'does something with permissions: lake-formation only; by IAM, attach the policy NAME-analyst';
    if (byLakeFormation ? analysts === undefined || Array.isArray(analysts) : true)
      faults.push({ path: 'analysts', message });
  }
  const read = (group: unknown) => jobShape.partial().safeParse(group ?? {}).data ?? {};
  const general = read(values.jobs);
  const overrides = z.record(z.string(), z.unknown()).safeParse(values.jobOverrides).data;
  const told = new Set<string>();
  for (const name of jobsOf(pipeline)) {
    const own = read(overrides?.[name]);
    const { flex, workerType } = { ...JOB_DEFAULTS, ...general, ...own };
    const path =
      own.flex === undefined && own.workerType === undefined ? 'jobs.flex' : `jobOverrides.${name}.flex`;
    if (!flex || FLEX_WORKER_TYPES.includes(workerType ?? '') || told.has(path)) continue;
    told.add(path);
    const message = `is true with ${workerType} workers; FLEX takes ${FLEX_WORKER_TYPES.join(' and ')}`;
    faults.push({ path, message });
  }
  return faults;
}

function check(config: StackConfig, pipeline: Pipeline): { settings?: Settings; faults: Fault[] } {
  const { [SECRET]: _, ...given } = config.values;
  const values = Object.fromEntries(Object.entries(given).map(([key, value]) => [key, fromText(value)]));
  const parsed = shapeOf(pipeline).safeParse(values, { error: ruleOf, reportInput: true });
  const faults = [
    ...nameFaults(config, pipeline),
    ...(parsed.success ? [] : parsed.error.issues.flatMap(faultsOf)),
    ...crossFaults(values, config, pipeline),
  ];
  if (!parsed.success) return { faults };
  const { zones, jobs, jobOverrides, tags, alerts, network, ...rest } = parsed.data;
  const settings: Settings = {
    ...rest,
    name: `${config.project}-${config.stack}`,
    ...(config.region !== undefined && { region: config.region }),
    zones: Object.fromEntries(
      Object.entries(zones).map(([name, given]) => [name, { ...ZONE_DEFAULTS, ...given } as ZoneSettings]),
    ),
    jobs: Object.fromEntries(
      jobsOf(pipeline).map((name) => [
        name,
        { ...JOB_DEFAULTS, ...jobs, ...jobOverrides[name] } as JobSettings,
      ]),
    ),
    tags: { ...tags, project: config.project, stack: config.stack, 'managed-by': 'pulumi' },
    ...(alerts && { alerts }),
    ...(network && { network }),
  };
  return { settings, faults };
}

/** A stack's settings, its secret left aside. Throws a SettingsError with every fault. */
export function readSettings(config: StackConfig, pipeline: Pipeline): Settings {
  const { settings, faults } = check(config, pipeline);
  if (!settings || faults.length > 0) throw new SettingsError(config.stack, faults);
  return settings;
}

/** A stack's settings and the secret that pseudonyms are made with. Throws a SettingsError with every fault. */
export function readConfig(
  config: StackConfig,
  pipeline: Pipeline,
): { readonly settings: Settings; readonly pseudonymKey: string } {
  const { settings, faults } = check(config, pipeline);
  const key = config.values[SECRET];
  const found =
    key === undefined
      ? 'is missing'
      : typeof key !== 'string' || key.length < SECRET_LENGTH
        ? `is shorter than ${SECRET_LENGTH} characters`
        : Buffer.byteLength(key) > SECRET_BYTES
          ? `is longer than ${SECRET_BYTES} bytes`
          : bitsOf(key) < SECRET_BITS
            ? 'is easy to guess: it repeats itself or counts on'
            : config.isSecret?.(SECRET) === false
              ? 'is set in the clear; choose another one'
              : undefined;
  if (found !== undefined) {
    faults.push({
      path: SECRET,
      message: `${found}; it makes the pseudonyms: pulumi config set --secret ${SECRET} "$(openssl rand -hex 32)"`,
    });
  }
  if (!settings || faults.length > 0) throw new SettingsError(config.stack, faults);
  return { settings, pseudonymKey: key as string };
}
