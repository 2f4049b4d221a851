// What a check said of a table is brought up to date by the rows that have come and gone, instead of being asked of all of them.
import type { DuckDBConnection } from '@duckdb/node-api';
import { type Check, type Column, type Expectation, type RowKey, refinedType, type Table } from '../../model';
import { makeTemporary, parquetIn, rowsOf } from '../database';
import { type Found, samplesOf } from '../findings';
import { quoteName } from '../sql';
import { rowsWith } from './keys';
import { textsOf } from './query';
import { seenAs } from './tables';

/** What of a table is not as it was when a run began. */
export type Change =
  | { readonly is: 'same' }
  /** Other rows: so many are no more, and so many have come. See {@link changesOf}. */
  | { readonly is: 'some'; readonly gone: number; readonly come: number }
  /** Another table: which rows it shares with the one before is not known. */
  | { readonly is: 'other' };

/** The rows, as jobs see them, that a table had and has no more; there are some by its {@link Change}. */
export const goneOf = (table: string): string => quoteName(`_gone_${table}`);
/** Those that it has now and had not. */
export const comeOf = (table: string): string => quoteName(`_come_${table}`);
/** Both. */
export const changesOf = (table: string): string => quoteName(`_changes_${table}`);

/** What SQL reads by the names of tables instead of them: a query each. */
export type Rows = Readonly<Record<string, string>>;

/** A query that reads these rows. */
export function reading(rows: Rows, query: string): string {
  const named = Object.entries(rows).map(([name, of]) => `${quoteName(name)} AS NOT MATERIALIZED (${of}\n)`);
  return named.length === 0 ? query : `WITH ${named.join(', ')} ${query}`;
}

export const semi = (
  table: string,
  on: Readonly<Record<string, string>>,
  kind: 'SEMI' | 'ANTI' = 'SEMI',
): string =>
  `${kind} JOIN ${table} k ON ${Object.entries(on)
    .map(([column, value]) => `k.${column} IS NOT DISTINCT FROM ${value}`)
    .join(' AND ')}`;

/** What a check counted. */
export interface Counted {
  readonly failed: number;
  readonly affected: number | null;
}

/** What a check says of a table. */
export interface Said extends Counted {
  readonly samples: Found['samples'];
}

/** Nothing. */
export const PASSED: Said = { failed: 0, affected: null, samples: [] };

/** A check, and what it said before. */
export interface Before {
  readonly check: Check;
  readonly expectation: Expectation;
  readonly before: Counted;
}

/** The rows to ask a check of before and now: of all others it says the same. Left out where there are none. */
export interface Sides {
  readonly was?: Rows | undefined;
  readonly now?: Rows | undefined;
}

/**
 * What checks say by what they said before. Bad rows that have come are shown, and not those that were told before. Leaves out
 * what cannot be known so.
 */
export async function saidNow(
  db: DuckDBConnection,
  asked: readonly (Before & Sides)[],
): Promise<Map<string, Said>> {
  const counts = asked.flatMap(({ check, before, was, now }, i) => {
    const count = (side: keyof Sides, rows: Rows) =>
      `SELECT ${i} AS i, '${side}' AS side, failed, affected FROM (${reading(rows, check.count)})`;
    return [...(was && before.failed > 0 ? [count('was', was)] : []), ...(now ? [count('now', now)] : [])];
  });
  const said = new Map<string, Said>();
  const found =
    counts.length === 0
      ? []
      : await rowsOf<Counted & { i: number; side: string }>(db, counts.join(' UNION ALL ')).catch(
          () => undefined,
        );
  // Asked of the whole table, each says why it cannot be.
  if (!found) return said;
  for (const [i, { check, expectation, before, now }] of asked.entries()) {
    const [was, is] = ['was', 'now'].map(
      (side) => found.find((one) => one.i === i && one.side === side) ?? { failed: 0, affected: 0 },
    ) as [Counted, Counted];
    // Of others than the table's own rows, such as with DISTINCT, some may be counted already.
    const isOwn = was.affected !== null && is.affected !== null;
    if (expectation.per === 'row' && !isOwn && before.failed > 0) continue;
    const failed = before.failed - was.failed + is.failed;
    const affected =
      before.affected === null && is.affected === null
        ? null
        : (before.affected ?? 0) - (was.affected ?? 0) + (is.affected ?? 0);
    const samples = is.failed > 0 && now ? await samplesIn(check, now) : [];
    if (samples) said.set(check.name, { failed, affected, samples });
  }
  return said;

  async function samplesIn({ shown, samples }: Check, rows: Rows) {
    const texts = await textsOf(db, reading(rows, samples)).catch(() => undefined);
    return texts && samplesOf(shown, texts);
  }
}

/** A table when a run began and now. */
export interface Versions {
  readonly table: Table;
  readonly change: Change;
  /** Folders of its rows. */
  readonly was: string;
  readonly now: string;
}

/** The sides of a check that can be told by what a table and its counterparts have of other rows; else nothing. */
export async function sidesOf(
  db: DuckDBConnection,
  { expectation, before }: Before,
  own: Versions,
  versionsOf: (table: string) => Versions | undefined,
  sought: readonly RowKey[],
): Promise<Sides | undefined> {
  const { per, reads, counterparts } = expectation;
  const { table, change } = own;
  if (change.is === 'other' || per === undefined) return undefined;
  if (per !== 'row') return reads.length > 0 ? undefined : keyedSides(db, per, own, sought, before);
  const has = (rows: string, some: number) => (some > 0 ? `FROM ${rows}` : undefined);
  const come = change.is === 'some' ? has(comeOf(table.name), change.come) : undefined;
  const gone = change.is === 'some' ? has(goneOf(table.name), change.gone) : undefined;
  if (reads.length === 0) {
    const side = (rows: string | undefined) => (rows === undefined ? undefined : { [table.name]: rows });
    return { was: side(gone), now: side(come) };
  }
  const other = counterparts && versionsOf(counterparts.table);
  if (!other || other.change.is === 'other' || other.table === table || reads.length > 1) return undefined;
  const pairs = Object.entries(counterparts.columns);
  const [from, to] = pairs[0] as [string, string];
  // SQL finds equal what is of other types, of which the texts are not.
  const typeOf = (column?: Column) => column && refinedType(column.type);
  const isListed = typeOf(table.columns[from]) === typeOf(other.table.columns[to]);
  const holding = async ({ table: of, ...dirs }: Versions, side: keyof Sides, key: string, values: string) =>
    `SELECT ${seenAs(of)} FROM ${isListed ? await rowsWith(db, dirs[side], key, values) : parquetIn(dirs[side])}`;
  const flips = await flipsOf();
  const on = pairs.map(([name]) => `f.${name} = t.${name}`).join(' AND ');
  const side = async (kind: keyof Sides, moved: string | undefined): Promise<Rows | undefined> => {
    const stayed =
      flips &&
      `SELECT t.* FROM (${await holding(own, kind, from, `SELECT f.${from} AS key FROM ${flips} f`)}) t SEMI JOIN ${flips} f ON ${on}`;
    const others = flips && moved ? `SELECT t.* FROM (${moved}) t ANTI JOIN ${flips} f ON ${on}` : moved;
    const rows = [stayed, others].filter((one) => one !== undefined).join(' UNION ALL ');
    if (rows === '') return undefined;
    const values = `SELECT r.${from} AS key FROM (${rows}) r`;
    return { [table.name]: rows, [other.table.name]: await holding(other, kind, to, values) };
  };
  return { was: before.failed > 0 ? await side('was', gone) : undefined, now: await side('now', come) };

  /** The values of which the first counterpart has come, or the last is gone: rows that stayed are bad now, or were. */
  async function flipsOf(): Promise<string | undefined> {
    const { change: moved, table: of } = other as Versions;
    if (moved.is !== 'some' || (moved.gone === 0 && before.failed === 0)) return undefined;
    const values = `SELECT DISTINCT ${pairs.map(([own, one]) => `c.${one} AS ${own}`).join(', ')} FROM ${changesOf(of.name)} c`;
    const without = async (kind: keyof Sides) =>
      `SELECT v.* FROM (${values}) v ANTI JOIN (${await holding(other as Versions, kind, to, `SELECT v.${from} AS key FROM (${values}) v`)}) o ON ${pairs.map(([own, one]) => `o.${one} = v.${own}`).join(' AND ')}`;
    const found = [
      ...(moved.come > 0 && before.failed > 0 ? [await without('was')] : []),
      ...(moved.gone > 0 ? [await without('now')] : []),
    ];
    const as = quoteName(`_flips_${table.name}_${expectation.name}`);
    const rows = await makeTemporary(db, as, found.join(' UNION ALL '));
    return rows === 0 ? undefined : as;
  }
}

/** Of a check that is decided by rows which share values: all that share those of a row that has come or gone. */
async function keyedSides(
  db: DuckDBConnection,
  per: readonly string[],
  { table, change, ...dirs }: Versions,
  sought: readonly RowKey[],
  before: Counted,
): Promise<Sides> {
  if (change.is !== 'some') return {};
  const values = `(SELECT DISTINCT ${per.map((name) => `c.${name}`).join(', ')} FROM ${changesOf(table.name)} c)`;
  const key = per.find((name) => sought.includes(name)) ?? (per[0] as string);
  const side = async (kind: keyof Sides): Promise<Rows> => {
    const rows = await rowsWith(db, dirs[kind], key, `SELECT v.${key} AS key FROM ${values} v`);
    const same = Object.fromEntries(per.map((name) => [name, `t.${name}`]));
    return { [table.name]: `SELECT t.* FROM (SELECT ${seenAs(table)} FROM ${rows}) t ${semi(values, same)}` };
  };
  return { was: before.failed > 0 ? await side('was') : undefined, now: await side('now') };
}
