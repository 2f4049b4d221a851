import { join, sep } from 'node:path';
import { lake } from '../pipeline';
import { ENTITIES, type Entity, type FaultKind, spoil } from '../samples/stedi';
import { keptFolder, rewritten } from './copies';
import { type Counts, differences } from './report';

/** A key of a flat record, and its value as it is spelled. */
type Field = readonly [key: string, value: string];

/** What stands for the nth record of a file, from 0. */
type Spelling = (line: string, n: number, entity: Entity) => string;

const FIELD = /"(\w+)"\s*:\s*("(?:[^"\\]|\\.)*"|[^\s,}]+)/g;

/** One bad line in so many. */
const BAD_IN = 100;
const OBJECTS_A_LINE = 100;
const FAULTS: readonly FaultKind[] = [
  'cut_in_the_middle',
  'text_for_number',
  'seconds',
  'key_missing',
  'log_text',
];

const ALIASES = new Map(
  lake.sources.flatMap(({ columns }) =>
    Object.entries(columns).flatMap(([key, { aliases }]) => (aliases[0] ? [[key, aliases[0]] as const] : [])),
  ),
);

const fieldsOf = (line: string): Field[] =>
  Array.from(line.matchAll(FIELD), ([, key = '', value = '']) => [key, value]);
const further = (fields: readonly Field[]): Field[] => [...fields, ['appVersion', '"4.2.0"']];
const reordered = (fields: readonly Field[]): Field[] => fields.toReversed();
const aliased = (fields: readonly Field[]): Field[] =>
  fields.map(([key, value]) => [ALIASES.get(key) ?? key, value]);

const onLine =
  (change: (fields: readonly Field[]) => Field[]): Spelling =>
  (line) =>
    `{${change(fieldsOf(line))
      .map(([key, value]) => `"${key}":${value}`)
      .join(',')}}\n`;

/** Ways to write the same records; where lines are bad, all records but these. */
export const SPELLINGS = {
  'a further key': onLine(further),
  'another key order': onLine(reordered),
  'an alias': onLine(aliased),
  'order, further key, alias': onLine((fields) => aliased(further(reordered(fields)))),
  '100 objects a line': (line, n) => (n % OBJECTS_A_LINE === OBJECTS_A_LINE - 1 ? `${line}\n` : line),
  'pretty-printed': (line) =>
    `{\n${fieldsOf(line)
      .map(([key, value]) => `  "${key}": ${value}`)
      .join(',\n')}\n}\n`,
  '1 % of bad lines': (line, n, entity) => {
    const fault = FAULTS[Math.floor(n / BAD_IN) % FAULTS.length];
    return `${fault && n % BAD_IN === BAD_IN - 1 ? spoil(line, fault, entity) : line}\n`;
  },
} as const satisfies Readonly<Record<string, Spelling>>;

export type SpellingName = keyof typeof SPELLINGS;

/** The data's records in another spelling, in a folder beside. */
export const spelledOf = (data: string, name: SpellingName): Promise<string> =>
  keptFolder(`${data}-${name.replace(/\W+/g, '-')}`, data, (file, unfinished) => {
    const entity = ENTITIES.find((e) => file.startsWith(`${e}${sep}`));
    if (entity === undefined) throw new Error(`${file} is of none of ${ENTITIES.join(', ')}`);
    const spelling: Spelling = SPELLINGS[name];
    let n = 0;
    return rewritten(join(data, file), join(unfinished, file), (lines) =>
      lines
        .split('\n')
        .map((line) => (line === '' ? '' : spelling(line, n++, entity)))
        .join(''),
    );
  });

export interface Volume {
  /** How many records of each source were read. */
  readonly read: Counts;
  /** How many rows each table got. */
  readonly counts: Counts;
}

/** Throws where a run read other records than that of the plain spelling, or, unless lines are bad, wrote others. */
export function requireSame(name: SpellingName, ours: Volume, plain: Volume): void {
  const of = name === '1 % of bad lines' ? 'read' : 'counts';
  const different = differences(ours[of], plain[of], 'the plain spelling');
  if (different.length > 0) throw new Error([`${name}:`, ...different].join('\n'));
}
