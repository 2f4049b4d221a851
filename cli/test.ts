import { type SpawnSyncOptions, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type CaseResult, passes, resultOf } from '../engines/case-results';
import { type Case, casesFile, readCases } from '../engines/cases';
import { projectFaults } from '../engines/check';
import { readCode } from '../engines/job-code';
import type { Project } from '../engines/project';
import { type Job, tellFaults } from '../model';
import { junitXml, type Suite } from '../standards/junit';
import { mustBeJobs } from './check';
import type { EngineName } from './engine';
import { counted, harmless } from './text';

export interface TestOptions {
  readonly engine: EngineName;
  readonly watch?: boolean;
  /** A file for the results, as JUnit has them. */
  readonly junit?: string;
}

/**
 * `lake test [job…]`: runs the cases of jobs. Returns the exit status: 1 where a case fails. Throws a UsageError with every
 * name that is no job's.
 */
export async function testCommand(
  project: Project,
  names: readonly string[],
  options: TestOptions,
): Promise<number> {
  if (options.watch) return watching(project);
  const { pipeline } = project.definition;
  mustBeJobs(pipeline, names);
  const jobs = pipeline.jobs.filter(({ name }) => names.length === 0 || names.includes(name));

  // SQL that cannot be may still give what a case expects, such as no row.
  const faults = await projectFaults(
    pipeline,
    project,
    [],
    jobs.map(({ name }) => name),
  );
  if (faults.length > 0) {
    process.stderr.write(`${tellFaults(faults)}\n`);
    return 1;
  }

  const run = await (options.engine === 'spark' ? onSpark() : onDuckDb());
  const failed: string[] = [];
  const suites: Suite[] = [];
  try {
    for (const job of jobs) {
      const { cases } = await readCases(project.jobs, job);
      if (job.language === 'python' && options.engine === 'duckdb') {
        const skipped = `${counted(cases.length, 'case')} skipped`;
        process.stdout.write(`${job.name}: ${skipped}, as it is in Python; --engine spark runs them\n`);
        continue;
      }
      const code = await readCode(project.jobs, job);
      const results = await run.results(job, code, cases);
      const bad = results.filter((result) => !passes(result));
      process.stdout.write(`${job.name}: ${counted(cases.length, 'case')}, ${bad.length} failed\n`);
      const file = relative('', casesFile(project.jobs, job));
      for (const result of bad) failed.push(tellResult(file, result));
      suites.push({
        name: job.name,
        cases: results.map((result) => ({
          name: result.name,
          ...(!passes(result) && { failure: tellResult(file, result) }),
        })),
      });
    }
  } finally {
    await run.end();
  }
  if (options.junit !== undefined) writeFileSync(options.junit, junitXml(suites));
  if (failed.length > 0) process.stderr.write(harmless(`\n${failed.join('\n')}\n`));
  return failed.length > 0 ? 1 : 0;
}

function tellResult(file: string, { name, missing, unexpected, error }: CaseResult): string {
  const rows = (word: string, list: CaseResult['missing']) =>
    list.map((row) => `  ${word.padEnd(10)}  ${JSON.stringify(row)}`);
  return [
    `${file}: ${name}`,
    ...(error === undefined ? [] : [`  ${error}`]),
    ...rows('missing', missing),
    ...rows('unexpected', unexpected),
  ].join('\n');
}

interface CaseEngine {
  results(job: Job, code: string, cases: readonly Case[]): Promise<CaseResult[]>;
  end(): Promise<void>;
}

async function onDuckDb(): Promise<CaseEngine> {
  const { runCase } = require('../engines/duckdb/cases') as typeof import('../engines/duckdb/cases');
  return {
    results: (job, sql, cases) =>
      Promise.all(
        cases.map(async (one) =>
          resultOf(one, await runCase(job, sql, one).catch((error: Error) => error.message)),
        ),
      ),
    end: async () => undefined,
  };
}

async function onSpark(): Promise<CaseEngine> {
  const { asJobsSee } = require('../engines/duckdb/cases') as typeof import('../engines/duckdb/cases');
  const { Runner } = require('../engines/spark/runner') as typeof import('../engines/spark/runner');
  const { runCases } = require('../engines/spark/cases') as typeof import('../engines/spark/cases');
  const scratch = mkdtempSync(join(tmpdir(), 'lake-test-'));
  const runner = new Runner({
    warehouse: pathToFileURL(join(scratch, 'warehouse')).href,
    scratch,
    memory: '1g',
    say: (text) => void process.stderr.write(`lake: ${text}\n`),
  });
  return {
    async results(job, code, cases) {
      const made = await runCases(runner, job, code, await asJobsSee(job, cases));
      return cases.map((one, i) => resultOf(one, made[i] ?? 'the case was not run'));
    },
    async end() {
      await runner.stop();
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}

/** Runs the command again, as a process of its own, whenever a file of the lakehouse changes. */
function watching({ dir }: Project): Promise<never> {
  const [, script = '', ...words] = process.argv;
  const again = () => {
    const options: SpawnSyncOptions = { stdio: 'inherit' };
    spawnSync(process.execPath, [script, ...words.filter((word) => word !== '--watch')], options);
    process.stdout.write('Waiting for changes; Ctrl-C ends it.\n');
  };
  let waiting: NodeJS.Timeout | undefined;
  watch(dir, { recursive: true }, (_, file) => {
    if (!file || !/\.(?:sql|yaml|ts|py)$/.test(file) || /(?:^|[\\/])(?:node_modules|\.)/.test(file)) return;
    clearTimeout(waiting);
    // An editor writes a file in several steps.
    waiting = setTimeout(again, 100);
  });
  again();
  return new Promise(() => undefined);
}
