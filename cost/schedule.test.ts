import type { Cron } from '../components/settings';
import { daysOf, timesIn } from './schedule';

test.each([
  ['2027-01', 31],
  ['2027-02', 28],
  ['2028-02', 29],
  ['2027-12', 31],
])('%s has %i days', (month, days) => {
  expect(daysOf(month)).toBe(days);
});

test.each<[Cron, string, number]>([
  ['cron(0 3 * * ? *)', '2027-01', 31],
  ['cron(0 0 1 * ? *)', '2027-01', 1],
  ['cron(59 23 31 * ? *)', '2027-01', 1],
  ['cron(0/15 * * * ? *)', '2027-02', 2688],
  ['cron(* * * * ? *)', '2027-01', 44_640],
  ['cron(0 3 ? * MON-FRI *)', '2027-01', 21],
  ['cron(0 3 ? * 2#1 *)', '2027-01', 1],
  ['cron(0 3 L * ? *)', '2028-02', 1],
  ['cron( 0  3 1 1,4,7,10 ? * )', '2027-01', 1],
  ['cron(0 3 1 1,4,7,10 ? *)', '2027-02', 0],
  ['cron(0 3 * * ? 2026)', '2027-01', 0],
  // The parser gives up on what is years away.
  ['cron(0 3 ? 2 2#5 2027-2199)', '2027-01', 0],
])('%s in %s fires %i times', (cron, month, times) => {
  expect(timesIn(cron, month)).toBe(times);
});
