import { projectFaults } from '../engines/check';
import { UsageError } from '../engines/engine';
import type { Project } from '../engines/project';
import { hasPython } from '../engines/python-syntax';
import { noSuchJob } from '../engines/words';
import { type Job, keptFaults, type Pipeline, reachOf, tellFaults } from '../model';

/** Throws a UsageError with every name that is no job's. */
export function mustBeJobs({ jobs }: Pipeline, asked: readonly string[]): void {
  const names = jobs.map(({ name }) => name);
  const unknown = asked.filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new UsageError(unknown.map((name) => noSuchJob(name, names)).join('\n'));
}

/** `lake check [job…]`. Returns the exit status. Throws a UsageError with every name that is no job's. */
export async function checkCommand(
  { definition, ...dirs }: Project,
  jobs: readonly string[],
): Promise<number> {
  const { pipeline, queries } = definition;
  mustBeJobs(pipeline, jobs);
  const faults = await projectFaults(pipeline, dirs, queries, jobs.length > 0 ? jobs : undefined);
  if (faults.length > 0) {
    process.stderr.write(`${tellFaults(faults)}\n`);
    return 1;
  }
  const python = pipeline.jobs.filter(
    ({ name, language }) => language === 'python' && (jobs.length === 0 || jobs.includes(name)),
  );
  if (jobs.length > 0) {
    process.stdout.write(`${jobs.join(', ')}: the code and its cases fit the contracts.\n`);
    tellUnchecked(python);
    return 0;
  }
  process.stdout.write(
    `${pipeline.tables.size} tables, ${pipeline.jobs.length} jobs: the definition, the SQL, its cases and the queries fit together.\n`,
  );
  tellUnchecked(python);
  for (const { path, message } of pipeline.sources.flatMap(keptFaults))
    process.stdout.write(`${path} ${message}.\n`);
  process.stdout.write('Where a person who is forgotten is looked for:\n');
  for (const [table, path] of reachOf(pipeline)) process.stdout.write(`  ${table}: ${path}\n`);
  return 0;
}

/** Says what of jobs in Python nothing here can check. */
function tellUnchecked(jobs: readonly Job[]) {
  if (jobs.length === 0) return;
  const names = jobs.map(({ name }) => name).join(', ');
  const what = hasPython()
    ? 'its columns are'
    : 'there is no Python in .venv to read it, and its columns are';
  process.stdout.write(
    `Not checked of ${names}, in Python: ${what} known on Spark only. npx lake test --engine spark holds them to the contract.\n`,
  );
}
