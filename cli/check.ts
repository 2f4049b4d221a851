import { projectFaults } from '../engines/duckdb/check';
import type { Pipeline } from '../model';
import { reachOf, tellFaults } from '../model';
import { queries } from '../pipeline/queries';

/** `lake check`. Returns the exit status. */
export async function checkCommand(
  pipeline: Pipeline,
  dirs: { readonly jobs: string; readonly queries: string },
): Promise<number> {
  const faults = await projectFaults(pipeline, dirs, queries);
  if (faults.length > 0) {
    process.stderr.write(`${tellFaults(faults)}\n`);
    return 1;
  }
  process.stdout.write(
    `${pipeline.tables.size} tables, ${pipeline.jobs.length} jobs: the definition, the SQL, its cases and the queries fit together.\n`,
  );
  process.stdout.write('Where a person who is forgotten is looked for:\n');
  for (const [table, path] of reachOf(pipeline)) process.stdout.write(`  ${table}: ${path}\n`);
  return 0;
}
