// What the page is made of, as its file holds it in JSON. It names tables, never rows.
import type { RunSummary } from '../../../engines/engine';
import type { Column, Severity } from '../../../model';

export interface ColumnDoc extends Column {
  readonly name: string;
  /** As SQL spells it, in the lake. */
  readonly sqlType: string;
}

export interface ColumnProfile {
  readonly nulls: number;
  readonly distinct: number;
  /** Absent where values may not be shown, and where there is none. */
  readonly least?: string;
  readonly greatest?: string;
  /** How many rows each value, or each of the equal parts from the least to the greatest, has. */
  readonly histogram?: readonly (readonly [string, number])[];
}

export interface TableDoc {
  readonly name: string;
  readonly zone: string;
  readonly description: string;
  /** The folder of its files, of a source. */
  readonly entity?: string;
  /** Of these. */
  readonly format?: string;
  readonly maxQuarantinedShare?: number;
  readonly columns: readonly ColumnDoc[];
  readonly keys: readonly (readonly string[])[];
  readonly partitionBy: readonly string[];
  readonly expectations: readonly {
    readonly name: string;
    readonly severity: Severity;
    readonly description: string;
    readonly sql: string;
  }[];
  readonly isPersonal: boolean;
  /** Columns that whoever may not see personal data may see, where Lake Formation grants by the column. */
  readonly open: readonly string[];
  /** What is published. */
  readonly published?: { readonly rows: number; readonly runId: string; readonly isStale: boolean };
  readonly profile?: Readonly<Record<string, ColumnProfile>>;
}

/** Where a value comes from: `table.column` to OpenLineage's words of how, such as IDENTITY. */
export type Origins = Readonly<Record<string, readonly string[]>>;

export interface JobDoc {
  readonly name: string;
  readonly description: string;
  readonly inputs: readonly string[];
  readonly parameters: readonly { readonly name: string; readonly values: readonly string[] }[];
  /** What it is written in, as people call it. */
  readonly language: string;
  readonly code: string;
  /** The text of their file. */
  readonly cases: string;
  /** Of SQL that binds. */
  readonly lineage?: {
    readonly columns: Readonly<Record<string, Origins>>;
    /** What decides which rows there are. */
    readonly rows: Origins;
  };
}

export interface QueryDoc {
  readonly name: string;
  readonly description: string;
  readonly sql: string;
  readonly tables: readonly string[];
}

/** The result of a query that the lakehouse declares to be shown. */
export interface SectionDoc {
  readonly title: string;
  readonly description: string;
  readonly query: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
  /** Personal columns of the query, which are left out. */
  readonly hidden: readonly string[];
}

/** What a stack costs, or what is wrong with its file. */
export type CostDoc = { readonly stack: string } & (Cost | { readonly fault: string });

export interface Cost {
  readonly region: string;
  /** Of the prices, ISO 8601. */
  readonly date: string;
  /** US dollars a month. */
  readonly total: number;
  readonly lines: readonly { readonly class: string; readonly what: string; readonly monthly: number }[];
  readonly assumptions: readonly string[];
}

/** A box of the graph, by its middle. Its id is its place in the page: `table/customer_trusted`. */
export interface GraphNode {
  readonly id: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

export interface Graph {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly {
    readonly from: string;
    readonly to: string;
    readonly points: readonly (readonly [number, number])[];
  }[];
}

export interface Catalogue {
  readonly name: string;
  readonly description: string;
  readonly codeVersion: string;
  /** Whose tables and runs these are, where not those of a lake. */
  readonly stack?: string;
  readonly drift: readonly { readonly path: string; readonly message: string }[];
  readonly zones: readonly { readonly name: string; readonly description: string }[];
  readonly tables: readonly TableDoc[];
  readonly jobs: readonly JobDoc[];
  readonly queries: readonly QueryDoc[];
  readonly sections: readonly SectionDoc[];
  /** The oldest first. */
  readonly runs: readonly RunSummary[];
  readonly costs: readonly CostDoc[];
  /** Of the tables. */
  readonly graph: Graph;
}
