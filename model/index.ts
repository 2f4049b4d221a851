export * from './column';
export * from './expectation';
export * from './faults';
export * from './job';
export * from './lakehouse';
export * from './manifest';
export type { Pipeline } from './pipeline';
export * from './quarantine';
export * from './table';
