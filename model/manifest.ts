import { z } from 'zod';
import { auditOf, type Check, type Unmatched, unmatchedOf } from './audit';
import type { Identifies, PiiClass } from './column';
import type { Severity } from './expectation';
import { DefinitionError } from './faults';
import { ENTRIES, type Forgotten, PSEUDONYM_MACRO, SHARED_DEVICES } from './forgotten';
import { FORMATS } from './format';
import { type Due, dueOf } from './increment';
import type { Job } from './job';
import { readingByRecord, readingOf } from './landing';
import { keptFaults, type Pipeline, unreadFaults } from './pipeline';
import { hasQuarantine } from './quarantine';
import type { Reading } from './reading';
import { hasPseudonyms, type SourceTable, saysWhose, type Table } from './table';
import { COLUMN_TYPES, sparkSchema } from './types';

const PII_CLASSES = ['direct', 'quasi'] as const satisfies readonly PiiClass[];
const IDENTIFIES = ['person', 'device', 'moment'] as const satisfies readonly Identifies[];
const SEVERITIES = ['fail', 'quarantine', 'warn'] as const satisfies readonly Severity[];

const object = <const Shape extends z.core.$ZodLooseShape>(shape: Shape) => z.strictObject(shape).readonly();
const list = <T extends z.ZodType>(of: T) => z.array(of).readonly();
const byName = <T extends z.ZodType>(of: T) => z.record(z.string(), of).readonly();
const some = z.string().min(1);

/** What a runner needs to know of a column; what its values must be, SQL says. */
const column = object({
  type: z.enum(COLUMN_TYPES),
  pii: z.exactOptional(z.enum(PII_CLASSES)),
  /** Whose a row is: what people are forgotten by. */
  identifies: z.exactOptional(z.enum(IDENTIFIES)),
});

/** {@link Check}, word for word. */
const check = object({
  name: some,
  severity: z.enum(SEVERITIES),
  shown: object({ columns: list(some), counts: list(some) }),
  count: some,
  samples: some,
  moves: z.exactOptional(object({ gone: some, kept: some })),
  onlyEmpty: z.exactOptional(z.literal(true)),
}) satisfies z.ZodType<Check>;

const unmatchedSchema = object({ keys: some, count: some }) satisfies z.ZodType<Unmatched>;

const due = object({ when: byName(z.string()), next: some }) satisfies z.ZodType<Due>;

const plainReading = object({ rows: some, check: some });
const forgotten = object({
  macro: some,
  rows: some,
  found: z.exactOptional(some),
  refused: some,
}) satisfies z.ZodType<Forgotten>;

/** {@link Reading}, word for word. */
const reading = object({
  format: z.enum(['json', 'csv', 'parquet']),
  headBytes: z.number(),
  pieceBytes: z.number(),
  pairedMark: z.exactOptional(some),
  described: z.exactOptional(some),
  without: z.exactOptional(some),
  heads: some,
  plain: plainReading,
  further: plainReading,
  countedMark: some,
  otherMarks: list(some),
  objects: some,
  numbered: some,
  lines: some,
  careful: some,
  judge: some,
  verdict: some,
  firstCount: z.number(),
  firstOrder: some,
  shownFile: some,
  refined: some,
  landedSchema: some,
  refinedSchema: some,
  forgotten,
}) satisfies z.ZodType<Reading>;

export const sourceSchema = object({
  /** URI of the folder of the files. */
  location: some,
  /** URI of the folder that refused lines go to. */
  quarantine: some,
  maxQuarantinedShare: z.number().min(0).max(1),
  columns: byName(column),
  reading,
  /** How records are placed in files and whose they are, where a row is an element of one. */
  records: z.exactOptional(reading),
  audit: list(check),
});

const output = object({
  table: some,
  /** The columns as Spark takes a schema. */
  schema: some,
  columns: byName(column),
  partitionBy: list(object({ transform: z.literal('day'), column: some })),
  audit: list(check),
  /** URI of the folder that moved rows go to; there where an expectation moves some. */
  quarantine: z.exactOptional(some),
});

/** What a manifest is. It is checked as it is made; the runner looks at its format only. */
export const manifestSchema = object({
  version: z.literal(FORMATS.manifest),
  job: some,
  /** Absent: SQL. */
  language: z.exactOptional(z.literal('python')),
  database: some,
  /** The input whose rows count as read. */
  driving: some,
  /** Absent where rows that gave none are those that are missing in number. */
  unmatched: z.exactOptional(unmatchedSchema),
  sources: byName(sourceSchema),
  tables: list(some),
  output,
  /** The values that each parameter may have, the default first; none of one that is the run's own time. */
  parameters: byName(list(some)),
  /** Of a job that asks for the time and says what that changes. */
  due: z.exactOptional(list(due)),
  /** URI of the list of who was forgotten; there where a source says whose its rows are. */
  suppressed: z.exactOptional(some),
  /** URI of the folder that the summary of each run goes to. */
  runs: some,
  metricsNamespace: some,
});

/**
 * All that a job's runner is told besides its code: made from the definition, read by Glue's script. It holds no
 * description, so that to reword one changes no job. Tables that are no sources are known by name: their
 * schema is the catalog's, so that a column that a job does not write changes no job that reads the table.
 */
export type Manifest = z.infer<typeof manifestSchema>;

/** All that a runner is told to forget a person: how every table is made again. */
export const erasureSchema = object({
  version: z.literal(FORMATS.manifest),
  /** In the order in which tables are made; by the URIs of what each job is told. */
  jobs: list(object({ manifest: some, code: some, parameters: z.record(z.string(), z.string()) })),
  people: object({ macro: some, entries: some, sharedDevices: some }),
  /** URI of the list of who was forgotten. */
  suppressed: some,
  /** URI of the folder that receipts go to. */
  receipts: some,
});

export type ErasureManifest = z.infer<typeof erasureSchema>;

/** The SQL that says what points to a person; see the constants. */
export const PEOPLE = { macro: PSEUDONYM_MACRO, entries: ENTRIES, sharedDevices: SHARED_DEVICES };

/** The erasure manifest of a stack's jobs. */
export const erasureOf = (of: Omit<ErasureManifest, 'version' | 'people'>): ErasureManifest =>
  erasureSchema.parse({ version: FORMATS.manifest, people: PEOPLE, ...of } satisfies ErasureManifest);

const columnContracts = (table: Table): Record<string, z.infer<typeof column>> =>
  Object.fromEntries(
    Object.entries(table.columns).map(([name, { type, pii, identifies }]) => [
      name,
      { type, ...(pii && { pii }), ...(identifies && { identifies }) },
    ]),
  );

/** Whether a job reads lines of people whom it may have been asked to forget: it needs the list and its key. */
export const forgets = ({ inputs }: Job): boolean =>
  inputs.some((input) => input.format !== 'iceberg' && saysWhose(input));

/** Whether a job's runner needs the key of pseudonyms: it makes some, or has to know the forgotten. */
export const needsKey = (job: Job): boolean => hasPseudonyms(job.output) || forgets(job);

/** Whether any table says whose its rows are: without, nobody could be forgotten. */
export const knowsPeople = ({ tables }: Pipeline): boolean => [...tables.values()].some(saysWhose);

/**
 * A job's manifest, over the places that its stack gives its files. Throws a DefinitionError where a source's
 * expectation reads what the job does not.
 */
export function manifestOf(
  job: Job,
  places: {
    readonly database: string;
    readonly location: (source: SourceTable) => string;
    readonly quarantine: (table: Table) => string;
    /** Where the job may not read the list, it is not told of it. */
    readonly suppressed?: string;
    readonly runs: string;
    readonly metricsNamespace: string;
  },
): Manifest {
  const { output } = job;
  const sources = job.inputs.filter((input): input is SourceTable => input.format !== 'iceberg');
  const faults = [...unreadFaults(job), ...sources.flatMap(keptFaults)];
  if (faults.length > 0) throw new DefinitionError(faults);
  const unmatched = unmatchedOf(job);
  const due = dueOf(job);
  return manifestSchema.parse({
    version: FORMATS.manifest,
    job: job.name,
    ...(job.language === 'python' && { language: job.language }),
    database: places.database,
    driving: job.inputs[0]?.name ?? '',
    ...(unmatched && { unmatched }),
    sources: Object.fromEntries(
      sources.map((source) => [
        source.name,
        {
          location: places.location(source),
          quarantine: places.quarantine(source),
          maxQuarantinedShare: source.maxQuarantinedShare,
          columns: columnContracts(source),
          reading: readingOf(source),
          ...(source.each !== undefined && { records: readingByRecord(source) }),
          audit: auditOf(source, job.inputs),
        },
      ]),
    ),
    tables: job.inputs.filter(({ format }) => format === 'iceberg').map(({ name }) => name),
    output: {
      table: output.name,
      schema: sparkSchema(output.columns),
      columns: columnContracts(output),
      partitionBy: output.partitionBy,
      audit: auditOf(output, job.inputs, job),
      ...(hasQuarantine(output) && { quarantine: places.quarantine(output) }),
    },
    parameters: Object.fromEntries(job.parameters.map(({ name, values }) => [name, values])),
    ...(due.length > 0 && { due }),
    ...(places.suppressed !== undefined && sources.length > 0 && { suppressed: places.suppressed }),
    runs: places.runs,
    metricsNamespace: places.metricsNamespace,
  } satisfies Manifest);
}
