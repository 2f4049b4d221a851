export * from './column';
export * from './expectation';
export * from './faults';
export * from './job';
export * from './lakehouse';
export type { Pipeline } from './pipeline';
export * from './table';
