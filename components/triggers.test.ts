import fc from 'fast-check';
import { type DerivedTable, int, type Job, type Table } from '../model';
import { cleanJob, openJob, words } from './testing';
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

/** Jobs over one source, each reading some of those before it. */
const jobsOf = (reads: readonly (readonly boolean[])[]): Job[] => {
  const columns = { x: int('X.') };
  const source = words.source({ name: 'source', zone: 'raw', entity: 'source', description: 'S.', columns });
  const tables = reads.map(
    (_, i): DerivedTable => words.table({ name: `t${i}`, zone: 'clean', description: 'T.', columns }),
  );
  return tables.map((output, i) => {
    const made = tables.filter((_, other) => other < i && reads[i]?.[other]);
    const inputs: readonly Table[] = made.length === 0 || i % 2 === 0 ? [source, ...made] : made;
    return { name: output.name, description: 'J.', output, inputs, parameters: [] };
  });
};

test('each job of any graph is started once, after exactly those that make its inputs', () => {
  const graphs = fc.array(fc.array(fc.boolean(), { maxLength: 9 }), { minLength: 1, maxLength: 9 });
  fc.assert(
    fc.property(graphs, fc.constantFrom('demand' as const, 'files' as const), (reads, start) => {
      const jobs = jobsOf(reads);
      const triggers = triggersOf(jobs, start);
      expect(triggers.flatMap(({ starts }) => starts).sort()).toEqual(jobs.map(({ name }) => name).sort());
      expect(new Set(triggers.map(({ name }) => name)).size).toBe(triggers.length);
      const [first, ...others] = triggers;
      expect(first?.kind).toBe(start);
      for (const job of jobs) {
        const makers = jobs.filter(({ output }) => job.inputs.includes(output)).map(({ name }) => name);
        const own = others.find(({ starts }) => starts.includes(job.name));
        if (makers.length === 0) expect(first?.starts).toContain(job.name);
        else expect(own).toEqual({ kind: 'after', name: job.name, starts: [job.name], after: makers });
      }
    }),
  );
});
