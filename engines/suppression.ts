import { createHmac } from 'node:crypto';
import { FORMATS } from '../model/format';
import { readStored } from './stored';

/** What an entry is a hash of: a name of a person or a device, or a value that only points to the person. */
export const KINDS = ['person', 'device', 'hint'] as const;
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
    FORMATS.suppression,
    'is damaged, and says who was forgotten; restore it: without it they would come back',
    ({ version, entries }) => version === FORMATS.suppression && entries.every(isEntry),
  );
  return list?.entries ?? [];
}

// Not by zod, which would cost every command a tenth of a second.
const isEntry = ({ kind, hash, since }: Entry) =>
  KINDS.includes(kind) && /^[0-9a-f]{64}$/.test(hash) && !Number.isNaN(Date.parse(since));

/** Who was forgotten, as keyed hashes. */
export class Suppression {
  private readonly hashes: Readonly<Record<Kind, ReadonlySet<string>>>;

  constructor(
    readonly key: Buffer,
    readonly entries: readonly Entry[] = [],
  ) {
    const of = (kind: Kind) => new Set(entries.flatMap((e) => (e.kind === kind ? [e.hash] : [])));
    this.hashes = { person: of('person'), device: of('device'), hint: of('hint') };
  }

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

  /** Whether a value of that kind is in the list. */
  has(kind: Kind, value: string): boolean {
    return this.hashes[kind].size > 0 && this.hashes[kind].has(hashOf(this.key, kind, value));
  }

  /** The list with these values too; those that it has keep the day since when. */
  with(values: Readonly<Partial<Record<Kind, Iterable<string>>>>, since: string): Suppression {
    const added: Entry[] = [];
    for (const kind of KINDS) {
      const known = new Set(this.hashes[kind]);
      for (const value of values[kind] ?? []) {
        const hash = hashOf(this.key, kind, value);
        if (!known.has(hash)) added.push({ kind, hash, since });
        known.add(hash);
      }
    }
    return added.length === 0 ? this : new Suppression(this.key, [...this.entries, ...added]);
  }
}
