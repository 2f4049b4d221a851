export * from './audit';
export * from './column';
export type * from './definition';
export * from './each';
export * from './expectation';
export * from './faults';
export * from './forgotten';
export * from './format';
export {
  type Increment,
  incrementsOf,
  isByDay,
  keySql,
  type RowKey,
  soughtBy,
  soughtIn,
  type Through,
  throughOf,
} from './increment';
export * from './job';
export * from './lakehouse';
export * from './landing';
// Only the program of a stack makes manifests: what checks them takes 0.1 s to load.
export type * from './manifest';
export { misreadSql } from './parquet';
export { keptFaults, type Pipeline, unreadFaults } from './pipeline';
export * from './quarantine';
export * from './query';
export * from './reach';
export { IS_ODD_LINE, type PlainReading, type Reading, rangeOf, withoutAddress } from './reading';
export * from './refine';
export * from './shown';
export * from './table';
export * from './types';
