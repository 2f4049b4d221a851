import { z } from 'zod';
import type { ColumnType, Identifies, PiiClass } from './column';
import { type Expectation, expectationsOf, type Severity } from './expectation';
import { DefinitionError, type Fault } from './faults';
import { type Forgotten, forgottenOf } from './forgotten';
import type { Job } from './job';
import type { Pipeline } from './pipeline';
import { hasQuarantine } from './quarantine';
import { type Reading, readingOf } from './reading';
import { shownColumns } from './shown';
import { hasPseudonyms, type SourceTable, saysWhose, type Table } from './table';

const COLUMN_TYPES = [
  'text',
  'int',
  'double',
  'epochMillis',
  'isoDate',
  'timestamp',
  'date',
  'pseudonym',
] as const satisfies readonly ColumnType[];
const PII_CLASSES = ['direct', 'quasi'] as const satisfies readonly PiiClass[];
const IDENTIFIES = ['person', 'device'] as const satisfies readonly Identifies[];
const SEVERITIES = ['fail', 'quarantine', 'warn'] as const satisfies readonly Severity[];

const object = <const Shape extends z.core.$ZodLooseShape>(shape: Shape) => z.strictObject(shape).readonly();
const list = <T extends z.ZodType>(of: T) => z.array(of).readonly();
const byName = <T extends z.ZodType>(of: T) => z.record(z.string(), of).readonly();
const some = z.string().min(1);

const column = object({
  type: z.enum(COLUMN_TYPES),
  nullable: z.boolean(),
  aliases: list(some),
  min: z.exactOptional(z.number()),
  max: z.exactOptional(z.number()),
  pii: z.exactOptional(z.enum(PII_CLASSES)),
  /** Whose a row is: what people are forgotten by. */
  identifies: z.exactOptional(z.enum(IDENTIFIES)),
});

const expectation = object({
  name: some,
  severity: z.enum(SEVERITIES),
  columns: list(some),
  /** Columns of the bad rows whose values may be told where they are whole numbers. */
  counts: list(some),
  /** Columns of the bad rows whose values may be told. */
  shown: list(some),
  /** A table that has rows passes, and the query need not be asked. */
  onlyEmpty: z.exactOptional(z.literal(true)),
  /** The query that returns the bad rows. */
  sql: some,
});

const plainReading = object({ rows: some, check: some });
const forgotten = object({ macro: some, rows: some, refused: some }) satisfies z.ZodType<Forgotten>;

/** {@link Reading}, word for word. */
const reading = object({
  headBytes: z.number(),
  pieceBytes: z.number(),
  heads: some,
  plain: plainReading,
  further: plainReading,
  countedMark: some,
  otherMarks: list(some),
  objects: some,
  numbered: some,
  lines: some,
  matched: some,
  unmatched: some,
  judge: some,
  verdict: some,
  firstCount: z.number(),
  firstOrder: some,
  refined: some,
  forgotten,
}) satisfies z.ZodType<Reading>;

const source = object({
  /** URI of the folder of the files. */
  location: some,
  /** URI of the folder that refused lines go to. */
  quarantine: some,
  maxQuarantinedShare: z.number().min(0).max(1),
  columns: byName(column),
  reading,
  expectations: list(expectation),
});

const output = object({
  table: some,
  columns: byName(column),
  partitionBy: list(object({ transform: z.literal('day'), column: some })),
  expectations: list(expectation),
  /** URI of the folder that moved rows go to; there where an expectation moves some. */
  quarantine: z.exactOptional(some),
});

/** What a manifest is. The runner checks what it reads against the same, in JSON Schema. */
export const manifestSchema = object({
  version: z.literal(1),
  job: some,
  database: some,
  /** The input whose rows count as read. */
  driving: some,
  drivenBy: z.exactOptional(byName(some)),
  sources: byName(source),
  tables: list(some),
  output,
  /** The values that each parameter may have, the default first; none of one that is the run's own time. */
  parameters: byName(list(some)),
  /** URI of the list of who was forgotten; there where a source says whose its rows are. */
  suppressed: z.exactOptional(some),
  /** URI of the folder that the summary of each run goes to. */
  runs: some,
  metricsNamespace: some,
});

/** What a reader or writer needs to know of a column. */
export type ColumnContract = z.infer<typeof column>;
export type ManifestExpectation = z.infer<typeof expectation>;
/**
 * All that a job's runner is told besides its SQL: made from the definition, read by Glue's script. It holds no
 * description, so that to reword one changes no job. Tables that are no sources are known by name: their
 * schema is the catalog's, so that a column that a job does not write changes no job that reads the table.
 */
export type Manifest = z.infer<typeof manifestSchema>;

/** All that a runner is told to forget a person: every place that may hold something of theirs. */
export const erasureSchema = object({
  version: z.literal(1),
  database: some,
  sources: byName(object({ location: some, quarantine: some, columns: byName(column), reading })),
  /** Those first that nothing is made from. */
  tables: list(object({ table: some, columns: byName(column), quarantine: z.exactOptional(some) })),
  /** For the quarantines of tables that are no sources. */
  forgotten,
  /** URI of the list of who was forgotten. */
  suppressed: some,
  /** URI of the folder that receipts go to. */
  receipts: some,
});

export type ErasureManifest = z.infer<typeof erasureSchema>;

/** The erasure manifest of a pipeline, over the places that its stack gives its files. */
export function erasureOf(
  { sources, jobs }: Pipeline,
  places: {
    readonly database: string;
    readonly location: (source: SourceTable) => string;
    readonly quarantine: (table: Table) => string;
    readonly suppressed: string;
    readonly receipts: string;
  },
): ErasureManifest {
  const { database, suppressed, receipts } = places;
  return erasureSchema.parse({
    version: 1,
    database,
    sources: Object.fromEntries(
      sources.map((source) => [
        source.name,
        {
          location: places.location(source),
          quarantine: places.quarantine(source),
          columns: columnContracts(source),
          reading: readingOf(source),
        },
      ]),
    ),
    tables: jobs.toReversed().map(({ output }) => ({
      table: output.name,
      columns: columnContracts(output),
      ...(hasQuarantine(output) && { quarantine: places.quarantine(output) }),
    })),
    forgotten: forgottenOf({ columns: {} }),
    suppressed,
    receipts,
  } satisfies ErasureManifest);
}

/** The schemas as the runner has them: `jobs/runner/lakehouse_runner/<name>_schema.json`. */
export const jsonSchemas = () => ({
  manifest: jsonSchema(manifestSchema),
  erasure: jsonSchema(erasureSchema),
});

const jsonSchema = (schema: z.ZodType): object =>
  z.toJSONSchema(schema, {
    override: ({ jsonSchema }) => {
      // A key of JSON is a text anyhow, and that TypeScript writes nothing is no rule of the file.
      delete jsonSchema.propertyNames;
      delete jsonSchema.readOnly;
    },
  });

const columnContracts = (table: Table): Record<string, ColumnContract> =>
  Object.fromEntries(
    Object.entries(table.columns).map(([name, { type, nullable, aliases, min, max, pii, identifies }]) => [
      name,
      {
        type,
        nullable,
        aliases,
        ...(min !== undefined && { min }),
        ...(max !== undefined && { max }),
        ...(pii && { pii }),
        ...(identifies && { identifies }),
      },
    ]),
  );

/** The tables that an expectation of `table` reads besides it, which are inputs of the job. */
const readsOf = ({ inputs }: Job, e: Expectation): Table[] =>
  e.reads.flatMap((name) => inputs.filter((input) => input.name === name));

const expectations = (job: Job, table: Table): ManifestExpectation[] =>
  expectationsOf(table, table === job.output ? job : null).map((e) => {
    const { columns: shown, counts } = shownColumns(table, readsOf(job, e), e);
    const { name, severity, columns, onlyEmpty, sql } = e;
    return { name, severity, columns, counts, shown, ...(onlyEmpty && { onlyEmpty }), sql: sql(table.name) };
  });

/** Whether a job reads lines of people whom it may have been asked to forget: it needs the list and its key. */
export const forgets = ({ inputs }: Job): boolean =>
  inputs.some((input) => input.format === 'json' && saysWhose(input));

/** Whether a job's runner needs the key of pseudonyms: it makes some, or has to know the forgotten. */
export const needsKey = (job: Job): boolean => hasPseudonyms(job.output) || forgets(job);

/** Whether any table says whose its rows are: without, nobody could be forgotten. */
export const knowsPeople = ({ tables }: Pipeline): boolean => [...tables.values()].some(saysWhose);

/** What a source is compared with that the job does not read: on Glue, a job has nothing but its inputs. */
const unreadFaults = (job: Job, sources: readonly SourceTable[]): Fault[] =>
  sources.flatMap((source) =>
    source.expectations.flatMap((e) =>
      e.reads
        .filter((read) => !job.inputs.some(({ name }) => name === read))
        .map((read) => ({
          path: `${source.name}.expectations.${e.name}`,
          message: `reads ${read}, which the job ${job.name} does not; on Glue a job has its inputs only: add it to them`,
        })),
    ),
  );

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
    readonly suppressed: string;
    readonly runs: string;
    readonly metricsNamespace: string;
  },
): Manifest {
  const { output } = job;
  const sources = job.inputs.filter((input): input is SourceTable => input.format === 'json');
  const faults = unreadFaults(job, sources);
  if (faults.length > 0) throw new DefinitionError(faults);
  return manifestSchema.parse({
    version: 1,
    job: job.name,
    database: places.database,
    driving: job.inputs[0]?.name ?? '',
    ...(job.drivenBy && { drivenBy: job.drivenBy }),
    sources: Object.fromEntries(
      sources.map((source) => [
        source.name,
        {
          location: places.location(source),
          quarantine: places.quarantine(source),
          maxQuarantinedShare: source.maxQuarantinedShare,
          columns: columnContracts(source),
          reading: readingOf(source),
          expectations: expectations(job, source),
        },
      ]),
    ),
    tables: job.inputs.filter(({ format }) => format === 'iceberg').map(({ name }) => name),
    output: {
      table: output.name,
      columns: columnContracts(output),
      partitionBy: output.partitionBy,
      expectations: expectations(job, output),
      ...(hasQuarantine(output) && { quarantine: places.quarantine(output) }),
    },
    parameters: Object.fromEntries(job.parameters.map(({ name, values }) => [name, values])),
    ...(forgets(job) && { suppressed: places.suppressed }),
    runs: places.runs,
    metricsNamespace: places.metricsNamespace,
  } satisfies Manifest);
}
