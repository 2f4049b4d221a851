import { createHash, createHmac } from 'node:crypto';
import { expectationsOf, hasPseudonyms, type Job, runTime } from '../../model';
import { withoutDescriptions } from '../landing/batches';
import type { Store, Version } from '../store';
import { codeVersion } from '../version';
import { seenAs } from './tables';

/** SHA-256 by which it is known whether a table is still made by the same SQL. */
export const hashOfSql = (text: string): string => createHash('sha256').update(text).digest('hex');

/** SHA-256 of all but the SQL that says how rows are made: contracts, and what pseudonyms are made with. */
export async function howMade({ output, inputs, drivenBy, increments }: Job, store: Store): Promise<string> {
  const key = hasPseudonyms(output) ? createHmac('sha256', await store.pseudonymKey()).digest('hex') : '';
  const asked = expectationsOf(output).map(({ sql }) => sql(output.name));
  const all = [codeVersion(), output, inputs, drivenBy, increments, asked, inputs.map(seenAs), key];
  return hashOfSql(withoutDescriptions(all));
}

/** What a job would be made of and by now. */
export interface Now {
  readonly sql: string;
  readonly how: string;
  readonly values: Readonly<Record<string, string>>;
  /** The runs that made the rows of its inputs; nothing of one that is made in this run, and is another then. */
  readonly rowsOf: ReadonlyMap<string, string>;
}

/** Why a job has to run again. */
export interface Causes {
  /** In words: for these its table is made whole. */
  readonly whole: readonly string[];
  /** Inputs that have other rows than those that it was made of. */
  readonly inputs: readonly string[];
  /** What is dated comes due by itself. */
  readonly asksTime: boolean;
}

export function causesOf(job: Job, before: Version | undefined, now: Now | undefined): Causes {
  if (!before || !now) return { whole: ['was never made'], inputs: [], asksTime: false };
  const { sql, how, values, rowsOf } = now;
  const { of, parameters } = before;
  const other = job.parameters.filter((p) => p !== runTime && values[p.name] !== parameters?.[p.name]);
  const inputs = job.inputs.filter(({ name }) => of?.[name] !== rowsOf.get(name)).map(({ name }) => name);
  const whole = [
    ...(of === undefined ? ['it is not known what it was made of'] : []),
    ...(sql === before.sql ? [] : ['its code has changed']),
    ...(how === before.how ? [] : ['a contract has changed']),
    ...other.map(({ name }) => `${name} is ${values[name]}, and was ${parameters?.[name] ?? 'not set'}`),
  ];
  return { whole, inputs: of === undefined ? [] : inputs, asksTime: job.parameters.includes(runTime) };
}

export const isCaused = ({ whole, inputs, asksTime }: Causes): boolean =>
  whole.length + inputs.length > 0 || asksTime;

export const toldCauses = ({ whole, inputs, asksTime }: Causes): string[] => [
  ...whole,
  ...inputs.map((name) => `${name} has changed`),
  ...(asksTime ? ['it asks for the time'] : []),
];
