import { choiceFault, type Job, type Pipeline, runTime, type SourceTable, sqlInstant } from '../model';
import { type Days, LakeError, type RunRequest, UsageError } from './engine';
import { timeOf } from './run-id';
import type { Pointer, Version } from './store';
import { noSuchJob } from './words';

/** What a request comes to: which sources are read, which jobs run, with which values. */
export interface Plan {
  readonly sources: readonly SourceTable[];
  /** In the order in which they run. */
  readonly jobs: readonly Job[];
  /** Of every parameter that one of the jobs has. */
  readonly parameters: Readonly<Record<string, string>>;
  /** What SQL is given: the parameters, and the run's own time. */
  readonly values: Readonly<Record<string, string>>;
  /** Of jobs that are run again as they were: the values of each. */
  readonly own?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly days?: Days;
  /** Tables that the jobs read and this run does not make. */
  readonly published: readonly string[];
}

/** Works a request out against the pipeline. Throws a UsageError with every name and value it does not know. */
export function planOf(pipeline: Pipeline, request: RunRequest): Plan {
  const faults: string[] = [];
  const names = pipeline.jobs.map((job) => job.name);
  if (request.only?.length === 0) faults.push(`only names no job; there are ${names.join(', ')}`);
  for (const name of request.only ?? []) {
    if (!names.includes(name)) faults.push(noSuchJob(name, names));
  }
  const given = request.parameters ?? {};
  for (const [name, value] of Object.entries(given)) {
    const declared = pipeline.parameters.find((p) => p.name === name);
    const known = pipeline.parameters.map((p) => p.name).join(', ') || 'none';
    const fault = declared && choiceFault(declared, value);
    if (!declared) faults.push(`no parameter "${name}"; there are ${known}`);
    else if (fault) faults.push(`${name} ${fault}`);
  }
  const jobs = pipeline.jobs.filter((job) => request.only?.includes(job.name) ?? true);
  for (const p of pipeline.parameters) {
    const users = pipeline.jobs.filter((job) => job.parameters.includes(p)).map((job) => job.name);
    if (given[p.name] !== undefined && jobs.length > 0 && !jobs.some((job) => users.includes(job.name))) {
      faults.push(
        `${p.name} changes nothing in ${jobs.map((job) => job.name).join(', ')}; it is for ${users.join(', ')}`,
      );
    }
  }
  if (faults.length > 0) throw new UsageError(faults.join('\n'));

  const read = new Set(jobs.flatMap((job) => job.inputs.map((input) => input.name)));
  // What a source's expectations compare it with is read with it.
  const compared = (name: string): readonly string[] =>
    pipeline.sources.find((source) => source.name === name)?.expectations.flatMap((e) => e.reads) ?? [];
  const wanted = new Set(read);
  for (const name of wanted) for (const other of compared(name)) wanted.add(other);
  const sources =
    request.data === undefined
      ? []
      : pipeline.sources.filter((source) => !request.only || wanted.has(source.name));
  const made = new Set([...sources, ...jobs].map(({ name }) => name));
  const parameters = Object.fromEntries(
    pipeline.parameters
      .filter((p) => jobs.some((job) => job.parameters.includes(p)))
      .map((p) => [p.name, given[p.name] ?? p.default]),
  );
  return {
    sources,
    jobs,
    parameters,
    values: { ...parameters, [runTime.name]: sqlInstant(request.time ?? new Date()) },
    ...(request.days && { days: request.days }),
    published: [...read].filter((name) => !made.has(name)),
  };
}

/** What of a pipeline DuckDB can make: the jobs in SQL that read nothing of a job in Python. */
export function inSql(pipeline: Pipeline): Pipeline {
  const others = new Set<string>();
  for (const { name, language, inputs } of pipeline.jobs) {
    if (language !== 'sql' || inputs.some((input) => others.has(input.name))) others.add(name);
  }
  return {
    ...pipeline,
    jobs: pipeline.jobs.filter(({ name }) => !others.has(name)),
    tables: new Map([...pipeline.tables].filter(([name]) => !others.has(name))),
  };
}

/** Throws a UsageError that names the plan's jobs that DuckDB cannot run, and the ways out. */
export function requireSql(pipeline: Pipeline, plan: Plan): void {
  const able = inSql(pipeline).jobs;
  const others = plan.jobs.filter((job) => !able.includes(job));
  if (others.length === 0) return;
  const told = others.map(({ name, language, inputs }) => {
    const made = inputs.find((input) =>
      pipeline.jobs.some((job) => job.output === input && !able.includes(job)),
    );
    return `${name} ${language === 'sql' ? `reads ${made?.name}` : 'is in Python'}`;
  });
  const rest = plan.jobs.filter((job) => able.includes(job)).map(({ name }) => name);
  const without = rest.length > 0 ? `, or leave them out: --data DIR --only ${rest.join(' ')}` : '';
  throw new UsageError(`DuckDB runs SQL only: ${told.join(', ')}. Give --engine spark${without}`);
}

/** Makes tables again, each with the values that it was made with, from all sources: any file may have a person's lines. */
export function planAgain(pipeline: Pipeline, made: Pointer['tables']): Plan {
  const jobs = pipeline.jobs.filter(({ name }) => made[name]);
  const sources = pipeline.sources.filter((source) => made[source.name]);
  const own = Object.fromEntries(
    jobs.map(({ name, parameters }) => {
      const { runId, runTime: time = sqlInstant(timeOf(runId) as Date), ...by } = made[name] as Version;
      const values = parameters.map((p) => [
        p.name,
        p === runTime ? time : (by.parameters?.[p.name] ?? p.default),
      ]);
      return [name, Object.fromEntries(values) as Record<string, string>];
    }),
  );
  const values: Record<string, string> = Object.assign({}, ...Object.values(own));
  const { [runTime.name]: _, ...parameters } = values;
  const there = new Set([...sources, ...jobs].map(({ name }) => name));
  const read = jobs.flatMap(({ inputs }) => inputs.map(({ name }) => name));
  return {
    sources,
    jobs,
    parameters,
    values,
    own,
    published: [...new Set(read)].filter((name) => !there.has(name)),
  };
}

/** Throws a LakeError that names every table that the plan's jobs read, that it does not make, and nobody published. */
export function requirePublished(plan: Plan, published: readonly string[]): void {
  const missing = plan.published.filter((name) => !published.includes(name));
  if (missing.length === 0) return;
  throw new LakeError(
    `not published in this lake yet: ${missing.join(', ')}. Run the whole pipeline first, or the jobs that make them too`,
  );
}
