import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { version as duckdb } from '@duckdb/node-api';
import { readingOf, type SourceTable } from '../../model';
import { FORMATS } from '../../model/format';
import { LakeError } from '../engine';
import type { Suppression } from '../suppression';
import { codeVersion } from '../version';
import { stateOf } from './bytes';
import { landingDir } from './files';
import { batchesOf, type Landed } from './reader';

/** How far the clock of a file system may be behind: a file may change within that and say the same of itself. */
const CLOCK_MS = 20;

/** Files that were read together, and what became of their records. */
export interface Batch {
  /** Begins the names of its Parquet in the table's folder. */
  readonly id: string;
  /** The state of each file, by its name in the landing folder; empty where another look is needed. */
  readonly files: Readonly<Record<string, string>>;
  readonly landed: Landed;
}

/** How the rows of a source came to be, kept beside them. */
interface Kept {
  readonly version: number;
  /** Another one says that the files would be read otherwise. */
  readonly how: string;
  /** Another one says that their rows no longer fit the contract. */
  readonly fits?: string;
  readonly batches: readonly Batch[];
}

/** What a run has to read of a source. */
export interface Delivery {
  /** How its files are read, as it is kept beside the rows. */
  readonly how: string;
  readonly fits: string;
  /** Folder of the rows whose batches are kept. */
  readonly before?: string;
  /** Batches whose files are all as they were, or are kept without them. */
  readonly kept: readonly Batch[];
  /** Those of them that hold rows of files that are no more. */
  readonly archived: readonly Batch[];
  /** Files to read, of which `fresh` are new, and `changed` are not what they were. */
  readonly files: readonly string[];
  readonly fresh: number;
  readonly changed: number;
  /** Files that were read and are no more, whose rows go, and of whose batches the rows stay. */
  readonly gone: number;
  readonly without: number;
  /** Why all files are read; nothing where they are not. */
  readonly whole?: 'first' | 'otherwise';
}

/**
 * A delivery beside which another source has new files: files with records of people who were forgotten are read again,
 * as only they say which devices those people had. Of rows that are kept nothing is theirs.
 */
function besideOthers(delivery: Delivery, landing: string): Delivery {
  const again = delivery.kept.filter(
    (batch) => batch.landed.filtered > 0 && !delivery.archived.includes(batch),
  );
  const names = again.flatMap(({ files }) => Object.keys(files));
  return {
    ...delivery,
    kept: delivery.kept.filter((batch) => !again.includes(batch)),
    files: [...delivery.files, ...names.map((name) => join(landing, name))],
  };
}

/** Whether a file in the folder of a table's rows is of one of these batches. */
export const isOf = (batches: readonly Batch[], name: string): boolean =>
  batches.some(({ id }) => name.startsWith(`${id}-`));

export const isIdle = ({ files, gone, whole }: Delivery) =>
  files.length === 0 && gone === 0 && whole === undefined;

/** What tells by which rules files are read, and without whom. */
const howRead = (table: SourceTable, { entries }: Suppression): string =>
  createHash('sha256')
    .update(
      JSON.stringify([
        ...[codeVersion(), duckdb(), readingOf(table), entries, withoutDescriptions(table)],
        table.expectations.map(({ sql }) => sql(table.name)),
      ]),
    )
    .digest('hex');

/** What tells whether rows that were read before are still rows of the contract. */
const fitsOf = ({ columns }: SourceTable): string =>
  createHash('sha256')
    .update(
      JSON.stringify(columns, (key, one) => (key === 'description' || key === 'aliases' ? undefined : one)),
    )
    .digest('hex');

/** Another description makes no other row. */
export const withoutDescriptions = (value: unknown): string =>
  JSON.stringify(value, (key, one) => (key === 'description' ? undefined : one));

const fileIn = (dir: string) => join(dir, 'landed.json');

export async function keepBatches(
  dir: string,
  rules: Pick<Kept, 'how' | 'fits'>,
  batches: readonly Batch[],
): Promise<void> {
  const kept: Kept = { version: FORMATS.landed, ...rules, batches };
  await writeFile(fileIn(dir), JSON.stringify(kept));
}

/** The batches in a table's folder; nothing where that does not say, as of older lakes or after somebody was forgotten. */
export async function batchesIn(dir: string, { name, onMissing }: SourceTable): Promise<Kept | undefined> {
  try {
    const kept: Kept = JSON.parse(await readFile(fileIn(dir), 'utf8'));
    if (kept.version === FORMATS.landed) return kept;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
  }
  // Else all files are read.
  if (onMissing === 'keep') throw lostRows(name, `${fileIn(dir)} is damaged, or of another version`);
  return undefined;
}

/** Where it cannot be told which rows are of files that are gone. */
export const lostRows = (source: string, why: string) =>
  new LakeError(
    `${source}: it keeps the rows of files that are gone, and ${why}. Restore it; or put those files back, and run once with onMissing: 'remove'`,
  );

/** Holds the files of a source to those that its rows were read from. `before`: the folder of these rows. */
async function deliveryOf(
  source: SourceTable,
  files: readonly string[],
  landing: string,
  forgotten: Suppression,
  before: string | undefined,
  isFull: boolean,
): Promise<Delivery> {
  const [how, fits] = [howRead(source, forgotten), fitsOf(source)];
  const was = before === undefined ? undefined : await batchesIn(before, source);
  if (before !== undefined && !was && source.onMissing === 'keep')
    throw lostRows(source.name, `${fileIn(before)} is missing`);
  const now = new Map(files.map((path) => [relative(landing, path), path]));
  const isSame = ([name, state]: readonly [string, string]) => {
    const path = now.get(name);
    return path !== undefined && state !== '' && state === stateOf(path);
  };
  const goneOf = (batches: readonly Batch[] = []) =>
    batches.flatMap((batch) => Object.keys(batch.files)).filter((name) => !now.has(name));
  const archived =
    source.onMissing === 'keep' ? (was?.batches ?? []).filter((b) => goneOf([b]).length > 0) : [];
  const all = (was?.batches ?? []).flatMap((batch) => Object.entries(batch.files));
  const names = new Set(all.map(([name]) => name));
  const fresh = [...now].filter(([name]) => !names.has(name));
  if (archived.length > 0) {
    requireKept(source, archived, now, was?.fits === fits);
    requireOthers(
      source,
      all.filter(([name]) => !now.has(name)),
      fresh,
    );
  }
  if (files.length + archived.length === 0) throw new LakeError(`${source.name}: no file in ${landing}`);
  const isNew = isFull || was?.how !== how;
  const kept = isNew
    ? archived
    : was.batches.filter((one) => archived.includes(one) || Object.entries(one.files).every(isSame));
  const known = new Set(kept.flatMap((batch) => Object.keys(batch.files)));
  const rest = { how, fits, kept, archived, without: goneOf(archived).length };
  const unread = files.filter((path) => !known.has(relative(landing, path)));
  if (isNew) {
    const whole = was === undefined ? 'first' : 'otherwise';
    const beside = archived.length > 0 && before !== undefined && { before };
    return { ...rest, ...beside, files: unread, fresh: unread.length, changed: 0, gone: 0, whole };
  }
  return {
    ...rest,
    ...(before !== undefined && { before }),
    files: unread,
    fresh: fresh.length,
    changed: all.filter((one) => now.has(one[0]) && !isSame(one)).length,
    gone: goneOf(was.batches).length - rest.without,
  };
}

/** Throws a LakeError where rows of files that are gone can neither stay nor be read again. */
function requireKept(
  { name }: SourceTable,
  archived: readonly Batch[],
  now: ReadonlyMap<string, string>,
  fits: boolean,
) {
  const out = `put it back for one run, or run once with onMissing: 'remove', which takes its rows out`;
  for (const { files } of archived) {
    const gone = Object.keys(files).find((file) => !now.has(file));
    if (!fits)
      throw new LakeError(
        `${name}: ${gone} is gone, and its rows were read by other columns than the contract has now: ${out}`,
      );
    const changed = Object.entries(files).find(([file, state]) => {
      const path = now.get(file);
      return path !== undefined && contentOf(state) !== contentOf(stateOf(path));
    });
    if (changed)
      throw new LakeError(
        `${name}: ${changed[0]} has changed, and was read together with ${gone}, which is gone and whose rows are kept: ${out}`,
      );
  }
}

/** Size and time of a state: a file that was restored, or is on another machine, has these still. */
const contentOf = (state: string) => state.split(' ').slice(2, 4).join(' ');

/** By what a file is known under another name, moved or packed. */
const marksOf = (name: string, state: string) =>
  [name.replace(/\.gz$/, ''), state.split(' ', 4).join(' ')].filter((mark) => mark !== '');

/** Throws a LakeError where a file that is gone, and whose rows are kept, has come under another name. */
function requireOthers(
  { name }: SourceTable,
  gone: readonly (readonly [string, string])[],
  fresh: readonly (readonly [string, string])[],
) {
  const byMark = new Map(
    gone.flatMap(([file, state]) => marksOf(file, state).map((mark) => [mark, file] as const)),
  );
  for (const [file, path] of fresh)
    for (const was of marksOf(file, stateOf(path)).map((mark) => byMark.get(mark)))
      if (was !== undefined)
        throw new LakeError(
          `${name}: ${file} is ${was}, which was read and whose rows are kept, under another name: they would be there twice. Give it that name again, or take it out of the folder`,
        );
}

/**
 * What there is to read of each source. `before` gives the folder of its rows, where they may be kept. Nothing is read
 * again where nothing has come. `isFull`: all that is there is read.
 */
export async function deliveriesOf(
  sources: readonly SourceTable[],
  data: string,
  files: ReadonlyMap<string, readonly string[]>,
  forgotten: Suppression,
  before: (source: SourceTable) => Promise<string | undefined>,
  isFull: boolean,
): Promise<ReadonlyMap<string, Delivery>> {
  const found = new Map<string, Delivery>();
  for (const source of sources) {
    const all = files.get(source.name) ?? [];
    const landing = landingDir(data, source);
    found.set(source.name, await deliveryOf(source, all, landing, forgotten, await before(source), isFull));
  }
  if ([...found.values()].every(isIdle)) return found;
  for (const source of sources) {
    const delivery = found.get(source.name) as Delivery;
    found.set(source.name, besideOthers(delivery, landingDir(data, source)));
  }
  return found;
}

/** The states of files that are about to be read, by their names; waits for the clock where one has just come. */
export async function statesOf(files: readonly string[], landing: string): Promise<Record<string, string>> {
  const isSettled = (path: string) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat && Date.now() - Math.max(stat.mtimeMs, stat.ctimeMs) > CLOCK_MS;
  };
  if (!files.every(isSettled)) await setTimeout(CLOCK_MS + 1);
  return Object.fromEntries(
    files.map((path) => [relative(landing, path), isSettled(path) ? stateOf(path) : '']),
  );
}

/** Files in groups that are read together: of one that changes, those beside it are read again. */
export const groupsOf = (files: readonly string[]): string[][] =>
  batchesOf(files.map((path) => ({ path, bytes: statSync(path, { throwIfNoEntry: false })?.size ?? 0 }))).map(
    (group) => group.map(({ path }) => path),
  );

/** What became of the records of all batches. */
export function sumOf(batches: readonly Batch[]): Landed {
  const sum = (key: 'read' | 'accepted' | 'refused' | 'filtered' | 'bytes' | 'refusedBytes') =>
    batches.reduce((total, { landed }) => total + landed[key], 0);
  const reasons: Record<string, number> = {};
  for (const { landed } of batches)
    for (const [reason, n] of Object.entries(landed.reasons)) reasons[reason] = (reasons[reason] ?? 0) + n;
  return {
    read: sum('read'),
    accepted: sum('accepted'),
    refused: sum('refused'),
    filtered: sum('filtered'),
    bytes: sum('bytes'),
    refusedBytes: sum('refusedBytes'),
    reasons: Object.fromEntries(Object.entries(reasons).sort(([a], [b]) => (a < b ? -1 : 1))),
    first: batches.flatMap(({ landed }) => landed.first),
  };
}
