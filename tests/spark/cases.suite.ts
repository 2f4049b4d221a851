// What a job must do is written once, in jobs/*.cases.yaml: on Spark it does the same.
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { resultOf } from '../../engines/case-results';
import { type CaseRow, type Cases, casesFile, readCases } from '../../engines/cases';
import { asJobsSee } from '../../engines/duckdb/cases';
import { readCode } from '../../engines/job-code';
import { runCases } from '../../engines/spark/cases';
import { lake as pipeline } from '../../pipeline';
import { JOBS } from '../support/lake';
import { withSpark } from '../support/spark';
import { session } from './session';

/** Jest wants the names of its tests at once; the cases themselves are read, and judged, by readCases. */
const namesIn = (file: string) =>
  (parse(readFileSync(file, 'utf8')) as { cases: { name: string }[] }).cases.map(({ name }) => name);

withSpark('on Spark', () => {
  describe.each(pipeline.jobs.map((job) => ({ job, name: job.name })))('$name', ({ job }) => {
    const names = namesIn(casesFile(JOBS, job));
    let read: Cases;
    let made: (readonly CaseRow[] | string)[];
    beforeAll(async () => {
      read = await readCases(JOBS, job);
      made = await runCases(session, job, await readCode(JOBS, job), await asJobsSee(job, read.cases));
    });

    test('has no fault in its cases, and each is run', () => {
      expect(read.faults).toEqual([]);
      expect(read.cases.map(({ name }) => name)).toEqual(names);
      expect(made.length).toBe(names.length);
    });

    test.each([...names.entries()].map(([i, name]) => ({ i, name })))('$name', ({ i }) => {
      const one = read.cases[i];
      if (!one) throw new Error('the file of the cases has faults; the first test of this job tells them');
      expect(resultOf(one, made[i] ?? 'the case was not run')).toEqual({
        name: one.name,
        missing: [],
        unexpected: [],
      });
    });
  });
});
