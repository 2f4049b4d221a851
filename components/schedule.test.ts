import fc from 'fast-check';
import { watchedHours } from './schedule';
import type { Cron, Start } from './settings';

test.each<[Start, number | undefined]>([
  ['cron(* * * * ? *)', 3],
  ['cron(0/15 * * * ? *)', 3],
  ['cron(0 * * * ? *)', 3],
  ['cron(30 0/6 * * ? *)', 8],
  ['cron(0 3 * * ? *)', 26],
  ['cron( 0  3 * * ? * )', 26],
  // From 18:00 to 6:00.
  ['cron(0 6,18 * * ? *)', 14],
  // From Friday to Monday; from 17:30 on Friday to 8:00 on Monday.
  ['cron(0 3 ? * MON-FRI *)', 74],
  ['cron(0,30 8-17 ? * MON-FRI *)', 65],
  ['cron(0 3 1/5 * ? *)', 5 * 24 + 2],
  // A week is as far as CloudWatch looks back, and leaves nothing to spare.
  ['cron(0 3 ? * MON *)', undefined],
  ['cron(0 3 1 * ? *)', undefined],
  ['cron(0 3 L * ? *)', undefined],
  ['cron(0 3 29 2 ? *)', undefined],
  ['cron(0 3 * 1-11 ? *)', undefined],
  // What the parser gives up on.
  ['cron(0 3 ? 2 2#5 *)', undefined],
  // What ends, or has not begun.
  ['cron(0 3 * * ? 2026-2030)', undefined],
  ['demand', undefined],
  ['files', undefined],
])('%s has a run in every %s hours', (start, hours) => {
  expect(watchedHours(start)).toBe(hours);
});

test('no schedule that is kept rings: in so many hours it fires', () => {
  const some = (most: number) => fc.uniqueArray(fc.integer({ min: 0, max: most }), { minLength: 1 });
  fc.assert(
    fc.property(some(59), some(23), (minutes, hours) => {
      const cron: Cron = `cron(${minutes} ${hours} * * ? *)`;
      const found = watchedHours(cron) ?? Number.NaN;
      // Each day is as the one before: the longest pause is looked for minute by minute.
      const firing = new Set(hours.flatMap((hour) => minutes.map((minute) => hour * 60 + minute)));
      let [longest, pause] = [0, 0];
      for (let minute = 0; minute < 2 * 24 * 60; minute++) {
        pause = firing.has(minute % (24 * 60)) ? 0 : pause + 1;
        longest = Math.max(longest, pause);
      }
      const hoursOfPause = (longest + 1) / 60;
      expect(found - hoursOfPause).toBeGreaterThanOrEqual(2);
      expect(found - hoursOfPause).toBeLessThan(3);
    }),
    { numRuns: 50 },
  );
});
