/**
 * A value that a preview cannot know. It keeps the error that reading it raised, so that a rule can go on with
 * what is known and hand the error to Pulumi at the end, which then says what could not be checked.
 */
export class Unknown {
  constructor(readonly error: unknown) {}
}

export type Value = string | number | boolean | null | Unknown | readonly Value[] | Values;
export interface Values {
  readonly [name: string]: Value;
}

export const isValues = (value: Value | undefined): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Unknown);

export const isList = (value: Value | undefined): value is readonly Value[] => Array.isArray(value);

const copy = (read: () => unknown): Value => {
  let value: unknown;
  try {
    value = read();
  } catch (error) {
    return new Unknown(error);
  }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value !== 'object' || value === null) return null;
  if (Array.isArray(value)) return Array.from({ length: value.length }, (_, i) => copy(() => value[i]));
  return valuesOf(value);
};

/** Pulumi's properties throw where a value is unknown; here such a value is an `Unknown` in its place. */
export const valuesOf = (props: object): Values =>
  Object.fromEntries(Object.keys(props).map((name) => [name, copy(() => Reflect.get(props, name))]));

/** The value at a dotted path; what lies below an unknown value is unknown too. */
export const at = (values: Values, path: string): Value | undefined => {
  let value: Value | undefined = values;
  for (const step of path.split('.')) {
    if (value instanceof Unknown) return value;
    if (isList(value)) value = value[Number(step)];
    else value = isValues(value) ? value[step] : undefined;
  }
  return value;
};

/** Every unknown inside a value. */
export const unknownsIn = (value: Value | undefined): readonly Unknown[] => {
  if (value instanceof Unknown) return [value];
  if (isList(value)) return value.flatMap(unknownsIn);
  return isValues(value) ? Object.values(value).flatMap(unknownsIn) : [];
};

const LONGEST_SHOWN = 100;

export const show = (value: Value | undefined): string => {
  if (value === undefined) return 'not set';
  const text = JSON.stringify(value, (_, part) => (part instanceof Unknown ? '(not known yet)' : part));
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
};
