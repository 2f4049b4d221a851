// What the provider does with a resource, whatever asks: checks it, says what a change means, and changes the world.
import { type Properties, propertiesOf, shapeOf } from './schema';
import { FUNCTIONS, KINDS, type Kind } from './types';
import {
  at,
  changed,
  hidden,
  isAsset,
  isList,
  isObject,
  isUnknown,
  plain,
  plainValues,
  text,
  UNKNOWN,
  type Value,
  type Values,
} from './values';
import { changeWorld, type Thing, type World } from './world';

/** In the inputs, the names of those that the provider filled in; the real one keeps them there, too. */
const FILLED = '__defaults';

const where = { region: 'us-east-1' };
let defaultTags: Values = {};

const typeOf = (urn: string) => urn.split('::')[2]?.split('$').at(-1) ?? '';
const nameOf = (urn: string) => urn.split('::').at(-1) ?? '';

function kindOf(type: string): Kind {
  const kind = KINDS[type];
  if (!kind)
    throw new Error(`the stand-in for AWS does not know ${type}: add it to tests/standin/aws/types.ts`);
  return kind;
}

interface Failure {
  readonly property: string;
  readonly reason: string;
}

/** What the provider would not take: properties that it does not know, and missing ones that it must have. */
function misfits(values: Values, properties: Properties, path = ''): Failure[] {
  const failures: Failure[] = [];
  for (const [key, value] of Object.entries(values)) {
    const property = properties.get(key);
    if (!property) failures.push({ property: path + key, reason: `unknown property '${path}${key}'` });
    else if (property.takes) failures.push(...misfitsIn(value, propertiesOf(property.takes), path + key));
  }
  for (const [key, { required }] of properties)
    if (required && (values[key] ?? undefined) === undefined)
      failures.push({ property: path + key, reason: `missing required property '${path}${key}'` });
  return failures;
}

function misfitsIn(value: Value, properties: Properties, path: string): Failure[] {
  if (isList(value)) return value.flatMap((one, index) => misfitsIn(one, properties, `${path}[${index}]`));
  return isObject(value) && !isAsset(value) && properties.size > 0
    ? misfits(value, properties, `${path}.`)
    : [];
}

export function check(urn: string, olds: Values, news: Values, seed: Buffer) {
  const type = typeOf(urn);
  const kind = kindOf(type);
  const given = plainValues(news);
  const failures = misfits(given, shapeOf(type).inputs);
  const filled: Record<string, Value> = {};
  const { name } = kind;
  if (name && given[name] === undefined && given[`${name}Prefix`] === undefined)
    filled[name] = keptName(olds, name) ?? madeName(kind, nameOf(urn), seed);
  for (const [key, value] of Object.entries(kind.defaults ?? {}))
    if (given[key] === undefined) filled[key] = value;
  if (name) {
    const reason = misnamed(kind, given[name] ?? filled[name]);
    if (reason) failures.push({ property: name, reason });
  }
  return { inputs: { ...news, ...filled, [FILLED]: Object.keys(filled).toSorted() }, failures };
}

const filledIn = (inputs: Values): readonly Value[] => (isList(inputs[FILLED]) ? inputs[FILLED] : []);

/** A made-up name stays for as long as the resource. */
const keptName = (olds: Values, name: string) => (filledIn(olds).includes(name) ? olds[name] : undefined);

function madeName({ named }: Kind, logical: string, seed: Buffer): string {
  const hex = seed.toString('hex').slice(0, 7);
  return named ? named(logical, hex) : `${logical}-${hex}`;
}

function misnamed({ max = Infinity, pattern }: Kind, name: Value): string | undefined {
  if (typeof name !== 'string' || isUnknown(name)) return;
  if (name.length > max) return `'${name}' is longer than ${max} characters`;
  if (pattern && !pattern.test(name)) return `'${name}' is no name that AWS takes: ${pattern}`;
  return;
}

/** Whether a change at a path is one of those that make a new resource. */
function forces({ force }: Kind, path: string): boolean {
  const names = path.replaceAll(/\[\d+\]/g, '');
  return [...force, 'region'].some(
    (one) =>
      one === '*' ||
      one === names ||
      names.startsWith(`${one}.`) ||
      names.startsWith(`${one}[`) ||
      one.startsWith(`${names}.`),
  );
}

const withoutFilled = ({ [FILLED]: _, ...inputs }: Values): Values => inputs;

export function diff(urn: string, oldInputs: Values, news: Values) {
  const kind = kindOf(typeOf(urn));
  const [given, now] = [oldInputs, news].map((one) => withoutFilled(plainValues(one))) as [Values, Values];
  const old = { ...given, ...kind.kept?.(given) };
  const paths = changed(old, now).map((path) => ({ path, replaces: forces(kind, path) }));
  return {
    paths: paths.map(({ path, replaces }) => {
      const [before, after] = [old, now].map((one) => at(one, path.split(/[.[]/).slice(0, 1)).length > 0);
      const whole = !/[.[]/.test(path);
      return {
        path,
        replaces,
        how: whole && !before ? 'ADD' : whole && !after ? 'DELETE' : 'UPDATE',
      } as const;
    }),
    // The provider can't make the second of a name before the first is gone, unless it made the name up.
    deleteFirst: kind.name !== undefined && !filledIn(news).includes(kind.name),
  };
}

/** Something for a property that AWS would give a value to, and the table says nothing of. */
function someValue(type: string): Value {
  if (type.endsWith('[]')) return [];
  if (type === 'string') return '';
  if (type === 'number') return 0;
  return type === 'boolean' ? false : undefined;
}

/** What the program sees of a resource: its inputs, and what the provider adds; `old` is its state before an update. */
function stateOf(type: string, inputs: Values, preview: boolean, old?: Values): Values {
  const kind = kindOf(type);
  const given = withoutFilled(inputs);
  const known = plainValues(given);
  const { gives } = shapeOf(type);
  const fresh = kind.out?.(known, where) ?? {};
  const added: Record<string, Value> = {};
  for (const [property, type] of gives) {
    if (given[property] !== undefined) continue;
    if (property === 'tagsAll')
      added.tagsAll = { ...defaultTags, ...(isObject(known.tags) ? known.tags : {}) };
    else if (property === 'region') added.region = where.region;
    else if (old?.[property] !== undefined && !kind.renewed?.includes(property))
      added[property] = old[property];
    else added[property] = preview ? UNKNOWN : (fresh[property] ?? someValue(type));
  }
  // What the declaration calls optional, as a trigger's state after its creation.
  for (const [property, value] of Object.entries(fresh))
    if (given[property] === undefined) added[property] ??= preview ? UNKNOWN : value;
  return { ...added, ...given, ...(!preview && kind.kept?.(known)) };
}

const isThere = (world: World, type: string, name: string) =>
  Object.entries(world[type] ?? {}).some(
    ([key, { id, state }]) => key === name || id === name || state.arn === name || state.name === name,
  );

/** What it points at that is not there. AWS's own managed policies are. */
function missing(world: World, kind: Kind, inputs: Values): string | undefined {
  for (const [path, type] of Object.entries(kind.needs ?? {}))
    for (const name of at(inputs, path.split('.')).map(text))
      if (
        !isThere(world, type, name) &&
        !name.startsWith('arn:aws:iam::aws:') &&
        !isBuiltIn(world, type, name)
      )
        return `${path}: there is no ${type} '${name}'`;
  return;
}

/** What an account or a network has without anybody making it. */
const isBuiltIn = (world: World, type: string, name: string) =>
  (type === 'aws:athena/workgroup:Workgroup' && name === 'primary') ||
  Object.values(world['aws:ec2/vpc:Vpc'] ?? {}).some(({ state }) =>
    [state.defaultSecurityGroupId, state.defaultRouteTableId, state.mainRouteTableId].includes(name),
  );

const keyOf = (kind: Kind, state: Values, id: string) => kind.key?.(state, id) ?? id;

export function create(urn: string, inputs: Values, preview: boolean): { id: string; state: Values } {
  const type = typeOf(urn);
  const kind = kindOf(type);
  const state = stateOf(type, inputs, preview);
  if (preview) return { id: '', state };
  const made = plainValues(state);
  const id = kind.id(made, where);
  changeWorld((world) => {
    const key = keyOf(kind, made, id);
    const things = world[type] ?? {};
    if (things[key]) throw new Error(`creating ${type} (${key}): AlreadyExists`);
    const lacks = missing(world, kind, plainValues(inputs));
    if (lacks) throw new Error(`creating ${type} (${key}): NotFound: ${lacks}`);
    const refused = kind.refuses?.(plainValues(inputs), world);
    if (refused) throw new Error(`creating ${type} (${key}): ${refused}`);
    const thing = { urn, id, inputs: hidden(inputs) as Values, state: hidden(state) as Values };
    world[type] = { ...things, [key]: thing };
  });
  return { id, state };
}

export function update(urn: string, id: string, old: Values, news: Values, preview: boolean): Values {
  const type = typeOf(urn);
  const kind = kindOf(type);
  const state = stateOf(type, news, preview, old);
  if (preview) return state;
  changeWorld((world) => {
    const things = world[type] ?? {};
    const key = keyOf(kind, plainValues(old), id);
    if (!things[key]) throw new Error(`updating ${type} (${key}): NotFound`);
    const lacks = missing(world, kind, plainValues(news));
    if (lacks) throw new Error(`updating ${type} (${key}): NotFound: ${lacks}`);
    const refused = kind.refuses?.(plainValues(news), world, plainValues(old));
    if (refused) throw new Error(`updating ${type} (${key}): ${refused}`);
    things[key] = { urn, id, inputs: hidden(news) as Values, state: hidden(state) as Values };
  });
  return state;
}

/** The things of some types that point at this one. */
function holders(world: World, type: string, key: string, thing: Thing): { type: string; key: string }[] {
  const names = [key, thing.id, thing.state.arn];
  return (kindOf(type).heldBy?.types ?? []).flatMap((holder) =>
    Object.entries(world[holder] ?? {})
      .filter(([, { state }]) =>
        Object.entries(kindOf(holder).needs ?? {}).some(
          ([path, needed]) =>
            needed === type && at(state, path.split('.')).some((one) => names.includes(one)),
        ),
      )
      .map(([key]) => ({ type: holder, key })),
  );
}

export function remove(urn: string, id: string, state: Values) {
  const type = typeOf(urn);
  const kind = kindOf(type);
  changeWorld((world) => {
    const things = world[type] ?? {};
    const key = keyOf(kind, plainValues(state), id);
    const thing = things[key];
    if (!thing) throw new Error(`deleting ${type} (${key}): NotFound`);
    const holding = holders(world, type, key, thing);
    const { unless, error } = kind.heldBy ?? {};
    if (holding.length > 0 && !(unless && thing.state[unless] === true))
      throw new Error(`deleting ${type} (${key}): ${error}: ${holding.map((one) => one.key).join(', ')}`);
    for (const gone of [...holding, { type, key }]) {
      const { [gone.key]: _, ...left } = world[gone.type] ?? {};
      if (Object.keys(left).length > 0) world[gone.type] = left;
      else delete world[gone.type];
    }
  });
}

export function configure(args: Values) {
  const set = plainValues(args);
  where.region = text(set.region) || process.env.AWS_REGION || where.region;
  const { defaultTags: given } = set;
  const { tags = {} } = (typeof given === 'string' ? JSON.parse(given) : (given ?? {})) as { tags?: Values };
  defaultTags = tags;
}

export function invoke(token: string, args: Values): Values {
  const call = FUNCTIONS[token];
  if (!call) throw new Error(`the stand-in for AWS does not know the function ${token}`);
  return { ...args, ...call({ region: text(plain(args.region)) || where.region }, args) };
}
