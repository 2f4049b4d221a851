// What the list of the forgotten holds, worked out by itself: the model's SQL is held to it.
import { createHmac } from 'node:crypto';
import { type Kind, Suppression } from '../../engines/suppression';

/** The text by which values are compared. */
export const normalised = (value: string): string =>
  Array.from(value.replace(/^[\s\x85]+/, '').replace(/(?<![\s\x85])[\s\x85]+$/, ''), (character) =>
    // The only letter of which a small one would be two characters.
    character === 'İ' ? 'i' : character.toLowerCase(),
  )
    .join('')
    .normalize('NFC');

/** The keyed hash that stands for a value. */
export const hashOf = (key: Buffer, kind: Kind, value: string): string =>
  createHmac('sha256', key)
    .update(`${kind}:${normalised(value)}`)
    .digest('hex');

/** A list of values. */
export const listOf = (
  key: Buffer,
  values: Readonly<Partial<Record<Kind, readonly string[]>>>,
  since = '2026-11-25T16:00:00.000Z',
): Suppression =>
  new Suppression(key).plus(
    Object.entries(values).flatMap(([kind, all]) =>
      all.map((value) => ({ kind: kind as Kind, hash: hashOf(key, kind as Kind, value) })),
    ),
    since,
  );
