import fc from 'fast-check';
import { position, type SourceTable } from '../../model';
import {
  anySource,
  objectOf,
  type Pair,
  recordOf,
  type Spacing,
  sourceOf,
  type Verdict,
  verdictOf,
} from './arbitraries';

/** A source of which each element of an array is a row, and what it reads of a record and of an element. */
export interface Nested {
  readonly source: SourceTable;
  readonly record: SourceTable;
  readonly element: SourceTable;
  /** The array's key, and the key within its value, if it is not the value. */
  readonly keys: readonly [key: string, inner: string | undefined];
}

/** With columns of every type in both, at one key or two. */
export const nested: fc.Arbitrary<Nested> = fc
  .tuple(
    anySource,
    anySource,
    fc.constantFrom<Nested['keys']>(['items', undefined], ['the-list', 'all of it']),
  )
  .map(([record, element, keys]) => {
    const each = keys.filter((key) => key !== undefined).join('.');
    // Keys within a value are taken as they are written.
    const within = Object.entries(element.columns).map(
      ([key, column]) => [key, { ...column, aliases: [] }] as const,
    );
    const columns = {
      ...Object.fromEntries(Object.entries(record.columns).filter(([key]) => key.toLowerCase() !== keys[0])),
      nth_: position('Which.'),
      ...Object.fromEntries(within.map(([key, c]) => [`of_${key}_`, { ...c, from: `${each}.${key}` }])),
    };
    const own = Object.fromEntries(Object.entries(columns).filter(([key]) => key in record.columns));
    return {
      source: { ...sourceOf(columns), each },
      record: sourceOf(own),
      element: sourceOf(Object.fromEntries(within)),
      keys,
    };
  });

/** An element is a record of its own, or any other JSON. */
type Element = readonly Pair[] | string;
/** A record: its own keys, and its array or what stands in place of it; `twice` where that has two keys. */
export interface Made {
  readonly pairs: readonly Pair[];
  readonly elements: readonly Element[] | string | undefined;
  readonly isTwice: boolean;
}

const often = <T>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: odd });

/** Records at or near good ones; of a hundred, so many have oddities of each kind. */
export function madeOf({ record, element }: Nested, oddities: number): fc.Arbitrary<Made> {
  const odd = { values: oddities, keys: oddities };
  const one = often<Element>(
    recordOf(element, odd),
    fc.constantFrom('null', '3', '"{}"', '[]', 'NaN', 'true'),
  );
  return fc.record({
    pairs: recordOf(record, odd),
    elements: often<Made['elements']>(
      fc.array(one, { maxLength: 5 }),
      fc.constantFrom('null', '{}', '""', '"[]"', '1', undefined),
    ),
    isTwice: often(fc.constant(false), fc.constant(true)),
  });
}

export function textOf(
  { pairs, elements, isTwice }: Made,
  [key, inner]: Nested['keys'],
  spacing: Spacing,
): string {
  if (elements === undefined) return objectOf(pairs, spacing);
  const array =
    typeof elements === 'string'
      ? elements
      : `[${elements.map((one) => (typeof one === 'string' ? one : objectOf(one, spacing))).join(' ,')}]`;
  const more: Pair[] = isTwice ? [[inner ?? key, '[]']] : [];
  if (inner === undefined) return objectOf([[key, array], ...pairs, ...more], spacing);
  return objectOf([...pairs, [key, objectOf([...more, [inner, array]], spacing)]], spacing);
}

/** What a contract makes of a record: of each element, which counts from 1, or of it as a whole. */
export function verdictsOf(
  nested: Nested,
  made: Made,
): readonly (readonly [element: number | undefined, Verdict])[] {
  const { record, element } = nested;
  const { pairs, elements, isTwice } = made;
  const whole = (reason: string) => [[undefined, { reason }]] as const;
  const outer = verdictOf(record, pairs);
  if ('reason' in outer) return whole(outer.reason);
  if (isTwice && elements !== undefined) return whole('DUPLICATE_KEY');
  if (elements === undefined || elements === 'null') return whole('MISSING_REQUIRED');
  // At the record's own level a text that is empty counts as missing, as it does elsewhere.
  if (elements === '""') return whole('MISSING_REQUIRED');
  if (typeof elements === 'string') return whole('WRONG_TYPE');
  return elements.map((one, i) => {
    if (typeof one === 'string' && one !== 'null') return [i + 1, { reason: 'WRONG_TYPE' }] as const;
    const own = one === 'null' ? [] : (one as readonly Pair[]);
    const verdict = verdictOf(
      element,
      own.filter(([key]) => key in element.columns),
    );
    if ('reason' in verdict) return [i + 1, verdict] as const;
    const inElement = Object.entries(verdict.row).map(([key, value]) => [`of_${key}_`, value]);
    return [i + 1, { row: { ...outer.row, nth_: i + 1, ...Object.fromEntries(inElement) } }] as const;
  });
}
