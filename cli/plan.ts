import { existsSync } from 'node:fs';
import { planLake } from '../engines/duckdb/plan';
import { type TablePlan, UsageError } from '../engines/engine';
import { dataDir } from '../engines/landing/files';
import { inSql } from '../engines/plan';
import type { Project } from '../engines/project';
import { Store } from '../engines/store';
import type { Pipeline } from '../model';
import type { EngineName } from './engine';
import { type StackFlags, stackOf } from './stack-options';
import { textTable } from './table';
import { message } from './text';

export interface PlanOptions extends StackFlags {
  readonly data?: string;
  readonly lake: string;
  readonly engine: EngineName;
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
export async function planCommand(project: Project, options: PlanOptions): Promise<void> {
  if (options.stack !== undefined) {
    const { tables } = await stackPlanOf(project.definition.pipeline, options);
    return print({ stack: options.stack, tables }, options);
  }
  const { parameters, lake, engine, full = false } = options;
  const { pipeline } = project.definition;
  const store = new Store(lake);
  const data = options.data ?? store.sampleDir();
  if (options.data === undefined && !existsSync(data))
    throw new UsageError(`there is no sample in ${lake} yet; npx lake run makes one, or give --data DIR`);
  const request = { data: dataDir(data), parameters, full };
  if (engine === 'spark') {
    const { SparkEngine } = require('../engines/spark/engine') as typeof import('../engines/spark/engine');
    const tables = await new SparkEngine({ lake, jobs: project.jobs }).plan(pipeline, request);
    return print({ lake, data, tables }, options);
  }
  const able = inSql(pipeline);
  print({ lake, data, tables: await planLake(store, project.jobs, able, request) }, options);
  if (options.json) return;
  for (const { name } of pipeline.jobs.filter((job) => !able.jobs.includes(job)))
    process.stdout.write(`${name} is in Python, which runs on Spark only: --engine spark\n`);
}

async function stackPlanOf(pipeline: Pipeline, options: PlanOptions) {
  const { planStack } = require('../engines/aws/stack-plan') as typeof import('../engines/aws/stack-plan');
  const { GlueRuns } = require('../engines/aws/glue-runs') as typeof import('../engines/aws/glue-runs');
  const stack = await stackOf(options);
  return planStack(stack, new GlueRuns(stack), pipeline.jobs, options.parameters);
}

/** Of a plan of a lake or of a stack, which JSON names too. */
function print<T extends { readonly tables: readonly TablePlan[] }>(plan: T, { json }: PlanOptions): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(plan, null, 2)}\n`);
    return;
  }
  const columns = [{ name: 'table' }, { name: 'is' }, { name: 'because' }];
  const rows = plan.tables.map(({ table, does, why }) => [table, DOES[does], why.join('; ')]);
  process.stdout.write(message(`${textTable(columns, rows)}\n`));
}
