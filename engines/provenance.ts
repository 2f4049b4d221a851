// What the runner leaves with an Iceberg table of what it made it of, by which a run is planned without Spark.
import { createHash, createHmac } from 'node:crypto';
import { type Job, runTime } from '../model';
import { FORMATS } from '../model/format';
import type { TablePlan, TableSummary } from './engine';

/** As `jobs/runner/lakehouse_runner/provenance.py` writes it, which says more. */
export interface Provenance {
  readonly run: string;
  readonly rows: string;
  readonly of: Readonly<Record<string, string>>;
  readonly since: string | null;
  readonly until: string | null;
  readonly tables: readonly TableSummary[];
}

const PROPERTY = 'lakehouse.provenance';

/** Iceberg's metadata of a table; ids as text, as they have more digits than JavaScript's numbers. */
export interface IcebergMetadata {
  readonly 'current-snapshot-id'?: string;
  readonly snapshots?: readonly Snapshot[];
  readonly properties?: Readonly<Record<string, string>>;
}

interface Snapshot {
  readonly 'snapshot-id': string;
  readonly 'parent-snapshot-id'?: string;
  readonly summary: Readonly<Record<string, string>>;
}

export const icebergMetadata = (text: string): IcebergMetadata =>
  JSON.parse(text.replaceAll(/("(?:current-|parent-)?snapshot-id"\s*:\s*)(-?\d+)/g, '$1"$2"'));

/** What is published of a table. */
export interface Published {
  readonly rows: number;
  /** The run that wrote them; empty where it was none. */
  readonly runId: string;
  /** Is another one where the rows are others. */
  readonly rowsId: string;
  /** Nothing where it is not known, or of another format, or others changed the rows. */
  readonly provenance?: Provenance;
}

/** Nothing of a table that has no rows yet. */
export function publishedIn(metadata: IcebergMetadata): Published | undefined {
  const { 'current-snapshot-id': id, snapshots = [], properties = {} } = metadata;
  const snapshotOf = (one: string | undefined) => snapshots.find((s) => s['snapshot-id'] === one);
  const current = snapshotOf(id);
  if (!current) return undefined;
  // Compaction changes no row.
  let made = current;
  for (let parent: Snapshot | undefined = made; parent; ) {
    made = parent;
    parent = made.summary.operation === 'replace' ? snapshotOf(made['parent-snapshot-id']) : undefined;
  }
  const runId = made.summary['run-id'] ?? '';
  const { version, ...found } = JSON.parse(properties[PROPERTY] ?? '{}');
  const provenance =
    version === FORMATS.provenance && found.run === runId ? (found as Provenance) : undefined;
  return {
    rows: Number(current.summary['total-records']),
    runId: provenance?.rows ?? runId,
    rowsId: provenance?.rows ?? made['snapshot-id'],
    ...(provenance && { provenance }),
  };
}

/** As names of a stack's files have it. */
export const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

/** Of files by name and state. */
export const digestOfFiles = (files: readonly (readonly [name: string, state: string])[]): string =>
  digest(
    files
      .toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      .map((file) => file.join('\0'))
      .join('\n'),
  );

/** What a job would be made of now, besides tables. */
export interface Basis {
  readonly version: string;
  /** Digest of its manifest. */
  readonly contracts: string;
  /** Digest of its code. */
  readonly code: string;
  readonly values: Readonly<Record<string, string>>;
  /** Digests of the files of its sources. */
  readonly files: Readonly<Record<string, string>>;
  /** Digest of the list of who was forgotten, where the job is told of it. */
  readonly forgotten?: string;
  /** Of a job that makes pseudonyms: what {@link markOfKey} gives. */
  readonly key?: string;
}

export const markOfKey = (key: Buffer): string =>
  createHmac('sha256', key).update('provenance').digest('hex');

/** As the runner names what a table is made of. */
function madeOf(job: Job, basis: Basis, published: ReadonlyMap<string, Published>): Provenance['of'] {
  const { version, contracts, code, values, files, forgotten, key } = basis;
  const of = new Map(Object.entries({ version, contracts, code }));
  if (key !== undefined) of.set('key', key);
  if (forgotten !== undefined) of.set('forgotten', forgotten);
  for (const p of job.parameters) if (p !== runTime) of.set(`parameter ${p.name}`, values[p.name] ?? '');
  for (const { name, format } of job.inputs) {
    if (format === 'iceberg') of.set(`table ${name}`, published.get(name)?.rowsId ?? '');
    else of.set(`files ${name}`, files[name] ?? '');
  }
  return Object.fromEntries(of);
}

const WHY: Readonly<Record<string, (name: string, now?: string, was?: string) => string>> = {
  version: (_, now, was) => `version ${was} made it, and this is ${now}`,
  contracts: () => 'a contract has changed',
  code: () => 'its code has changed',
  key: () => 'the key of pseudonyms has changed',
  forgotten: () => 'who was forgotten has changed',
  parameter: (name, now = 'not set', was = 'not set') => `${name} is ${now}, and was ${was}`,
  table: (name) => `${name} has changed`,
  files: (name) => `the files of ${name} have changed`,
};

function whyMade(before: Published | undefined, of: Provenance['of'], time: string | undefined): string[] {
  const { provenance } = before ?? {};
  if (!provenance) return [before ? 'it is not known what it was made of' : 'was never made'];
  const { of: was, since, until } = provenance;
  const others = [...new Set([...Object.keys(of), ...Object.keys(was)])].filter((k) => of[k] !== was[k]);
  const isDue = time !== undefined && !(since !== null && since <= time && (until === null || time < until));
  return [
    ...others.map((what) => {
      const [kind = '', name = ''] = what.split(' ');
      return WHY[kind]?.(name, of[what], was[what]) ?? what;
    }),
    ...(isDue ? [until === since ? 'it asks for the time' : `a row came due at ${until}`] : []),
  ];
}

/** What a run would do with the table of each job, by the same rules by which the runner leaves one as it is. */
export async function planTables(
  jobs: readonly Job[],
  published: ReadonlyMap<string, Published>,
  time: string | undefined,
  basisOf: (job: Job, before: Provenance | undefined) => Promise<Basis>,
): Promise<TablePlan[]> {
  const made: TablePlan[] = [];
  for (const job of jobs) {
    const before = published.get(job.name);
    const of = madeOf(job, await basisOf(job, before?.provenance), published);
    const why = whyMade(before, of, job.parameters.includes(runTime) ? time : undefined);
    const first = made.filter(
      ({ table, does }) => does !== 'keep' && job.inputs.some(({ name }) => name === table),
    );
    const does = why.length > 0 ? 'make' : first.length > 0 ? 'maybe' : 'keep';
    if (does === 'maybe') why.push(...first.map(({ table }) => `if ${table} has other rows`));
    made.push({ table: job.name, does, why });
  }
  return made;
}

/** What is said of tables that a run leaves as they are. */
export const keptTables = (
  jobs: readonly Job[],
  published: ReadonlyMap<string, Published>,
): ReadonlyMap<string, TableSummary> =>
  new Map(
    jobs.flatMap(({ name }) =>
      (published.get(name)?.provenance?.tables ?? []).map((told): [string, TableSummary] => [
        told.table,
        { ...told, seconds: 0, unchanged: true },
      ]),
    ),
  );
