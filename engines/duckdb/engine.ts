import { type Job, type Pipeline, tellFaults } from '../../model';
import { bindingFaults } from '../check';
import { withDatabase } from '../database';
import {
  type Engine,
  LakeError,
  type QueryResult,
  type Receipt,
  type RunEvent,
  type RunRequest,
  type RunResult,
  type TableState,
} from '../engine';
import { requireFileHandles } from '../file-handles';
import { readCode } from '../job-code';
import { dataDir, filesOf } from '../landing/files';
import { inSql, planOf, requirePublished, requireSql } from '../plan';
import { newRunId } from '../run-id';
import { quoteString } from '../sql';
import { Store } from '../store';
import { hashOfSql, howMade } from './causes';
import { finishForgetting, forgetIn, type LakeForgetRequest, learn } from './forget';
import { askLake, queryLake } from './query';
import { Run } from './run';

export interface DuckDbOptions {
  /** Folder of the lake; made where it is missing. */
  readonly lake: string;
  /** Folder of the jobs' code. */
  readonly jobs: string;
}

/** Runs a pipeline in this process, on a lake in a folder. */
export class DuckDbEngine implements Engine {
  private readonly store: Store;

  constructor(private readonly options: DuckDbOptions) {
    this.store = new Store(options.lake);
  }

  /**
   * Throws a UsageError for a call that cannot be meant, and a LakeError where a run cannot begin: the lake is
   * in use, a source has no file, a job's SQL does not fit its contract. What fails later is in the result.
   */
  async run(
    pipeline: Pipeline,
    request: RunRequest,
    tell: (event: RunEvent) => void = () => undefined,
  ): Promise<RunResult> {
    requireFileHandles();
    const plan = planOf(pipeline, await this.asBefore(request));
    requireSql(pipeline, plan);
    const able = inSql(pipeline);
    const data = request.data === undefined ? undefined : dataDir(request.data);
    return withDatabase(async (db) => {
      const faults = await bindingFaults(db, await this.unbound(plan.jobs), this.options.jobs);
      if (faults.length > 0) throw new LakeError(tellFaults(faults));
      // The run looks again; a call that cannot be leaves no folder behind.
      if (data !== undefined) await filesOf(data, plan.sources);
      if (plan.published.length > 0) requirePublished(plan, Object.keys((await this.store.pointer()).tables));
      return this.store.hold(async () => {
        await this.store.sweep();
        const runId = newRunId();
        try {
          await db.run(`SET temp_directory = ${quoteString(this.store.scratchDir(runId))}`);
          const isWhole = plan.jobs.length === able.jobs.length && data !== undefined;
          const lake = { store: this.store, jobs: this.options.jobs, db, pipeline: able };
          // Single jobs are asked for by their names.
          const how = { keeps: isWhole && request.full !== true, verbose: request.verbose };
          const run = new Run(this.store, db, runId, this.options.jobs, able, plan, tell, how);
          return await this.store.endingForgets(
            'duckdb',
            isWhole,
            () => finishForgetting(lake),
            async () => {
              const result = await run.go(data);
              if (isWhole && result.failures.length === 0) await learn(lake);
              return result;
            },
          );
        } finally {
          await this.store.settle(runId);
        }
      }, db);
    });
  }

  /** The jobs that were never run with the code and the contracts that they have: what ran once is bound. */
  private async unbound(jobs: readonly Job[]): Promise<readonly Job[]> {
    // Nothing may be made in its place before it is known what is gone.
    if (!this.store.hasKey) return jobs;
    const { tables } = await this.store.pointer();
    const found: Job[] = [];
    for (const job of jobs) {
      const version = tables[job.name];
      const text = version && (await readCode(this.options.jobs, job).catch(() => undefined));
      const isSame =
        text !== undefined &&
        hashOfSql(text) === version?.sql &&
        (await howMade(job, this.store)) === version.how;
      if (!isSame) found.push(job);
    }
    return found;
  }

  /** Single jobs keep the values that their tables were made with, where the request gives none. */
  private async asBefore(request: RunRequest): Promise<RunRequest> {
    if (!request.only) return request;
    const { tables } = await this.store.pointer();
    const before = request.only.map((job) => tables[job]?.parameters ?? {});
    return { ...request, parameters: Object.assign({}, ...before, request.parameters) };
  }

  /** See {@link forgetIn}. */
  forget(pipeline: Pipeline, request: LakeForgetRequest): Promise<Receipt> {
    return forgetIn(this.store, this.options.jobs, pipeline, request);
  }

  query(sql: string): Promise<QueryResult> {
    return queryLake(this.store, sql);
  }

  queries<T>(work: (query: Engine['query']) => Promise<T>): Promise<T> {
    return askLake(this.store, work);
  }

  summaryFile(runId: string): string {
    return this.store.summaryFile(runId);
  }

  async tables(): Promise<readonly TableState[]> {
    const { tables } = await this.store.pointer();
    return Object.entries(tables).map(([table, { rows, runId, of }]) => ({
      table,
      rows,
      runId,
      ...(of && { of }),
    }));
  }
}
