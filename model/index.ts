export * from './audit';
export * from './column';
export * from './expectation';
export * from './faults';
export * from './forgotten';
export * from './format';
export * from './job';
export * from './lakehouse';
// Only the program of a stack makes manifests: what checks them takes 0.1 s to load.
export type * from './manifest';
export type { Pipeline } from './pipeline';
export * from './quarantine';
export * from './query';
export * from './reach';
export * from './reading';
export * from './refine';
export * from './shown';
export * from './table';
export * from './types';
