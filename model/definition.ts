import type { Pipeline } from './pipeline';
import type { NamedQuery } from './query';

/** What to make landing files of. */
export interface SampleRequest {
  /** Folder that gets `<entity>/landing/*`. */
  readonly out: string;
  /** How many of the sample's unit. */
  readonly size: number;
  /** A whole number from 0 to 2^32 - 1; the same gives the same files. */
  readonly seed: number;
  /** Share of the lines that are faulty, from 0 to 1. */
  readonly dirty: number;
}

/** What a sample holds. */
export interface SampleReport {
  readonly files: number;
  /** Lines by entity, and those of them that are faulty. */
  readonly entities: Readonly<Record<string, { readonly lines: number; readonly faulty: number }>>;
}

/** Makes landing files as the sources of one lakehouse write them. */
export interface SampleMaker {
  /** What `size` counts, such as `customers`. */
  readonly unit: string;
  /** The sources that it makes files of; those of others are made by contract. */
  readonly entities: readonly string[];
  /** Throws a SampleError for a folder that is not empty. */
  write(request: SampleRequest): Promise<SampleReport>;
}

/** The result of a query as a part of the page that `lake docs` makes. Its personal columns are left out. */
export interface Section {
  readonly title: string;
  readonly description: string;
  readonly query: NamedQuery;
}

/** What the file `lakehouse.ts` of a lakehouse's folder has as its default export. */
export interface LakehouseDefinition {
  /** Begins the names of its components in Pulumi; another one replaces them all. */
  readonly name: string;
  /** In a few words, for the help of `lake`. */
  readonly description: string;
  readonly pipeline: Pipeline;
  /** Queries of `queries/` whose columns are declared. Default: none. */
  readonly queries?: readonly NamedQuery[];
  /** What the page of `lake docs` shows of the data itself. Default: nothing. */
  readonly sections?: readonly Section[];
  /** Default: files by the contracts of the sources. */
  readonly sample?: SampleMaker;
  /** Seconds that jobs take on Glue, by job, for the estimate of costs. Default: see `lake cost`. */
  readonly seconds?: Readonly<Record<string, number>>;
}
