import type { Pipeline, Severity } from '../model';

/** What a run is asked to do. Pure data, so that it can travel to another process. */
export interface RunRequest {
  /**
   * Directory that holds `<entity>/landing/*`. Default: no file is read, the sources are those that are
   * published.
   */
  readonly data?: string;
  /** Values of the pipeline's parameters. Default of each: its own. */
  readonly parameters?: Readonly<Record<string, string>>;
  /**
   * The jobs to run; the inputs that they do not make, and that `data` does not bring, are those that are
   * published. Default: all.
   */
  readonly only?: readonly string[];
  /** Makes everything again, also what nothing has changed for. Default: false. */
  readonly full?: boolean;
  /** Days of which tables that are made by day are made again, also where nothing has changed. */
  readonly days?: Days;
  /** The run's own time: what is dated later does not count yet. Default: now. */
  readonly time?: Date;
  /** Whether bad rows of a warning are shown that were there before, too. Default: those that have come may do. */
  readonly verbose?: boolean;
}

/** Days in UTC, as ISO dates. */
export interface Days {
  readonly from: string;
  /** The first day after them. */
  readonly to: string;
}

/** What a run would do with a table, and why. */
export interface TablePlan {
  readonly table: string;
  /** `part`: what stands for values that are touched, or all where that is most of it. `maybe`: only if an input that is made again has other rows then. */
  readonly does: 'make' | 'part' | 'maybe' | 'keep';
  /** In words; empty of one that is kept. */
  readonly why: readonly string[];
}

export interface ExpectationResult {
  readonly name: string;
  readonly severity: Severity;
  /** How many bad rows the expectation's query returned. */
  readonly failed: number;
}

/** What happened to one table in a run. */
export interface TableSummary {
  readonly table: string;
  /** The job that made it, `null` for a source. */
  readonly job: string | null;
  /** Source: records, and files that are refused as a whole. Job: rows of its driving input. */
  readonly read: number;
  readonly quarantined: number;
  /** Of a source: bytes of text of the files that can be read. */
  readonly bytes?: number;
  /** Of a source: those of them that were refused. */
  readonly quarantinedBytes?: number;
  /**
   * Source: records of people who were forgotten. Job: driving rows that gave no output row; of one that groups them,
   * those that were merged too.
   */
  readonly filtered: number;
  readonly written: number;
  /** Quarantined records, files or rows by reason. */
  readonly reasons: Readonly<Record<string, number>>;
  readonly expectations: readonly ExpectationResult[];
  readonly seconds: number;
  /** Nothing has changed for it: it is what an earlier run made, of which all else is said. */
  readonly unchanged?: boolean;
  /** Made in part: so many values of a column stand for the rows that were made again. All counts are of the whole table. */
  readonly part?: { readonly key: string; readonly values: number };
}

/** The stable summary of a run, printed by `--json` and kept in the lake. */
export interface RunSummary {
  /** Of the format. */
  readonly version: number;
  readonly runId: string;
  readonly outcome: 'published' | 'failed';
  /** Version of this package. */
  readonly codeVersion: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly seconds: number;
  readonly tables: readonly TableSummary[];
  /** Why it failed, where it did. */
  readonly failures?: readonly string[];
}

/** Bad rows of an expectation, personal values masked. */
export interface Finding {
  readonly table: string;
  readonly expectation: string;
  readonly severity: Severity;
  readonly description: string;
  readonly failed: number;
  /** How many rows of the table that is; null where what is bad are no rows of it. */
  readonly affected: number | null;
  readonly samples: readonly Readonly<Record<string, string>>[];
}

export interface RunResult {
  readonly summary: RunSummary;
  readonly findings: readonly Finding[];
  /** Why nothing was published; empty after a good run. */
  readonly failures: readonly string[];
  /** What of the data was not read, and why. */
  readonly warnings: readonly string[];
}

/**
 * What a run tells while it goes on. A table that fails may be done too: it was made, and may not be published.
 * A job whose input failed is skipped. One that left no summary, as may be on AWS, is untold.
 */
export type RunEvent =
  | { readonly kind: 'start' | 'failed' | 'skipped' | 'untold'; readonly table: string }
  | { readonly kind: 'done'; readonly summary: TableSummary };

export interface QueryColumn {
  readonly name: string;
  readonly type: 'text' | 'number' | 'instant' | 'date' | 'boolean' | 'other';
}

/** A result as text, `null` kept apart from the empty string; rows arrive in chunks. */
export interface QueryResult {
  readonly columns: readonly QueryColumn[];
  readonly rows: AsyncIterable<readonly (readonly (string | null)[])[]>;
}

export interface TableState {
  readonly table: string;
  readonly rows: number;
  /** The run that made its rows. */
  readonly runId: string;
  /** The runs that had made the rows that it was made of, by input; where that is known. */
  readonly of?: Readonly<Record<string, string>>;
}

/** What is asked for when a person is forgotten. */
export interface ForgetRequest {
  /** The e-mail address. It reaches no output, no log and no argument of a process. */
  readonly subject: string;
  /** Finds and counts, and changes nothing. */
  readonly dryRun: boolean;
}

/** What one engine of a lake is asked for. */
export interface ErasureRequest extends ForgetRequest {
  /** The lake's key of pseudonyms. */
  readonly key: Buffer;
}

/** What was removed in one place, or would be. */
export interface ErasedPlace {
  readonly table: string;
  /** Rows of the table, lines of its quarantine, or lines of the files that it is read from. */
  readonly kind: 'rows' | 'quarantine' | 'files';
  readonly engine: 'duckdb' | 'spark' | 'glue';
  readonly removed: number;
}

/** A table that was made again, or would be. */
export interface RemadeTable {
  readonly table: string;
  readonly engine: ErasedPlace['engine'];
  readonly rows: number;
}

/** What one engine removed of a person from its part of a lake. */
export interface ErasurePart {
  readonly places: readonly ErasedPlace[];
  readonly remade: readonly RemadeTable[];
  /** That it took, or would take by what the last runs took. */
  readonly seconds: number;
  /** Devices of the person that others have too: only what was measured at the person's instants is theirs. */
  readonly sharedDevices: number;
  /** Files, snapshots or object versions removed that may have held something of the person. */
  readonly oldVersions: number;
  /** Files that could not be looked into. */
  readonly unread: readonly string[];
  /** What in the rows of others would fail a run. */
  readonly warnings: readonly string[];
}

/** Of a part of a lake that is not there. */
export const NOTHING_ERASED: ErasurePart = {
  places: [],
  remade: [],
  seconds: 0,
  sharedDevices: 0,
  oldVersions: 0,
  unread: [],
  warnings: [],
};

/** What was removed where. It holds no value of the person, so that it can be kept. */
export interface Receipt extends ErasurePart {
  /** Sorts by time, as the id of a run. */
  readonly id: string;
  readonly at: string;
  /** Version of this package. */
  readonly codeVersion: string;
  /** The hash by which the person is in the list of the forgotten. */
  readonly subject: string;
  readonly dryRun: boolean;
  /** Since when the person was in the list already; absent where they were not. */
  readonly listedSince?: string;
  /** Why it should be asked for again: something of the person may have come back, or be held by a query that goes on. */
  readonly again?: string;
}

/** An engine that runs the pipeline: DuckDB or Spark here; AWS behind the same words. */
export interface Engine {
  run(pipeline: Pipeline, request: RunRequest, tell: (event: RunEvent) => void): Promise<RunResult>;
  /** Reads the published tables; `sql` is one SELECT. */
  query(sql: string): Promise<QueryResult>;
  /** Asks several queries, whose rows are read before `work` ends: what they need is opened once. */
  queries<T>(work: (query: Engine['query']) => Promise<T>): Promise<T>;
  /** The published tables. */
  tables(): Promise<readonly TableState[]>;
  /** Where the summary of a run is kept. */
  summaryFile(runId: string): string;
}

/** A fault of the data, the lake or a definition, told to a person: exit status 1. */
export class LakeError extends Error {
  override readonly name: string = 'LakeError';
}

/** A person stopped it by Ctrl-C: exit status 130, as shells have it. */
export class Interrupted extends LakeError {
  override readonly name = 'Interrupted';
}

/** The call itself was wrong: exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
