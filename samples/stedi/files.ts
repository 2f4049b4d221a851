import { pick, type Random, whole } from '../random';
import type { Entity } from './options';
import { type Field, objectOf } from './record';

/** What is odd about a file, though all of its good lines are to be read. */
export interface FileStyle {
  readonly gzip: boolean;
  /** Every object is followed by a comma, as if the lines were cut out of an array. */
  readonly trailingComma: boolean;
  /** The app's older name of `timestamp`. */
  readonly timeStamp: boolean;
  /** Keys in other order or case, extra keys, JSON nulls and escapes. */
  readonly variants: boolean;
  /** A byte-order mark, `\r\n`, blank lines and no line end after the last line. */
  readonly windows: boolean;
}

const PLAIN: FileStyle = {
  gzip: false,
  trailingComma: false,
  timeStamp: false,
  variants: false,
  windows: false,
};

const STYLES: readonly FileStyle[] = [
  PLAIN,
  { ...PLAIN, gzip: true, trailingComma: true, timeStamp: true },
  { ...PLAIN, windows: true },
  { ...PLAIN, variants: true },
  { ...PLAIN, gzip: true },
  PLAIN,
];

/** The style of an entity's nth file, from 1. The styles take turns. */
export const styleOf = (file: number): FileStyle => STYLES[(file - 1) % STYLES.length] as FileStyle;

const FIRST_FILE_LINES = 5;
const MAX_FILE_LINES = 25_000;

/** Lines that an entity's nth file takes: few at first, so that a small sample has several files too. */
export const linesOf = (file: number): number => Math.min(FIRST_FILE_LINES * 3 ** (file - 1), MAX_FILE_LINES);

/** `customer-0002.json.gz` */
export const fileName = (entity: Entity, file: number): string =>
  `${entity}-${String(file).padStart(4, '0')}.json${styleOf(file).gzip ? '.gz' : ''}`;

/** A good line as the entity's source writes it. */
export const plainLineOf = (entity: Entity, fields: readonly Field[]): string =>
  objectOf(fields, entity === 'customer' ? ' ' : '');

/** The same record in a file of that style, without the trailing comma. */
export function styledLineOf(
  entity: Entity,
  fields: readonly Field[],
  style: FileStyle,
  random: Random,
): string {
  if (style.timeStamp && entity === 'accelerometer') {
    return plainLineOf(
      entity,
      fields.map(([key, json]) => [key === 'timestamp' ? 'timeStamp' : key, json]),
    );
  }
  return style.variants ? pick(random, VARIANTS)(entity, fields, random) : plainLineOf(entity, fields);
}

type Variant = (entity: Entity, fields: readonly Field[], random: Random) => string;

const withKeys = (fields: readonly Field[], change: (key: string) => string): readonly Field[] =>
  fields.map(([key, json]) => [change(key), json]);

const VARIANTS: readonly [Variant, ...Variant[]] = [
  plainLineOf,
  (entity, fields) => plainLineOf(entity, fields.toReversed()),
  (entity, fields) =>
    plainLineOf(
      entity,
      withKeys(fields, (key) => key.toLowerCase()),
    ),
  (entity, fields) =>
    plainLineOf(
      entity,
      withKeys(fields, (key) => `${key.slice(0, 1).toUpperCase()}${key.slice(1)}`),
    ),
  (entity, fields, random) =>
    plainLineOf(entity, [
      ['appVersion', `"4.${whole(random, 0, 9)}"`],
      ...fields,
      // Braces, quotes and backslashes in a text are where a reader that counts braces goes wrong.
      ['meta', '{"note":"a } in \\"quotes\\" \\\\","tags":["{",null,{"n":1e3}]}'],
    ]),
  (_, fields) => ` \t${objectOf(fields, '  ')} `,
  (entity, fields) => plainLineOf(entity, entity === 'customer' ? withNulls(fields) : fields),
  (entity, fields) =>
    plainLineOf(entity, fields).replace(
      /[^ -~]/g,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
  // Days that not every month or year has.
  (entity, fields, random) => {
    const birthDay = pick(random, ['"2000-02-29"', '"1987-12-31"']);
    return plainLineOf(
      entity,
      fields.map(([key, json]) => [key, key === 'birthDay' ? birthDay : json]),
    );
  },
];

/** Consents that are not given, written out. */
const withNulls = (fields: readonly Field[]): readonly Field[] => [
  ...fields,
  ...['shareWithResearchAsOfDate', 'shareWithPublicAsOfDate', 'shareWithFriendsAsOfDate']
    .filter((key) => !fields.some(([k]) => k === key))
    .map((key): Field => [key, 'null']),
];

// A string of this many characters at most waits to be encoded: thousands of short ones keep the collector busy.
const CHUNK_CHARACTERS = 1 << 16;

/** The bytes of one file before compression, built line by line. */
export class FileBody {
  private readonly parts: Buffer[] = [];
  private text: string;
  private lines = 0;

  constructor(private readonly style: FileStyle) {
    this.text = style.windows ? '\ufeff' : '';
  }

  add(line: string | Buffer): void {
    if (this.lines > 0) this.text += this.lineEnd();
    this.lines++;
    if (typeof line === 'string') this.text += line;
    if (typeof line !== 'string' || this.text.length > CHUNK_CHARACTERS) this.encode();
    if (typeof line !== 'string') this.parts.push(line);
  }

  end(): Buffer {
    if (this.lines > 0 && !this.style.windows) this.text += this.lineEnd();
    this.encode();
    return Buffer.concat(this.parts);
  }

  private lineEnd(): string {
    if (!this.style.windows) return '\n';
    return this.lines % 10 === 4 ? '\r\n\r\n' : '\r\n';
  }

  private encode(): void {
    this.parts.push(Buffer.from(this.text));
    this.text = '';
  }
}
