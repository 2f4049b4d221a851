import { SampleError } from '../error';
import type { Entity } from './options';
import { type Field, objectOf } from './record';

/** A good record taken apart, with the columns to spoil. */
interface Good {
  readonly line: string;
  readonly fields: readonly Field[];
  /** Key of a required text. */
  readonly text: string;
  /** Key of a required instant in epoch milliseconds. */
  readonly instant: string;
  /** Key of a required number. */
  readonly number: string;
}

interface Fault {
  /** Why a careful reader refuses the line; a reason of the landing reader. */
  readonly reason: string;
  /** Default: every entity. */
  readonly entities?: readonly Entity[];
  readonly spoil: (good: Good) => string | Buffer;
}

const COLUMNS: Readonly<Record<Entity, Pick<Good, 'text' | 'instant' | 'number'>>> = {
  customer: { text: 'email', instant: 'registrationDate', number: 'lastUpdateDate' },
  accelerometer: { text: 'user', instant: 'timestamp', number: 'x' },
  step_trainer: { text: 'serialNumber', instant: 'sensorReadingTime', number: 'distanceFromObject' },
};

const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();

/** The field as it is written, in whatever case. */
const fieldOf = (good: Good, key: string): Field => {
  const field = good.fields.find(([k]) => same(k, key));
  if (field === undefined) throw new SampleError(`The line has no ${key}: give a good line of the entity.`);
  return field;
};

const jsonOf = (good: Good, key: string): string => fieldOf(good, key)[1];

const otherCase = (key: string): string =>
  key === key.toUpperCase() ? key.toLowerCase() : key.toUpperCase();

const put = (good: Good, key: string, json: string): string =>
  objectOf(good.fields.map(([k, old]) => [k, same(k, key) ? json : old]));

const add = (good: Good, key: string, json: string): string => objectOf([...good.fields, [key, json]]);

/** The value of a text with something before its closing quote. */
const longer = (good: Good, tail: string): string =>
  put(good, good.text, `${jsonOf(good, good.text).slice(0, -1)}${tail}"`);

/** The text with bytes at its end that are no UTF-8. */
const withBytes = (good: Good, bytes: readonly number[]): Buffer => {
  const [before = '', after = ''] = longer(good, '\0').split('\0');
  return Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]);
};

const scaled = (good: Good, factor: number): string =>
  put(good, good.instant, String(Math.trunc(Number(jsonOf(good, good.instant)) * factor)));

const half = (line: string): number => Math.floor(line.length / 2);

/** Every way in which a line goes bad, with the reason that it must be refused for. */
export const FAULTS = {
  headless: { reason: 'NOT_JSON', spoil: (g) => g.line.slice(half(g.line)) },
  python_repr: { reason: 'NOT_JSON', spoil: (g) => g.line.replaceAll('"', "'") },
  not_a_number: { reason: 'WRONG_TYPE', spoil: (g) => put(g, g.number, 'NaN') },
  csv: { reason: 'NOT_JSON', spoil: (g) => g.fields.map(([, json]) => json).join(';') },
  tab_in_text: { reason: 'NOT_JSON', spoil: (g) => longer(g, '\t') },

  cut_in_the_middle: { reason: 'TRUNCATED', spoil: (g) => g.line.slice(0, half(g.line)) },
  cut_brace: { reason: 'TRUNCATED', spoil: (g) => g.line.slice(0, -1) },
  cut_in_a_text: {
    reason: 'TRUNCATED',
    spoil: (g) => `${objectOf([[g.text, jsonOf(g, g.text)]]).slice(0, -4)}\\`,
  },

  encoded_twice: { reason: 'NOT_AN_OBJECT', spoil: (g) => JSON.stringify(g.line) },
  bare_null: { reason: 'NOT_AN_OBJECT', spoil: () => 'null' },
  bare_number: { reason: 'NOT_AN_OBJECT', spoil: (g) => jsonOf(g, g.instant) },

  one_brace_more: { reason: 'TRAILING_TEXT', spoil: (g) => `${g.line}}` },
  log_text: { reason: 'TRAILING_TEXT', spoil: (g) => `${g.line} # sent` },

  latin1: { reason: 'INVALID_ENCODING', spoil: (g) => withBytes(g, [0xe9]) },
  cut_character: { reason: 'INVALID_ENCODING', spoil: (g) => withBytes(g, [0xe2, 0x82]) },
  nul_escape: { reason: 'INVALID_ENCODING', spoil: (g) => longer(g, '\\u0000') },
  lone_surrogate: { reason: 'INVALID_ENCODING', spoil: (g) => longer(g, '\\ud83d') },

  key_twice: {
    reason: 'DUPLICATE_KEY',
    spoil: (g) => add(g, fieldOf(g, g.text)[0], '"another"'),
  },
  key_in_two_cases: {
    reason: 'DUPLICATE_KEY',
    spoil: (g) => add(g, otherCase(fieldOf(g, g.text)[0]), jsonOf(g, g.text)),
  },
  alias_too: {
    reason: 'DUPLICATE_KEY',
    entities: ['accelerometer'],
    spoil: (g) => {
      const written = g.fields.some(([key]) => key === 'timeStamp') ? 'timestamp' : 'timeStamp';
      return add(g, written, jsonOf(g, g.instant));
    },
  },

  key_missing: {
    reason: 'MISSING_REQUIRED',
    spoil: (g) => objectOf(g.fields.filter(([key]) => !same(key, g.text))),
  },
  null: { reason: 'MISSING_REQUIRED', spoil: (g) => put(g, g.number, 'null') },
  empty_text: { reason: 'MISSING_REQUIRED', spoil: (g) => put(g, g.text, '""') },
  empty_object: { reason: 'MISSING_REQUIRED', spoil: () => '{}' },

  number_for_text: { reason: 'WRONG_TYPE', spoil: (g) => put(g, g.text, '12345') },
  text_for_number: { reason: 'WRONG_TYPE', spoil: (g) => put(g, g.number, `"${jsonOf(g, g.number)}"`) },
  boolean_for_number: { reason: 'WRONG_TYPE', spoil: (g) => put(g, g.number, 'true') },
  object_for_text: { reason: 'WRONG_TYPE', spoil: (g) => put(g, g.text, `{"is":${jsonOf(g, g.text)}}`) },
  fractional_instant: {
    reason: 'WRONG_TYPE',
    spoil: (g) => put(g, g.instant, `${jsonOf(g, g.instant)}.5`),
  },
  iso_instant: { reason: 'WRONG_TYPE', spoil: (g) => put(g, g.instant, '"2023-05-01T08:00:00Z"') },
  impossible_day: {
    reason: 'WRONG_TYPE',
    entities: ['customer'],
    spoil: (g) => put(g, 'birthDay', '"1999-02-29"'),
  },
  american_day: {
    reason: 'WRONG_TYPE',
    entities: ['customer'],
    spoil: (g) => put(g, 'birthDay', '"02/28/1999"'),
  },

  seconds: { reason: 'OUT_OF_RANGE', spoil: (g) => scaled(g, 1 / 1000) },
  microseconds: { reason: 'OUT_OF_RANGE', spoil: (g) => scaled(g, 1000) },
  beyond_double: {
    reason: 'OUT_OF_RANGE',
    entities: ['accelerometer'],
    spoil: (g) => put(g, g.number, '1e999'),
  },
  ninety_nine_g: {
    reason: 'OUT_OF_RANGE',
    entities: ['accelerometer'],
    spoil: (g) => put(g, g.number, '99.0'),
  },
  negative_distance: {
    reason: 'OUT_OF_RANGE',
    entities: ['step_trainer'],
    spoil: (g) => put(g, g.number, '-1'),
  },
} as const satisfies Readonly<Record<string, Fault>>;

export type FaultKind = keyof typeof FAULTS;
/** Why a careful reader refuses a line of a sample. */
export type FaultReason = (typeof FAULTS)[FaultKind]['reason'];

/** The kinds in turns of their reasons: even a few faulty lines show several reasons. */
export const FAULT_KINDS: readonly FaultKind[] = (() => {
  const turns = new Map<string, number>();
  return (Object.keys(FAULTS) as FaultKind[])
    .map((kind) => {
      const { reason } = FAULTS[kind];
      const turn = turns.get(reason) ?? 0;
      turns.set(reason, turn + 1);
      return { kind, turn };
    })
    .sort((a, b) => a.turn - b.turn)
    .map(({ kind }) => kind);
})();

const faultOf = (kind: FaultKind): Fault => FAULTS[kind];

/** Whether a line of that entity can go bad in that way. */
export const appliesTo = (kind: FaultKind, entity: Entity): boolean =>
  faultOf(kind).entities?.includes(entity) ?? true;

/** The kinds that lines of an entity go bad in. */
export const kindsOf = (entity: Entity): readonly FaultKind[] =>
  FAULT_KINDS.filter((kind) => appliesTo(kind, entity));

/**
 * A good line of an entity, made bad so that a careful reader refuses it for `FAULTS[kind].reason`; a Buffer where
 * the bytes are no UTF-8. Takes a trailing comma, and keys in other case or order. Throws a SampleError where the
 * kind does not apply to the entity or the line is not a good one of it.
 */
export function spoil(line: string, kind: FaultKind, entity: Entity): string | Buffer {
  if (!appliesTo(kind, entity)) throw new SampleError(`No line of ${entity} can have the fault ${kind}.`);
  const object = line.trim().replace(/\s*,$/, '');
  return faultOf(kind).spoil({ line: object, fields: fieldsOf(object), ...COLUMNS[entity] });
}

function fieldsOf(object: string): readonly Field[] {
  let record: unknown;
  try {
    record = JSON.parse(object);
  } catch {
    throw new SampleError('The line to spoil is no JSON object: give a good one.');
  }
  return Object.entries(record as Record<string, unknown>).map(([key, value]) => [
    key,
    JSON.stringify(value),
  ]);
}
