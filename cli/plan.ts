import { existsSync } from 'node:fs';
import { planLake, type TablePlan } from '../engines/duckdb/plan';
import { UsageError } from '../engines/engine';
import { dataDir } from '../engines/landing/files';
import { inSql } from '../engines/plan';
import type { Project } from '../engines/project';
import { Store } from '../engines/store';
import { textTable } from './table';
import { message } from './text';

export interface PlanOptions {
  readonly data?: string;
  readonly lake: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly full?: boolean;
  readonly json?: boolean;
}

const DOES: Readonly<Record<TablePlan['does'], string>> = {
  make: 'made',
  part: 'in part',
  maybe: 'maybe',
  keep: 'kept',
};

/** `lake plan`: what a run would do, and why. Nothing is made. */
export async function planCommand({ definition, jobs }: Project, options: PlanOptions): Promise<void> {
  const { parameters, full = false } = options;
  const store = new Store(options.lake);
  const data = options.data ?? store.sampleDir();
  if (options.data === undefined && !existsSync(data))
    throw new UsageError(
      `there is no sample in ${options.lake} yet; npx lake run makes one, or give --data DIR`,
    );
  const able = inSql(definition.pipeline);
  const tables = await planLake(store, jobs, able, { data: dataDir(data), parameters, full });
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ lake: options.lake, data, tables }, null, 2)}\n`);
    return;
  }
  const columns = [{ name: 'table' }, { name: 'is' }, { name: 'because' }];
  const rows = tables.map(({ table, does, why }) => [table, DOES[does], why.join('; ')]);
  process.stdout.write(message(`${textTable(columns, rows)}\n`));
  for (const { name } of definition.pipeline.jobs.filter((job) => !able.jobs.includes(job)))
    process.stdout.write(`${name} is in Python, which runs on Spark only: --engine spark\n`);
}
