import { relative, sep } from 'node:path';
import { bindProject } from '../engines/check';
import { readCode } from '../engines/job-code';
import { inSql } from '../engines/plan';
import type { Project } from '../engines/project';
import {
  type Column,
  expectationsOf,
  type Job,
  openColumns,
  reachOf,
  spelled,
  type Table,
  withoutAddress,
} from '../model';
import { FORMATS } from '../model/format';
import { prefixOf } from '../model/places';
import { icebergTable } from '../model/schema';
import { analystRights, jobRights } from '../review/access';
import type {
  Description,
  JobDescription,
  Right,
  StackDescription,
  TableDescription,
} from '../review/description';
import { stackCosts } from './cost';
import { textTable } from './table';

/** `lake describe`. */
export async function describeCommand(
  project: Project,
  { json }: { readonly json?: boolean },
): Promise<void> {
  const described = await describe(project);
  if (json) {
    process.stdout.write(`${JSON.stringify(described)}\n`);
    return;
  }
  const rows = Object.entries(described.tables).map(([name, { zone, columns, description }]) => [
    name,
    zone,
    String(Object.keys(columns).length),
    description,
  ]);
  const head = [{ name: 'table' }, { name: 'zone' }, { name: 'columns', right: true }, { name: 'a row is' }];
  process.stdout.write(`${textTable(head, rows)}\n`);
}

/** All of a lakehouse that a review compares; no data, and no address. */
export async function describe({ dir, definition, ...dirs }: Project): Promise<Description> {
  const { pipeline } = definition;
  const { faults, queries } = await bindProject(pipeline, dirs);
  const reach = reachOf(pipeline);
  const local = inSql(pipeline).jobs;
  const jobs = await Promise.all(
    pipeline.jobs.map(
      async (job) => [job.name, await describedJob(job, dirs.jobs, local.includes(job))] as const,
    ),
  );
  const stacks = await stacksOf({ dir, definition, ...dirs });
  // Files by their paths from the lakehouse's folder, wherever somebody asks from.
  const here = relative('', dir);
  const fromDir = (text: string) => (here === '' ? text : text.replaceAll(`${here}${sep}`, ''));
  return {
    version: FORMATS.description,
    name: definition.name,
    tables: Object.fromEntries(
      [...pipeline.tables].map(([name, table]) => [name, describedTable(table, reach.get(name))]),
    ),
    jobs: Object.fromEntries(jobs),
    queries: Object.fromEntries(queries.map(({ name, ...query }) => [name, query])),
    parameters: Object.fromEntries(pipeline.parameters.map(({ name, ...parameter }) => [name, parameter])),
    access: [...jobRights(pipeline), ...stacks.access],
    stacks: stacks.of,
    faults: faults.map(({ path, message }) => ({ path: fromDir(path), message: fromDir(message) })),
  };
}

const describedJob = async (job: Job, dir: string, isLocal: boolean): Promise<JobDescription> => ({
  description: job.description,
  inputs: job.inputs.map(({ name }) => name),
  parameters: job.parameters.map(({ name }) => name),
  increments: job.increments,
  language: job.language,
  isLocal,
  // What is missing is among the faults.
  code: await readCode(dir, job).catch(() => ''),
});

function describedTable(table: Table, reach: string | undefined): TableDescription {
  const { zone, format, description } = table;
  const expectations = expectationsOf(table).map(({ name, severity, description, sql }) => {
    return [name, { severity, description, sql: sql(table.name) }] as const;
  });
  return {
    zone,
    format,
    description,
    columns: Object.fromEntries(
      Object.entries(table.columns).map(([name, column]) => [
        name,
        { ...column, stored: storedType(column) },
      ]),
    ),
    keys: table.format === 'iceberg' ? table.keys : [],
    expectations: Object.fromEntries(expectations),
    open: openColumns(table),
    ...(reach !== undefined && { reach }),
    ...(table.format !== 'iceberg'
      ? {
          entity: table.entity,
          ...(table.each !== undefined && { each: table.each }),
          ...(table.onMissing !== undefined && { onMissing: table.onMissing }),
          maxQuarantinedShare: table.maxQuarantinedShare,
        }
      : { iceberg: icebergTable(table, `${zone}/${prefixOf(table)}`) }),
  };
}

const storedType = (column: Column) =>
  ['epochMillis', 'isoInstant', 'isoDate', 'json', 'pseudonym'].includes(column.type)
    ? column.type
    : spelled(column).iceberg;

/** The stacks by their files; without any, analysts are those of IAM. */
async function stacksOf(project: Project) {
  const { pipeline } = project.definition;
  const costs = await stackCosts(project);
  const of: Record<string, StackDescription | { readonly fault: string }> = {};
  const access: Right[] = [];
  for (const { stack, ...found } of costs) {
    if ('fault' in found) of[stack] = found;
    else {
      const { settings, lines, total } = found;
      of[stack] = { settings: Object.fromEntries(flat(settings)), cost: { lines, total } };
      access.push(...analystRights(pipeline, settings, stack));
    }
  }
  if (costs.length === 0) access.push(...analystRights(pipeline, { permissions: 'iam', analysts: [] }));
  return { of, access: access.map((right) => ({ ...right, who: withoutAddress(right.who) })) };
}

/** The leaves of a value by their paths. */
function flat(value: unknown, path = ''): [string, string][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [[path, withoutAddress(typeof value === 'string' ? value : JSON.stringify(value))]];
  return Object.entries(value).flatMap(([key, inner]) =>
    inner === undefined ? [] : flat(inner, path === '' ? key : `${path}.${key}`),
  );
}
