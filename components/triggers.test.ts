import { cleanJob, openJob } from './testing';
import { triggersOf } from './triggers';

describe('the triggers of two jobs, one after the other', () => {
  const after = { kind: 'after', name: 'reading_open', starts: ['reading_open'], after: ['reading'] };

  test('start on demand, or when files land', () => {
    for (const kind of ['demand', 'files'] as const) {
      expect(triggersOf([cleanJob, openJob], kind)).toStrictEqual([
        { kind, name: 'start', starts: ['reading'] },
        after,
      ]);
    }
  });

  test('start by the clock', () => {
    expect(triggersOf([cleanJob, openJob], 'cron(0 3 * * ? *)')).toStrictEqual([
      { kind: 'schedule', name: 'start', starts: ['reading'], schedule: 'cron(0 3 * * ? *)' },
      after,
    ]);
  });

  test('start a job whose maker is not among them with the first', () => {
    expect(triggersOf([openJob], 'demand')).toStrictEqual([
      { kind: 'demand', name: 'start', starts: ['reading_open'] },
    ]);
  });
});
