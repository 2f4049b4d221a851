import { createHmac } from 'node:crypto';
import { FORMATS } from '../model/format';
import { readStored } from './stored';

/**
 * What an entry is a hash of: a name of a person or a device, a value that only points to the person, or a device that others
 * have too, by itself and with each instant at which the person was measured.
 */
export const KINDS = ['person', 'device', 'hint', 'moment'] as const;
export type Kind = (typeof KINDS)[number];

/** The text by which values are compared, as `normalisedSql` of the model has it. */
export const normalised = (value: string): string =>
  Array.from(value.replace(/^[\s\x85]+/, '').replace(/(?<![\s\x85])[\s\x85]+$/, ''), (character) =>
    // The only letter of which a small one would be two characters.
    character === 'İ' ? 'i' : character.toLowerCase(),
  )
    .join('')
    .normalize('NFC');

/**
 * The keyed hash that stands for a value in the list: hex HMAC-SHA-256. The kind before the value keeps it apart from
 * the value's pseudonym, which names the person as the value does.
 */
export const hashOf = (key: Buffer, kind: Kind, value: string): string =>
  createHmac('sha256', key)
    .update(`${kind}:${normalised(value).toWellFormed()}`)
    .digest('hex');

export interface Entry {
  readonly kind: Kind;
  readonly hash: string;
  /** ISO 8601, in UTC. */
  readonly since: string;
}

/** The entries of a list's file; none where there is no file. Throws a LakeError where it is damaged. */
export async function readList(file: string): Promise<readonly Entry[]> {
  const list = await readStored<{ readonly version: number; readonly entries: readonly Entry[] }>(
    file,
    [1, FORMATS.suppression],
    'is damaged, and says who was forgotten; restore it: without it they would come back',
    ({ version, entries }) => version <= FORMATS.suppression && entries.every(isEntry),
  );
  return list?.entries ?? [];
}

// Not by zod, which would cost every command a tenth of a second.
const isEntry = ({ kind, hash, since }: Entry) =>
  KINDS.includes(kind) && /^[0-9a-f]{64}$/.test(hash) && !Number.isNaN(Date.parse(since));

/** Who was forgotten, as keyed hashes. */
export class Suppression {
  constructor(
    readonly key: Buffer,
    readonly entries: readonly Entry[] = [],
  ) {}

  get isEmpty(): boolean {
    return this.entries.length === 0;
  }

  /** The list as its file holds it. */
  text(): string {
    return JSON.stringify({ version: FORMATS.suppression, entries: this.entries }, null, 2);
  }

  /** Since when a value is in the list. */
  since(kind: Kind, value: string): string | undefined {
    const hash = hashOf(this.key, kind, value);
    return this.entries.find((entry) => entry.kind === kind && entry.hash === hash)?.since;
  }

  /** The list with these hashes too; those that it has keep the day since when. */
  plus(hashes: Iterable<Pick<Entry, 'kind' | 'hash'>>, since: string): Suppression {
    const known = new Set(this.entries.map(({ kind, hash }) => `${kind}:${hash}`));
    const added = [...hashes].filter(({ kind, hash }) => !known.has(`${kind}:${hash}`));
    return new Suppression(this.key, [
      ...this.entries,
      ...added.map(({ kind, hash }) => ({ kind, hash, since })),
    ]);
  }

  /** The list with these values too. */
  with(values: Readonly<Partial<Record<Kind, readonly string[]>>>, since: string): Suppression {
    const hashes = KINDS.flatMap((kind) =>
      [...new Set((values[kind] ?? []).map((value) => hashOf(this.key, kind, value)))].map((hash) => ({
        kind,
        hash,
      })),
    );
    return this.plus(hashes, since);
  }
}
