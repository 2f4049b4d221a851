// Gathers what the page shows: the definition, its SQL, what a lake holds, how its runs went.
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { casesFile } from '../../engines/cases';
import { bindProject } from '../../engines/check';
import { withDatabase } from '../../engines/database';
import { type Engine, LakeError, type RunSummary, type TableState } from '../../engines/engine';
import { LANGUAGES, readCode } from '../../engines/job-code';
import { lineageOf, type Origins } from '../../engines/lineage';
import type { Project } from '../../engines/project';
import { list } from '../../engines/store';
import { readSummary } from '../../engines/stored';
import { storedType } from '../../engines/types';
import { codeVersion } from '../../engines/version';
import { DELIVERED_ONCE, expectationsOf, isPersonal, type Job, openColumns, tellFaults } from '../../model';
import { staleIn } from '../run';
import { message } from '../text';
import { graphOf } from './layout';
import type { Catalogue, CostDoc, JobDoc, SectionDoc, TableDoc } from './page/data';
import { profilesOf } from './profile';

/** Runs before these are left out. */
const MOST_RUNS = 50;
/** Rows of a section after these are left out. */
const MOST_ROWS = 50;

/**
 * `canProfile`: whether the engine takes DuckDB's SQL, in which profiles are asked for. Throws a LakeError where the
 * definition and its SQL do not fit, or the lake cannot be read.
 */
export async function catalogueOf(project: Project, engine: Engine, canProfile = true): Promise<Catalogue> {
  const { definition } = project;
  const { pipeline } = definition;
  const published = await engine.tables();
  // The engine is asked while this thread binds, lays out and adds up.
  const profiles = profilesOf(
    engine,
    [...pipeline.tables.values()].filter(({ name }) => canProfile && isPublished(published, name)),
  );
  // It is awaited below; a fault of the definition comes first.
  profiles.catch(() => undefined);
  const { faults, queries } = await bindProject(pipeline, project);
  if (faults.length > 0) throw new LakeError(tellFaults(faults));
  const [sections, jobs, costs, runs] = await Promise.all([
    sectionDocs(project, engine, (query) =>
      queries.some(
        ({ name, tables: read }) => name === query && read.every((table) => isPublished(published, table)),
      ),
    ),
    jobDocs(project),
    costDocs(project),
    runsIn(dirname(engine.summaryFile('none'))),
  ]);
  const tables = tableDocs(project, await profiles, published);
  return {
    name: definition.name,
    description: definition.description,
    codeVersion: codeVersion(),
    zones: pipeline.zones.map(({ name, description }) => ({ name, description })),
    tables,
    jobs,
    queries,
    sections,
    runs,
    costs,
    graph: graphOf({ tables, jobs }),
    wholeGraph: graphOf({ tables, jobs }, queries),
  };
}

function tableDocs(
  { definition: { pipeline } }: Project,
  profiles: Awaited<ReturnType<typeof profilesOf>>,
  published: readonly TableState[],
): TableDoc[] {
  const states = new Map(published.map((state) => [state.table, state]));
  const stale = staleIn(pipeline, published);
  return [...pipeline.tables.values()].map((table) => {
    const { name, zone, description } = table;
    const job = pipeline.jobs.find(({ output }) => output === table);
    const state = states.get(name);
    const profile = profiles.get(name);
    const isSource = table.format !== 'iceberg';
    return {
      name,
      zone,
      description,
      ...(isSource && {
        entity: table.entity,
        format: typeof table.format === 'string' ? table.format : table.format.kind,
        maxQuarantinedShare: table.maxQuarantinedShare,
      }),
      columns: Object.entries(table.columns).map(([column, contract]) => ({
        ...contract,
        name: column,
        sqlType: storedType(contract).toLowerCase(),
      })),
      keys: isSource ? [] : table.keys,
      partitionBy: isSource
        ? []
        : table.partitionBy.map(({ transform, column }) => `${transform}(${column})`),
      expectations: [
        ...expectationsOf(table, job).map((e) => ({
          name: e.name,
          severity: e.severity,
          description: e.description,
          sql: e.sql(name),
        })),
        ...(isSource ? [{ ...DELIVERED_ONCE, sql: '' }] : []),
      ],
      isPersonal: isPersonal(table),
      open: openColumns(table),
      ...(state && { published: { rows: state.rows, runId: state.runId, isStale: stale.includes(name) } }),
      ...(profile && { profile }),
    };
  });
}

const jobDocs = ({ definition: { pipeline }, jobs: dir }: Project): Promise<JobDoc[]> =>
  withDatabase(async (db) => {
    const docs: JobDoc[] = [];
    for (const job of pipeline.jobs) {
      const code = await readCode(dir, job);
      // What a job in Python makes of its columns nobody can tell by its text.
      const lineage = job.language === 'sql' ? await lineageOf(db, job, code) : undefined;
      docs.push({
        name: job.name,
        description: job.description,
        inputs: job.inputs.map(({ name }) => name),
        parameters: job.parameters.map(({ name, values }) => ({ name, values })),
        language: LANGUAGES[job.language],
        code,
        cases: await casesText(dir, job),
        ...(lineage && {
          lineage: {
            columns: Object.fromEntries(
              Object.entries(lineage.columns).map(([name, origins]) => [name, plain(origins)]),
            ),
            rows: plain(lineage.rows),
          },
        }),
      });
    }
    return docs;
  });

const plain = (origins: Origins) =>
  Object.fromEntries([...origins].map(([origin, hows]) => [origin, [...hows]]));

/** Whether there are any is for `lake check` to say. */
const casesText = (dir: string, job: Job) => readFile(casesFile(dir, job), 'utf8').catch(() => '');

const isPublished = (published: readonly TableState[], table: string) =>
  published.some(({ table: name }) => table === name || table === `${name}_quarantine`);

/** The declared sections that can be asked of what is published, without personal columns. */
function sectionDocs(
  { definition: { sections = [] }, queries: dir }: Project,
  engine: Engine,
  canAsk: (query: string) => boolean,
): Promise<SectionDoc[]> {
  return Promise.all(
    sections
      .filter(({ query }) => canAsk(query.name))
      .map(async ({ title, description, query }) => {
        const { columns, rows } = await engine.query(await readFile(join(dir, `${query.name}.sql`), 'utf8'));
        const names = columns.map(({ name }) => name);
        // What is not declared may be anything.
        const isOpen = (name = '') => Object.hasOwn(query.columns, name) && !query.columns[name]?.pii;
        const shown: (string | null)[][] = [];
        for await (const chunk of rows)
          shown.push(...chunk.map((row) => row.filter((_, i) => isOpen(names[i]))));
        return {
          title,
          description,
          query: query.name,
          columns: names.filter(isOpen),
          rows: shown.slice(0, MOST_ROWS),
          hidden: names.filter((name) => !isOpen(name)),
        };
      }),
  );
}

async function runsIn(dir: string): Promise<RunSummary[]> {
  const names = (await list(dir)).filter((name) => name.endsWith('.json')).slice(-MOST_RUNS);
  const runs: RunSummary[] = [];
  for (const name of names) {
    const run = await readSummary(join(dir, name));
    if (run) runs.push(run.failures ? { ...run, failures: run.failures.map(message) } : run);
  }
  return runs;
}

/** What each stack of the lakehouse's folder would cost a month. */
async function costDocs({ dir, definition }: Project): Promise<CostDoc[]> {
  const { stackSettings, stacksIn } = require('../stack-settings') as typeof import('../stack-settings');
  const stacks = await stacksIn(dir);
  if (stacks.length === 0) return [];
  const { estimate } = require('../../cost/estimate') as typeof import('../../cost/estimate');
  const { usageBy } = require('../../cost/usage') as typeof import('../../cost/usage');
  return Promise.all(
    stacks.map(async (stack) => {
      const settings = await stackSettings(definition.pipeline, dir, stack);
      const { lines, total, prices, assumptions } = estimate(
        definition.pipeline,
        settings,
        usageBy(definition.seconds ?? {}),
      );
      return {
        stack,
        region: prices.region,
        date: prices.date,
        total,
        lines: lines.map(({ what, monthly }) => ({ what, monthly })),
        assumptions,
      };
    }),
  );
}
