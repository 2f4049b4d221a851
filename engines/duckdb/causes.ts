import { createHash, createHmac } from 'node:crypto';
import { hasPseudonyms, type Job, runTime } from '../../model';
import { withoutDescriptions } from '../landing/batches';
import type { Store, Version } from '../store';
import { codeVersion } from '../version';
import { seenAs } from './tables';

/** SHA-256 by which it is known whether a table is still made by the same SQL. */
export const hashOfSql = (text: string): string => createHash('sha256').update(text).digest('hex');

/** SHA-256 of all but the SQL that says how rows are made: contracts, and what pseudonyms are made with. */
export async function howMade({ output, inputs, drivenBy }: Job, store: Store): Promise<string> {
  const key = hasPseudonyms(output) ? createHmac('sha256', await store.pseudonymKey()).digest('hex') : '';
  const text = withoutDescriptions([codeVersion(), output, inputs, drivenBy, inputs.map(seenAs), key]);
  return createHash('sha256').update(text).digest('hex');
}

/** What a job would be made of and by now. */
export interface Now {
  readonly sql: string;
  readonly how: string;
  readonly values: Readonly<Record<string, string>>;
  /** The runs that made the rows of its inputs; nothing of one that is made in this run, and is another then. */
  readonly rowsOf: ReadonlyMap<string, string>;
}

/** Why a job has to run again, in words; nothing where it would give the rows that it gave. */
export function causesOf(job: Job, before: Version | undefined, now: Now | undefined): string[] {
  if (!before || !now) return ['was never made'];
  const { sql, how, values, rowsOf } = now;
  const other = job.parameters.filter((p) => p !== runTime && values[p.name] !== before.parameters?.[p.name]);
  const inputs = job.inputs.filter(({ name }) => before.of?.[name] !== rowsOf.get(name));
  return [
    ...(before.of === undefined ? ['it is not known what it was made of'] : []),
    ...(sql === before.sql ? [] : ['its code has changed']),
    ...(how === before.how ? [] : ['a contract has changed']),
    ...other.map(
      ({ name }) => `${name} is ${values[name]}, and was ${before.parameters?.[name] ?? 'not set'}`,
    ),
    ...(before.of === undefined ? [] : inputs.map(({ name }) => `${name} has changed`)),
    // What is dated comes due by itself.
    ...(job.parameters.includes(runTime) ? ['it asks for the time'] : []),
  ];
}
