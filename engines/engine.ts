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
  /** Source: lines that are not blank. Job: rows of its driving input. */
  readonly read: number;
  readonly quarantined: number;
  /** Driving rows that gave no output row; of a job that groups them, those that were merged too. */
  readonly filtered: number;
  readonly written: number;
  /** Quarantined lines or rows by reason. */
  readonly reasons: Readonly<Record<string, number>>;
  readonly expectations: readonly ExpectationResult[];
  readonly seconds: number;
}

/** The stable summary of a run, printed by `--json` and kept in the lake. */
export interface RunSummary {
  readonly runId: string;
  readonly outcome: 'published' | 'failed';
  /** Version of this package. */
  readonly codeVersion: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly seconds: number;
  readonly tables: readonly TableSummary[];
}

/** Bad rows of an expectation, personal values masked. */
export interface Finding {
  readonly table: string;
  readonly expectation: string;
  readonly severity: Severity;
  readonly description: string;
  readonly failed: number;
  readonly samples: readonly Readonly<Record<string, string>>[];
}

export interface RunResult {
  readonly summary: RunSummary;
  readonly findings: readonly Finding[];
  /** Why nothing was published; empty after a good run. */
  readonly failures: readonly string[];
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
  /** The run that published it. */
  readonly runId: string;
}

/** An engine that runs the pipeline: DuckDB or Spark here; AWS behind the same words. */
export interface Engine {
  run(pipeline: Pipeline, request: RunRequest, tell: (event: RunEvent) => void): Promise<RunResult>;
  /** Reads the published tables; `sql` is one SELECT. */
  query(sql: string): Promise<QueryResult>;
  /** The published tables. */
  tables(): Promise<readonly TableState[]>;
  /** Where the summary of a run is kept. */
  summaryFile(runId: string): string;
}

/** A fault of the data, the lake or a definition, told to a person: exit status 1. */
export class LakeError extends Error {
  override readonly name: string = 'LakeError';
}

/** The call itself was wrong: exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
