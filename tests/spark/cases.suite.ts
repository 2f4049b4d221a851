// What a job must do is written once, in jobs/*.cases.yaml: on Spark it does the same.
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { type Case, type CaseRow, type Cases, casesFile, readCases } from '../../engines/cases';
import { asJobsSee } from '../../engines/duckdb/cases';
import { readSql } from '../../engines/job-sql';
import { type Job, refined, sparkSchema, type Table } from '../../model';
import { lake as pipeline } from '../../pipeline';
import { JOBS } from '../support/lake';
import { withSpark } from '../support/spark';
import { session } from './session';

/** Jest wants the names of its tests at once; the cases themselves are read, and judged, by readCases. */
const namesIn = (file: string) =>
  (parse(readFileSync(file, 'utf8')) as { cases: { name: string }[] }).cases.map(({ name }) => name);

const contractOf = ({ columns }: Table) => sparkSchema(refined(columns));

/** Rows of a table have no order; in one of their own, a difference shows as the rows that differ. */
const sorted = (rows: readonly CaseRow[]) =>
  rows
    .map((row) => Object.fromEntries(Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1))))
    .toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));

withSpark('on Spark', () => {
  /** What the job's SQL makes of each case: rows, or what went wrong. */
  async function runCases(job: Job, cases: readonly Case[]): Promise<(readonly CaseRow[] | string)[]> {
    const request = {
      kind: 'cases',
      sql: await readSql(JOBS, job),
      tables: Object.fromEntries(job.inputs.map((input) => [input.name, contractOf(input)])),
      output: contractOf(job.output),
      cases: (await asJobsSee(job, cases)).map(({ given, parameters }) => ({ given, parameters })),
    };
    const made: (readonly CaseRow[] | string)[] = [];
    for await (const answer of session.ask(request)) {
      if (answer.kind === 'rows') made.push(answer.rows as unknown as readonly CaseRow[] | string);
    }
    return made;
  }

  describe.each(pipeline.jobs.map((job) => ({ job, name: job.name })))('$name', ({ job }) => {
    const names = namesIn(casesFile(JOBS, job));
    let read: Cases;
    let made: (readonly CaseRow[] | string)[];
    beforeAll(async () => {
      read = await readCases(JOBS, job);
      made = await runCases(job, read.cases);
    });

    test('has no fault in its cases, and each is run', () => {
      expect(read.faults).toEqual([]);
      expect(read.cases.map(({ name }) => name)).toEqual(names);
      expect(made.length).toBe(names.length);
    });

    test.each([...names.entries()].map(([i, name]) => ({ i, name })))('$name', ({ i }) => {
      const rows = made[i];
      if (rows === undefined || typeof rows === 'string') throw new Error(rows ?? 'the case was not run');
      expect(sorted(rows)).toEqual(sorted(read.cases[i]?.expect ?? []));
    });
  });
});
