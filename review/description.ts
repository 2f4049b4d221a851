import type { Estimate } from '../cost/estimate';
import type { Column, Fault, Job, Language, Parameter, Severity, Table } from '../model';
import type { icebergTable } from '../model/schema';

/** What `lake describe --json` prints: all of a lakehouse that a review compares. It holds no data. */
export interface Description {
  /** Of the format; see `FORMATS`. */
  readonly version: number;
  readonly name: string;
  /** By name, each after those that it is made from. */
  readonly tables: Readonly<Record<string, TableDescription>>;
  readonly jobs: Readonly<Record<string, JobDescription>>;
  readonly queries: Readonly<Record<string, QueryDescription>>;
  readonly parameters: Readonly<Record<string, Omit<Parameter, 'name'>>>;
  readonly access: readonly Right[];
  /** What a stack is set to and costs; the fault of one whose file cannot be read. */
  readonly stacks: Readonly<Record<string, StackDescription | { readonly fault: string }>>;
  /** Where the SQL does not fit the contracts. */
  readonly faults: readonly Fault[];
}

export interface TableDescription {
  readonly zone: string;
  readonly format: Table['format'];
  readonly description: string;
  readonly columns: Readonly<Record<string, ColumnDescription>>;
  readonly keys: readonly (readonly string[])[];
  readonly expectations: Readonly<Record<string, ExpectationDescription>>;
  /** Columns that may be shown to whoever may not see personal data. */
  readonly open: readonly string[];
  /** How a person's rows are found in it; absent where it has nobody's. */
  readonly reach?: string;
  /** Of a source. */
  readonly entity?: string;
  readonly each?: string;
  readonly onMissing?: string;
  readonly maxQuarantinedShare?: number;
  /** Of a table that a job writes: what Iceberg and the catalog know of it. Its location is relative. */
  readonly iceberg?: ReturnType<typeof icebergTable>;
}

/** The contract of a column; `stored` is the type in words of Iceberg, or of JSON's reader. */
export type ColumnDescription = Column & { readonly stored: string };

export interface ExpectationDescription {
  readonly severity: Severity;
  readonly description: string;
  readonly sql: string;
}

export interface JobDescription {
  readonly description: string;
  readonly inputs: readonly string[];
  readonly parameters: readonly string[];
  /** How part of its output is made again. */
  readonly increments: Job['increments'];
  readonly language: Language;
  /** Whether DuckDB runs it: it is in SQL, and so is all that it reads. */
  readonly isLocal: boolean;
  readonly code: string;
}

export interface QueryDescription {
  readonly description: string;
  readonly tables: readonly string[];
  /** Name to DuckDB's type, in their order. */
  readonly columns: Readonly<Record<string, string>>;
  readonly sql: string;
}

/** A cell of the matrix of who may do what. */
export interface Right {
  /** `the job customer_trusted`, `analysts`. */
  readonly who: string;
  readonly may: 'read' | 'write' | 'query' | 'use';
  /** A table, or something of it. */
  readonly what: string;
  /** Of one table's columns. */
  readonly column?: string;
  /** Absent: in every stack. */
  readonly stack?: string;
}

export interface StackDescription {
  /** As text, by dotted path. */
  readonly settings: Readonly<Record<string, string>>;
  readonly cost: Pick<Estimate, 'lines' | 'total'>;
}
