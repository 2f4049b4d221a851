// Gathers what the page shows: the definition, its SQL, what a lake or a stack holds, how its runs went.
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { queriesIn } from '../../engines/check';
import { withDatabase } from '../../engines/database';
import type { Engine, RunSummary, TableState } from '../../engines/engine';
import { LANGUAGES } from '../../engines/job-code';
import { type JobText, jobTexts, type Origins } from '../../engines/lineage';
import type { Project } from '../../engines/project';
import { list } from '../../engines/store';
import { readSummary } from '../../engines/stored';
import { storedType } from '../../engines/types';
import { codeVersion } from '../../engines/version';
import { DELIVERED_ONCE, expectationsOf, isPersonal, type Job, openColumns } from '../../model';
import { staleIn } from '../run';
import { message } from '../text';
import { graphOf } from './layout';
import type { Catalogue, CostDoc, JobDoc, SectionDoc, TableDoc } from './page/data';
import { type Profiles, profilesOf } from './profile';

/** Runs before these are left out. */
const MOST_RUNS = 50;
/** Rows of a section after these are left out. */
const MOST_ROWS = 50;

/** What is known of the data that a lakehouse holds in one place. */
export interface Holdings {
  /** Of a stack. */
  readonly stack?: string;
  readonly published: readonly TableState[];
  /** The oldest first. */
  readonly runs: readonly RunSummary[];
  /** Asks the published tables. Absent where every question costs: there are no profiles and no sections. */
  readonly query?: Engine['query'];
  /** In what the tables of a stack are other than their contracts, by `table` or `table.column`. */
  readonly drift?: Catalogue['drift'];
}

/** Of no place: the definition alone. */
export const NOTHING: Holdings = { published: [], runs: [] };

/** Of a lake. Throws a LakeError where it cannot be read. */
export async function lakeCatalogue(project: Project, engine: Engine): Promise<Catalogue> {
  const [published, runs] = [await engine.tables(), await runsIn(dirname(engine.summaryFile('none')))];
  return published.length === 0
    ? catalogueOf(project, { published, runs })
    : engine.queries((query) => catalogueOf(project, { published, runs, query }));
}

/** What is wrong with a job's SQL, a query or a stack's file is missing in it: `lake check` says why. */
export async function catalogueOf(project: Project, holdings: Holdings): Promise<Catalogue> {
  const { definition } = project;
  const { pipeline } = definition;
  const { published, runs, query, stack, drift = [] } = holdings;
  const isThere = (name: string) =>
    published.some(({ table }) => name === table || name === `${table}_quarantine`);
  const known = [...pipeline.tables.values()].filter(({ name }) => isThere(name));
  // Threads of the engine work at it while this one binds, lays out and adds up.
  const profiles: Promise<Profiles> = query ? profilesOf(query, known) : Promise.resolve(new Map());
  profiles.catch(() => undefined);
  const { queries, texts } = await withDatabase(async (db) => ({
    queries: await queriesIn(db, pipeline, project.queries),
    texts: await jobTexts(db, pipeline.jobs, project.jobs),
  }));
  const canAsk = (name: string) => queries.find((one) => one.name === name)?.tables.every(isThere) ?? false;
  const sections = query ? sectionDocs(project, query, canAsk) : Promise.resolve([]);
  sections.catch(() => undefined);
  const [jobs, costs] = await Promise.all([jobDocs(project, texts), costDocs(project)]);
  const graph = graphOf(pipeline);
  return {
    name: definition.name,
    description: definition.description,
    codeVersion: codeVersion(),
    ...(stack !== undefined && { stack }),
    drift,
    zones: pipeline.zones.map(({ name, description }) => ({ name, description })),
    tables: tableDocs(project, await profiles, published),
    jobs,
    queries,
    sections: await sections,
    runs,
    costs,
    graph,
  };
}

function tableDocs(
  { definition: { pipeline } }: Project,
  profiles: Profiles,
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

const jobDocs = (
  { definition: { pipeline }, jobs: dir }: Project,
  texts: ReadonlyMap<string, JobText>,
): Promise<JobDoc[]> =>
  Promise.all(
    pipeline.jobs.map(async (job) => {
      // What a job in Python makes of its columns nobody can tell by its text.
      const { code = '', lineage } = texts.get(job.name) ?? {};
      return {
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
      };
    }),
  );

const plain = (origins: Origins) =>
  Object.fromEntries([...origins].map(([origin, hows]) => [origin, [...hows]]));

/** Whether there are any is for `lake check` to say. */
function casesText(dir: string, job: Job): Promise<string> {
  // Here, as YAML takes long to load: the engine is at work meanwhile.
  const { casesFile } = require('../../engines/cases') as typeof import('../../engines/cases');
  return readFile(casesFile(dir, job), 'utf8').catch(() => '');
}

/** The declared sections that can be asked of what is published, without personal columns. */
function sectionDocs(
  { definition: { sections = [] }, queries: dir }: Project,
  ask: Engine['query'],
  canAsk: (query: string) => boolean,
): Promise<SectionDoc[]> {
  return Promise.all(
    sections
      .filter(({ query }) => canAsk(query.name))
      .map(async ({ title, description, query }) => {
        const { columns, rows } = await ask(await readFile(join(dir, `${query.name}.sql`), 'utf8'));
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

/** What each stack of the lakehouse's folder would cost a month, or what is wrong with its file. */
async function costDocs(project: Project): Promise<CostDoc[]> {
  const { stackCosts } = require('../cost') as typeof import('../cost');
  return (await stackCosts(project)).map((one) => {
    if ('fault' in one) return one;
    const { stack, lines, total, prices, assumptions } = one;
    return { stack, total, lines, assumptions, ...prices };
  });
}
