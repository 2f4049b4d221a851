import { next, parse } from 'aws-cron-parser';
import type { Start } from './settings';

const DAY = 24 * 60;
const MILLISECONDS = 60_000;
/** CloudWatch looks back so many hours, and no further. */
const MOST_HOURS = 7 * 24;
/** A run may wait for capacity, and CloudWatch counts by whole hours. */
const SPARE_HOURS = 2;
/** Two years, one of them a leap year: what fires at least once a week repeats itself in every other. */
const [BEGIN, END] = [Date.UTC(2027, 0), Date.UTC(2029, 0)];

/**
 * Hours of which at least one has a start, if the schedule is kept. None where nothing follows a clock, where the
 * schedule is for some years only, and where it may pause for so long that CloudWatch cannot watch it.
 */
export function watchedHours(start: Start): number | undefined {
  const fields = /^cron\((.*)\)$/.exec(start)?.[1]?.trim().split(/\s+/);
  if (fields?.[5] !== '*') return undefined;
  const { hours, minutes } = parse(fields.join(' '));
  const times = hours.flatMap((hour) => minutes.map((minute) => Number(hour) * 60 + Number(minute)));
  const [first, last] = [Math.min(...times), Math.max(...times)];
  times.sort((a, b) => a - b);
  const within = times.map((time, i) => time - (times[i - 1] ?? time));
  const overnight = longestPause(['0', '0', ...fields.slice(2)].join(' ')) - (last - first);
  const needed = Math.ceil(Math.max(...within, overnight) / 60) + SPARE_HOURS;
  return needed <= MOST_HOURS ? needed : undefined;
}

/** Most minutes from one firing to the next. */
function longestPause(cron: string): number {
  const parsed = parse(cron);
  let longest = 0;
  let at = new Date(BEGIN);
  while (at.getTime() < END) {
    let following: Date | null;
    try {
      following = next(parsed, at);
    } catch {
      following = null;
    }
    if (!following) return Number.POSITIVE_INFINITY;
    longest = Math.max(longest, (following.getTime() - at.getTime()) / MILLISECONDS);
    if (longest > 7 * DAY) return longest;
    at = following;
  }
  return longest;
}
