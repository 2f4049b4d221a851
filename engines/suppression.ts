import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Identifies } from '../model';
import { LakeError } from './engine';

/** What an entry is a hash of: a name of a person or a device, or a value that only points to the person. */
export const KINDS = ['person', 'device', 'hint'] as const;
export type Kind = (typeof KINDS)[number];

/** The text by which values are compared: without ASCII white space around, A to Z as a to z, all else as it is. */
export const normalised = (value: string): string =>
  stripped(value, ' \t\n\v\f\r').replace(/[A-Z]+/g, (upper) => upper.toLowerCase());

/** Without these characters at both ends; an expression takes quadratic time for many of them inside. */
function stripped(text: string, characters: string): string {
  let [start, end] = [0, text.length];
  while (start < end && characters.includes(text.charAt(start))) start++;
  while (end > start && characters.includes(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}

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
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  try {
    return entriesOf(JSON.parse(text));
  } catch {
    throw new LakeError(
      `${file} is damaged, and says who was forgotten; restore it: without it they would come back`,
    );
  }
}

/** Throws where it is no list. Not by zod, which would cost every command a tenth of a second. */
function entriesOf(list: unknown): readonly Entry[] {
  const { version, entries } = list as { readonly version: unknown; readonly entries: readonly Entry[] };
  const isEntry = ({ kind, hash, since }: Entry) =>
    KINDS.includes(kind) && /^[0-9a-f]{64}$/.test(hash) && !Number.isNaN(Date.parse(since));
  if (version !== 1 || !entries.every(isEntry)) throw new Error('no list');
  return entries;
}

/** What is known of a person while they are forgotten, and is not kept. */
export interface Known {
  /** The name that all tables know them by. */
  readonly person: string;
  /** Of all their names and devices. */
  readonly pseudonyms: ReadonlySet<string>;
}

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
    return JSON.stringify({ version: 1, entries: this.entries }, null, 2);
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

  /**
   * Whether a row is of somebody in the list, by what its columns of each kind hold. A device may be another's by now,
   * so it only tells of rows that name no person.
   */
  hasRow(values: Readonly<Record<Identifies, readonly string[]>>): boolean {
    const any = (kind: Identifies) => values[kind].some((value) => this.has(kind, value));
    return values.person.some((value) => normalised(value) !== '') ? any('person') : any('device');
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

  /**
   * Whether a refused line is of somebody in the list: it has a name of theirs, or where no other person can be read, of
   * their device or a value that points to them. An e-mail at the very edge of a line may be cut off, and is nobody's
   * that can be read. `known` tells what only forgetting knows.
   */
  isTheirs(raw: string, known?: Known): boolean {
    const found = tokensOf(raw);
    const any = (kind: Kind) => this.hashes[kind].size > 0 && found.some((token) => this.has(kind, token));
    if (any('person')) return true;
    if (known && (found.some((token) => known.pseudonyms.has(token)) || isCut(raw, known.person)))
      return true;
    if (!any('device') && !any('hint')) return false;
    return !tokensOf(withoutEdges(raw)).some((token) => EMAIL.test(token));
  }
}

// The same in lakehouse_runner/suppression.py; jobs/runner/tests/suppression_cases.json is judged by both.
/** What stands between double quotes that no backslash escapes, and what stands outside them. */
const PIECES = /(?:[^"\\]+|\\.?)+/gs;
const SINGLE_QUOTED = /[^']+/g;
const FIELDS = /[^,;\t|]+/g;
const WORDS = /[^\0-\x20\x7f"'<>(){}[\],;:\\|]+/g;
/** Bytes that are no UTF-8 may stand right behind a value. */
const PLAIN_WORDS = /[A-Za-z0-9._%+@-]+/g;
const EMAIL = /[^\0-\x20\x7f"'<>(){}[\],;:\\|]@[^\0-\x20\x7f"'<>(){}[\],;:\\|]/;
const ESCAPE = /\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt]))/g;
const ESCAPED: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };
const DELIMITER = /[\0-\x20\x7f"'<>(){}[\],;:|]/;

/** The escapes of JSON replaced one by one, as a cut text has no whole literal; what is no escape stays. */
const unescaped = (text: string): string =>
  text.includes('\\')
    ? text.replace(ESCAPE, (_, hex?: string, letter = '') =>
        hex ? String.fromCharCode(Number.parseInt(hex, 16)) : (ESCAPED[letter] ?? letter),
      )
    : text;

/**
 * Every text of a line that may be a whole value, normalised: what is between quotes, seen from the line's
 * beginning or from within a text, since a line may lack its first half; between single quotes; between the
 * separators of CSV; and words. Of texts with escapes also what they hold, so that JSON in JSON is read too.
 */
export function tokensOf(raw: string): string[] {
  const found = new Set<string>();
  const texts = [raw];
  for (let text = texts.pop(); text !== undefined; text = texts.pop()) {
    const pieces = text.match(PIECES) ?? [];
    const all = [SINGLE_QUOTED, FIELDS, WORDS, PLAIN_WORDS].map((pattern) => text?.match(pattern) ?? []);
    for (const token of [pieces, ...all].flat()) found.add(normalised(unescaped(token)));
    // A full stop behind an e-mail is no part of it.
    for (const word of all.at(-1) ?? []) found.add(normalised(stripped(word, '.-')));
    // Each is shorter than the text that it is from.
    for (const piece of pieces) if (unescaped(piece) !== piece) texts.push(unescaped(piece));
  }
  found.delete('');
  return [...found];
}

/** The line without the words at its two edges. */
function withoutEdges(raw: string): string {
  const text = stripped(raw, ' \t\n\v\f\r');
  let [start, end] = [0, text.length];
  while (start < end && !DELIMITER.test(text.charAt(start))) start++;
  while (end > start && !DELIMITER.test(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}

/** Shorter beginnings are those of many. */
const LEAST_CUT = 6;

/** Whether a line breaks off in a text that may become the name: in what follows its last quote. */
function isCut(raw: string, person: string): boolean {
  const quotes = raw.match(/\\.?|"/gs)?.filter((mark) => mark === '"').length ?? 0;
  if (quotes % 2 === 0) return false;
  const last = unescaped(raw.match(PIECES)?.at(-1) ?? '').replace(/\\$/, '');
  return normalised(last).length >= LEAST_CUT && normalised(person).startsWith(normalised(last));
}
