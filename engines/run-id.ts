import { randomBytes } from 'node:crypto';

/** How an instant begins the ids of runs, which so sort by time. */
export const stampOf = (at: Date) => at.toISOString().replaceAll(/[-:.]/g, '');

/** Sorts by time. */
export const newRunId = (now = new Date()) => `${stampOf(now)}-${randomBytes(2).toString('hex')}`;

/** When a run began, by its id. */
export const timeOf = (runId: string): Date | undefined => {
  const [, y, mo, d, h, mi, s, ms] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z/.exec(runId) ?? [];
  return y === undefined ? undefined : new Date(`${y}-${mo}-${d}T${h}:${mi}:${s}.${ms}Z`);
};
