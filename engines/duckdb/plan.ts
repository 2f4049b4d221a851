import { incrementsOf, type Pipeline, runTime } from '../../model';
import { withDatabase } from '../database';
import type { RunRequest, TablePlan } from '../engine';
import { readCode } from '../job-code';
import { type Delivery, deliveriesOf, isIdle } from '../landing/batches';
import { filesOf } from '../landing/files';
import { planOf } from '../plan';
import type { Store } from '../store';
import { counted } from '../words';
import { causesOf, hashOfSql, howMade, toldCauses } from './causes';
import { dueIn } from './increment';
import { keptRows, readableVersion } from './landing';

/** What a run of everything would do with a lake: nothing is made or changed. Throws as a run does. */
export async function planLake(
  store: Store,
  jobs: string,
  pipeline: Pipeline,
  request: RunRequest & { readonly data: string },
): Promise<TablePlan[]> {
  const plan = planOf(pipeline, request);
  const { files } = await filesOf(request.data, plan.sources);
  const pointer = await store.pointer();
  const forgotten = await store.suppression();
  const rowsOf = new Map(Object.entries(pointer.tables).map(([name, { runId }]) => [name, runId]));
  const maybe = new Set<string>();
  const made: TablePlan[] = [];
  return withDatabase(async (db) => {
    const deliveries = await deliveriesOf(
      plan.sources,
      request.data,
      files,
      forgotten,
      (source) => keptRows(db, store, pointer, source),
      request.full === true,
    );
    for (const source of plan.sources) {
      const delivery = deliveries.get(source.name) as Delivery;
      const { fresh, changed, gone, without, whole } = delivery;
      const why = request.full
        ? ['--full']
        : whole === 'first'
          ? [pointer.tables[source.name] ? 'it is not known which files were read' : 'was never read']
          : whole === 'otherwise'
            ? ['its contract, or who was forgotten, has changed']
            : [
                ...told(fresh, 'new'),
                ...told(changed, 'changed'),
                ...told(gone, 'gone'),
                ...(fresh + changed + gone === 0 ? ['who was forgotten may be in its files'] : []),
              ];
      const keeps = request.full !== true && isIdle(delivery);
      if (!keeps) maybe.add(source.name);
      made.push({
        table: source.name,
        does: keeps ? 'keep' : 'make',
        why: [...(keeps ? [] : why), ...told(without, 'gone, with rows that stay')],
      });
    }
    for (const job of plan.jobs) {
      const before = await readableVersion(db, store, pointer, job.name);
      // What was never made is made whatever the code says; nothing is read of it, and no key is made.
      const now = before && {
        sql: hashOfSql(await readCode(jobs, job)),
        how: await howMade(job, store),
        values: plan.values,
        rowsOf,
      };
      const causes = causesOf(job, before, now);
      const mayDiffer = job.inputs.filter(({ name }) => maybe.has(name)).map(({ name }) => name);
      const [increment] = incrementsOf(job, plan.values);
      const due =
        increment && before && causes.whole.length === 0 && causes.asksTime
          ? await dueIn(db, store, pointer, increment, job, [before.runTime, plan.values[runTime.name]])
          : undefined;
      const isDue = due === undefined ? causes.asksTime : due > 0;
      const why = request.full
        ? ['--full']
        : toldCauses({ ...causes, asksTime: causes.asksTime && due === undefined }).concat(
            due ? [`${counted(due, `${increment?.key} comes`, `${increment?.key}s come`)} due`] : [],
          );
      const isWhole =
        request.full || causes.whole.length + causes.inputs.length > 0 || (isDue && due === undefined);
      const does = isWhole ? 'make' : isDue ? 'part' : mayDiffer.length > 0 ? 'maybe' : 'keep';
      if (does !== 'keep') maybe.add(job.name);
      const inPart = increment && !isWhole ? `, in part by ${increment.key}` : '';
      made.push({
        table: job.name,
        does,
        why: [...why, ...(isWhole ? [] : mayDiffer.map((name) => `if ${name} has other rows${inPart}`))],
      });
    }
    return made;
  });
}

const told = (n: number, what: string) => (n > 0 ? [`${counted(n, 'file is', 'files are')} ${what}`] : []);
