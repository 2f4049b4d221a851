import { FORMATS } from '../model/format';
import { readStored } from './stored';

/**
 * What an entry is a hash of: a name of a person or a device, a value that only points to the person, or a device that others
 * have too, by itself and with each instant at which the person was measured.
 */
const KINDS = ['person', 'device', 'hint', 'moment'] as const;
export type Kind = (typeof KINDS)[number];

/** A keyed hash, as the model's SQL makes it of a value. */
export interface Hash {
  readonly kind: Kind;
  readonly hash: string;
}

export interface Entry extends Hash {
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

  /** Since when a hash is in the list. One of another kind is another one. */
  since(hash: string): string | undefined {
    return this.entries.find((entry) => entry.hash === hash)?.since;
  }

  /** The list with these hashes too; those that it has keep the day since when. */
  plus(hashes: readonly Hash[], since: string): Suppression {
    const known = new Set(this.entries.map(({ hash }) => hash));
    const added = hashes.filter(({ hash }) => !known.has(hash));
    return new Suppression(this.key, [
      ...this.entries,
      ...added.map(({ kind, hash }) => ({ kind, hash, since })),
    ]);
  }
}
