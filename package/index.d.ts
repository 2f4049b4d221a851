/**
 * What a lakehouse of your own imports from `typed-lakehouse`: the vocabulary to define it, the components that it is
 * deployed by, and the program that puts them together.
 */
export * from '../components';
export type { StackOutputs } from '../engines/aws/outputs';
export * from '../model';
export { deploy } from './deploy';
