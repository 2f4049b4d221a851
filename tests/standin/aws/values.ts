// Property values as the engine sends them: JSON, in which a secret is an object with a signature and an unknown
// value is one of a few fixed strings (sdk/nodejs/runtime/rpc.ts). They are written here again, because loading the
// whole SDK would cost every start of the stand-in half a second.
export type Value =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly Value[]
  | { readonly [key: string]: Value };
export type Values = { readonly [key: string]: Value };

const SIGNATURE = '4dabf18193072939515e22adb298388d';
const SECRET = '1b47061264138c4ac30d75fd1eb44270';
const ASSETS = ['c44067f5952c0a294b673a41bacd8c17', '0def7320c3a5731c473e5ecbe6d01bc7'];

export const UNKNOWN = '04da6b54-80e4-46f7-96ec-b56ff0331ba9';
const UNKNOWNS: readonly Value[] = [
  UNKNOWN,
  '1c4a061d-8072-4f0a-a4cb-0ff528b18fe7',
  '3eeb2bf0-c639-47a8-9e75-3b44932eb421',
  '6a19a0b0-7e62-4c92-b797-7f8e31da9cc2',
  '030794c1-ac77-496b-92df-f27374a8bd58',
  'e48ece36-62e2-4504-bad9-02848725956a',
  'dd056dcd-154b-4c76-9bd3-c8f88648b5ff',
];

export const isUnknown = (value: Value) => UNKNOWNS.includes(value);
export const isList = (value: Value): value is readonly Value[] => Array.isArray(value);
export const isObject = (value: Value): value is Values =>
  typeof value === 'object' && value !== null && !isList(value);
export const isAsset = (value: Value) => isObject(value) && ASSETS.includes(text(value[SIGNATURE]));
const isSecret = (value: Value) => isObject(value) && value[SIGNATURE] === SECRET;

function secretsAs(value: Value, as: (secret: Value) => Value): Value {
  if (isList(value)) return value.map((one) => secretsAs(one, as));
  if (!isObject(value)) return value;
  return isSecret(value)
    ? as(value.value)
    : Object.fromEntries(Object.entries(value).map(([key, one]) => [key, secretsAs(one, as)]));
}

/** Without the wrapping of its secrets: what AWS would be sent. */
export const plain = (value: Value): Value => secretsAs(value, plain);
export const plainValues = (values: Values): Values => plain(values) as Values;

/** With its secrets hidden: what may be written down. */
export const hidden = (value: Value): Value => secretsAs(value, () => '[secret]');

export const text = (value: Value): string => (typeof value === 'string' ? value : '');

/** What stands at a path such as `actions.jobName`; a list on the way is followed into each of its members. */
export function at(value: Value, path: readonly string[]): Value[] {
  if (isList(value)) return value.flatMap((one) => at(one, path));
  const [key, ...rest] = path;
  if (key === undefined) return value === undefined || value === null ? [] : [value];
  return isObject(value) ? at(value[key], rest) : [];
}

/** The paths at which two values differ, as the engine writes them: `actions[0].jobName`. */
export function changed(old: Value, now: Value, path = ''): string[] {
  if (old === now) return [];
  // An asset is what it holds: the same content in another file is no change.
  if (isAsset(old) && isAsset(now)) return (old as Values).hash === (now as Values).hash ? [] : [path];
  if (isList(old) && isList(now)) {
    const [longer] = [old, now].toSorted((a, b) => b.length - a.length);
    return (longer ?? []).flatMap((_, index) => changed(old[index], now[index], `${path}[${index}]`));
  }
  if (isObject(old) && isObject(now)) {
    const keys = new Set([...Object.keys(old), ...Object.keys(now)]);
    return [...keys].flatMap((key) => {
      const step = /^\w+$/.test(key) ? `${path && '.'}${key}` : `["${key}"]`;
      return changed(old[key], now[key], `${path}${step}`);
    });
  }
  return (old ?? undefined) === (now ?? undefined) ? [] : [path];
}
