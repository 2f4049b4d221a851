import { CatalogDrift } from '../../engines/aws/catalog-drift';
import type { Stack } from '../../engines/aws/stack';
import { Summaries } from '../../engines/aws/summaries';
import type { TableState } from '../../engines/engine';
import type { Pipeline } from '../../model';
import { FORMATS } from '../../model/format';
import type { Holdings } from './catalogue';

/** Of a job, those before these are left out. */
const MOST_RUNS = 10;

/** What a stack holds, by the summaries that its jobs left and by its catalog. Each run is one of a single job. */
export async function stackHoldings(pipeline: Pipeline, stack: Stack): Promise<Holdings> {
  const summaries = new Summaries(stack);
  const [found, drift] = await Promise.all([
    Promise.all(pipeline.jobs.map(({ name }) => summaries.newest(name, MOST_RUNS))),
    new CatalogDrift(stack).of(pipeline),
  ]);
  const byTime = <T extends { readonly runId: string }>(all: readonly T[]) =>
    all.toSorted((a, b) => (a.runId < b.runId ? -1 : 1));
  const published = new Map<string, TableState>();
  // A source is as old as the oldest of the tables that were made of it.
  for (const { runId, tables } of byTime(
    found.flatMap((all) => all.findLast(({ outcome }) => outcome === 'published') ?? []),
  ))
    for (const { table, written: rows } of tables)
      if (!published.has(table)) published.set(table, { table, rows, runId });
  return {
    stack: `${stack.name} in ${stack.client.region}`,
    published: [...published.values()],
    runs: byTime(found.flat()).map(({ runId, outcome, codeVersion, parameters, seconds, tables }) => ({
      ...{ version: FORMATS.summary, runId, outcome, codeVersion, parameters, seconds, tables },
    })),
    drift,
  };
}
