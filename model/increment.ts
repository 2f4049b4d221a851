import { type Column, refinedType } from './column';
import type { Job } from './job';
import type { DayPartition, DerivedTable, Table } from './table';

/** A value of a row: of a column, or the day of its instant in UTC. */
export type RowKey = string | DayPartition;

/** By what else than a value of its own a row says what it stands for. */
export interface Through {
  /** A value of the row, or of a row of the other input. */
  readonly key: RowKey;
  /**
   * Name of another input of the job: `{ of: 'customers_curated', on: { user: 'email' }, key: 'serialNumber' }` is the serial
   * numbers of the customers whose e-mail is the row's user. Default: the row itself.
   */
  readonly of?: string;
  /** Columns of the changed input by those of the other. */
  readonly on?: Readonly<Record<string, string>>;
  /**
   * All that the job reads of the input, where that is less than its rows: a query whose columns have their names. A change of
   * rows that it does not show touches nothing.
   */
  readonly sees?: string;
}

/**
 * Which part of a job's output a change of its inputs touches: the rows that share a value of a column with a changed row.
 * What the output has for a value is made of nothing but the rows of inputs that stand for the same value.
 */
export interface Increment {
  /** Column of the output. What a job hides is compared as it is in the clear. */
  readonly key: string;
  /** What a row of an input stands for, by the input. One that is not named makes no row: expectations alone read it. */
  readonly by: Readonly<Record<string, RowKey | Through>>;
  /** Values of parameters for which this holds. Default: all. */
  readonly when?: Readonly<Record<string, string>>;
  /** Of a job that asks for the time: the instants of an input at which a row changes what the job makes of it. */
  readonly due?: Readonly<Record<string, string>>;
}

type KeyOf<T extends Table> = (keyof T['columns'] & string) | DayPartition<keyof T['columns'] & string>;
type ThroughOf<T extends Table, Inputs extends readonly Table[]> =
  | { readonly key: KeyOf<T>; readonly sees: string }
  | {
      [O in Inputs[number] as O['name']]: {
        readonly of: O['name'];
        readonly on: Partial<Record<keyof T['columns'] & string, keyof O['columns'] & string>>;
        readonly key: KeyOf<O>;
        readonly sees?: string;
      };
    }[Inputs[number]['name']];

/** {@link Increment}, by the names that the job's tables have. */
export interface IncrementOf<Output extends DerivedTable, Inputs extends readonly Table[]> {
  readonly key: keyof Output['columns'] & string;
  readonly by: { readonly [T in Inputs[number] as T['name']]?: KeyOf<T> | ThroughOf<T, Inputs> };
  readonly when?: Readonly<Record<string, string>>;
  readonly due?: { readonly [T in Inputs[number] as T['name']]?: keyof T['columns'] & string };
}

/** What a row stands for, in the one form that has all others. */
export const throughOf = (touch: RowKey | Through): Through =>
  typeof touch === 'object' && 'key' in touch ? touch : { key: touch };

/** A row's value as SQL. `t` stands for the row. */
export const keySql = (t: string, key: RowKey): string =>
  typeof key === 'string' ? `${t}.${key}` : `CAST(${t}.${key.column} AS DATE)`;

/** The values by which rows of a table are looked for, where its job or one that reads it is made in part. */
export function soughtIn(table: Table, jobs: readonly Job[]): readonly RowKey[] {
  const keys = jobs.flatMap(({ output, increments: [first] }): RowKey[] => {
    const touch = first?.by[table.name];
    const own = first && output.name === table.name ? [first.key] : [];
    return touch === undefined ? own : [...own, ...soughtBy(throughOf(touch))];
  });
  const isExact = (key: RowKey) => typeof key !== 'string' || EXACT.has(table.columns[key]?.type ?? '');
  return [...new Map(keys.filter(isExact).map((key) => [keySql('t', key), key])).values()];
}

/** Values of them are equal where their texts are. */
const EXACT = new Set<string>([
  'text',
  'pseudonym',
  'int',
  'boolean',
  'date',
  'isoDate',
  'timestamp',
  'epochMillis',
  'isoInstant',
]);

/** What rows of an input are looked for by; nothing where that is several values. */
export const soughtBy = ({ of, on = {}, key }: Through): readonly RowKey[] =>
  of === undefined ? [key] : Object.keys(on).length === 1 ? Object.keys(on) : [];

/** Of a job that asks for the time only by what comes due, or not at all, with these values. */
export const incrementsOf = (
  { increments }: Job,
  values: Readonly<Record<string, string>>,
): readonly Increment[] =>
  increments.filter(({ when = {} }) => Object.entries(when).every(([name, value]) => values[name] === value));

/** Whether the rows of single days can be made again by it. */
export const isByDay = ({ output }: Job, { key }: Increment): boolean =>
  ['date', 'timestamp'].includes(output.columns[key]?.type ?? '');

/** When the same inputs give other rows, while parameters have these values. */
export interface Due {
  readonly when: Readonly<Record<string, string>>;
  /** Gives a row of one text, `due`: the first such instant after the run's own time, NULL where there is none. */
  readonly next: string;
}

/** Of a job that asks for the time: see {@link Due}. None: it may always give other rows. */
export const dueOf = ({ increments }: Job): Due[] =>
  increments.flatMap(({ when = {}, due = {} }) => {
    const instants = Object.entries(due).map(
      ([name, at]) =>
        `SELECT MIN(d.${at}) AS due FROM ${name} d WHERE d.${at} > CAST(:run_time AS TIMESTAMP)`,
    );
    return instants.length === 0
      ? []
      : [{ when, next: `SELECT CAST(MIN(due) AS STRING) AS due FROM (${instants.join(' UNION ALL ')})` }];
  });

/** What of a job's increments does not fit its tables and parameters, by place. */
export function incrementFaults(job: Job, asksTime: boolean, fault: (path: string, message: string) => void) {
  for (const [i, { key, by, when = {}, due = {} }] of job.increments.entries()) {
    const own = (place: string, message: string) =>
      fault(`jobs.${job.name}.increments[${i}]${place}`, message);
    const typeOf = (table: Table | undefined, name: string, place: string) => {
      const column = table && Object.hasOwn(table.columns, name) ? table.columns[name] : undefined;
      if (table && !column) own(place, `${table.name} has no column "${name}"`);
      return column && clearType(column);
    };
    const keyType = (table: Table | undefined, of: RowKey, place: string) => {
      if (typeof of === 'string') return typeOf(table, of, place);
      const type = typeOf(table, of.column, place);
      if (type && type !== 'timestamp') own(place, `day() needs a timestamp; ${of.column} is ${type}`);
      return type && 'date';
    };
    const inputOf = (name: string, place: string) => {
      const found = job.inputs.find((input) => input.name === name);
      if (!found) own(place, `${name} is no input of the job`);
      return found;
    };
    const type = typeOf(job.output, key, '.key');
    if (Object.keys(by).length === 0)
      own('.by', 'names no input; leave the increment out, or say what a row stands for');
    for (const [name, touch] of Object.entries(by)) {
      const place = `.by.${name}`;
      const input = inputOf(name, place);
      const { of, on, key: stands } = throughOf(touch);
      const other = of === undefined ? input : inputOf(of, place);
      const found = keyType(other, stands, place);
      if (type && found && type !== found)
        own(place, `is ${found}, and ${key} is ${type}; they cannot be equal`);
      if (of === undefined) continue;
      // Else a change of it would say nothing of what its rows stood for.
      if (by[of] === undefined) own(place, `goes through ${of}, which by does not name`);
      if (Object.keys(on ?? {}).length === 0) own(`${place}.on`, 'pairs no columns');
      for (const [from, to] of Object.entries(on ?? {})) {
        const [one, two] = [typeOf(input, from, `${place}.on`), typeOf(other, to, `${place}.on`)];
        if (one && two && one !== two)
          own(`${place}.on`, `${from} is ${one}, and ${to} is ${two}; they cannot be equal`);
      }
    }
    for (const [name, value] of Object.entries(when)) {
      const parameter = job.parameters.find((p) => p.name === name);
      if (!parameter?.values.includes(value))
        own(`.when.${name}`, `${value} is no value that ${job.name} may be given for ${name}`);
    }
    for (const [name, column] of Object.entries(due)) {
      if (by[name] === undefined)
        own(`.due.${name}`, 'says when a row comes due, and not what it stands for; name it in by');
      const found = typeOf(inputOf(name, `.due.${name}`), column, `.due.${name}`);
      if (found && found !== 'timestamp')
        own(`.due.${name}`, `${column} is ${found}; only an instant comes due`);
    }
    if (asksTime && Object.keys(due).length === 0)
      own('.due', 'the job asks for the time; name the instants at which that changes what it gives');
    if (job.output.expectations.some(({ severity }) => severity === 'quarantine'))
      own('', `expectations of ${job.name} move rows out; such a table is made whole`);
  }
}

const clearType = ({ type }: Column) => (type === 'pseudonym' ? 'text' : refinedType(type));
