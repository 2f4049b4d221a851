import type { Job } from '../model';
import type { Start } from './settings';

/** What starts some jobs of a workflow. */
export type Trigger =
  | { readonly kind: 'demand' | 'files'; readonly name: string; readonly starts: readonly string[] }
  | {
      readonly kind: 'schedule';
      readonly name: string;
      readonly starts: readonly string[];
      readonly schedule: string;
    }
  | {
      readonly kind: 'after';
      readonly name: string;
      readonly starts: readonly string[];
      /** Jobs that all have to succeed. */
      readonly after: readonly string[];
    };

/** The jobs that make the tables a job reads. */
const makersOf = (job: Job, jobs: readonly Job[]) =>
  jobs.filter(({ output }) => job.inputs.some((input) => input === output)).map(({ name }) => name);

/**
 * The triggers that run each job once, after the jobs that make its inputs: one starts those that read sources only,
 * and every other job has its own.
 */
export function triggersOf(jobs: readonly Job[], start: Start): Trigger[] {
  const starts = jobs.filter((job) => makersOf(job, jobs).length === 0).map(({ name }) => name);
  return [
    start === 'demand' || start === 'files'
      ? { kind: start, name: 'start', starts }
      : { kind: 'schedule', name: 'start', starts, schedule: start },
    ...jobs.flatMap((job): Trigger[] => {
      const after = makersOf(job, jobs);
      return after.length === 0 ? [] : [{ kind: 'after', name: job.name, starts: [job.name], after }];
    }),
  ];
}
