import { type Job, refined, sparkSchema, type Table } from '../../model';
import type { Case, CaseRow } from '../cases';
import type { RunnerProcess } from './runner';

const schemaOf = ({ columns }: Table) => sparkSchema(refined(columns));

/** What a job's code makes of each case on Spark, or what went wrong. `cases`: as jobs see them. */
export async function runCases(
  runner: Pick<RunnerProcess, 'ask'>,
  job: Job,
  code: string,
  cases: readonly Case[],
): Promise<(readonly CaseRow[] | string)[]> {
  const request = {
    kind: 'cases',
    job: job.name,
    language: job.language,
    code,
    tables: Object.fromEntries(job.inputs.map((input) => [input.name, schemaOf(input)])),
    output: schemaOf(job.output),
    cases: cases.map(({ given, parameters }) => ({ given, parameters })),
  };
  const made: (readonly CaseRow[] | string)[] = [];
  for await (const answer of runner.ask(request)) {
    if (answer.kind === 'case') made.push(answer.made);
  }
  return made;
}
