import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { lake } from '../../pipeline';
import { resultOf } from '../case-results';
import { type Cases, casesFile, readCases } from '../cases';
import { readCode } from '../job-code';
import { runCase } from './cases';

const JOBS = join(__dirname, '..', '..', 'jobs');

/** Jest wants the names of its tests at once; the cases themselves are read, and judged, by readCases. */
function namesIn(file: string): string[] {
  if (!existsSync(file)) return [];
  const { cases } = parse(readFileSync(file, 'utf8')) as { cases?: { name: string }[] };
  return (cases ?? []).map(({ name }) => name);
}

describe.each(lake.jobs.map((job) => ({ job, name: job.name })))('$name', ({ job }) => {
  const names = namesIn(casesFile(JOBS, job));
  let read: Cases;
  let sql: string;
  beforeAll(async () => {
    read = await readCases(JOBS, job);
    sql = await readCode(JOBS, job);
  });

  test('has cases, and no fault in them', () => {
    expect(read.faults).toEqual([]);
    expect(read.cases.length).toBeGreaterThan(0);
    expect(read.cases.map(({ name }) => name)).toEqual(names);
  });

  test.each([...names.entries()].map(([i, name]) => ({ i, name })))('$name', async ({ i }) => {
    const one = read.cases[i];
    if (!one) throw new Error('the file of the cases has faults; the first test of this job tells them');
    expect(resultOf(one, await runCase(job, sql, one))).toEqual({
      name: one.name,
      missing: [],
      unexpected: [],
    });
  });
});
