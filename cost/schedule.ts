import { next, parse } from 'aws-cron-parser';
import type { Cron } from '../components/settings';

const MINUTE = 60_000;

/** First instants of a month, `YYYY-MM`, and of the one that follows it, UTC. */
function boundsOf(month: string): { readonly begin: number; readonly end: number } {
  const [year = Number.NaN, number = Number.NaN] = month.split('-').map(Number);
  return { begin: Date.UTC(year, number - 1), end: Date.UTC(year, number) };
}

export const daysOf = (month: string): number => {
  const { begin, end } = boundsOf(month);
  return (end - begin) / (24 * 60 * MINUTE);
};

/** How often a schedule fires in a month, `YYYY-MM`. */
export function timesIn(cron: Cron, month: string): number {
  const { begin, end } = boundsOf(month);
  const parsed = parse(cron.slice('cron('.length, -1).trim().split(/\s+/).join(' '));
  let times = 0;
  let at = following(parsed, begin - MINUTE);
  while (at !== undefined && at < end) {
    times += 1;
    at = following(parsed, at);
  }
  return times;
}

function following(parsed: ReturnType<typeof parse>, after: number): number | undefined {
  try {
    return next(parsed, new Date(after))?.getTime();
  } catch {
    // The parser looks ten steps ahead, months or years by then, and gives up: a fifth Monday of February.
    return undefined;
  }
}
