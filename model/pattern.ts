/** A part of a pattern: one of these characters, or one of these sequences, so often. */
export interface Part {
  readonly of: string | readonly Sequence[];
  readonly least: number;
  /** Infinity: without an end. */
  readonly most: number;
}
export type Sequence = readonly Part[];

const RANGE = '[A-Z]-[A-Z]|[a-z]-[a-z]|[0-9]-[0-9]';
const CLASS = `\\[((?:${RANGE}|[A-Za-z0-9 _:/@,;='%#!~<>.+*?(){}|$]|\\\\[-\\]^])+)\\]`;
const ONE = new RegExp(
  `^(?:${CLASS}|\\\\([.+*?(){}[\\]|^$-])|([A-Za-z0-9 _:/@,;='%&#!~<>-]))(?:\\{([0-9]{1,3})(,([0-9]{1,3}))?\\}|([?*+]))?`,
);
const timesOf = (sign: string) => ({
  least: sign === '?' || sign === '*' ? 0 : 1,
  most: sign === '*' || sign === '+' ? Infinity : 1,
});

/**
 * The sequences of which a text of this pattern is one. A pattern holds what every regular expression understands alike, and
 * what JSON writes as it is: characters of ASCII but `"` and `\`, behind a `\` those with a meaning; classes such as
 * `[A-Za-z0-9_]`; `{3}` and `{2,5}` behind these; groups, `|`, `?`, `*`, `+`. Throws an error that says where it does not.
 */
export function sequencesOf(pattern: string): readonly Sequence[] {
  let rest = pattern;
  const take = (found: RegExp) => {
    const match = found.exec(rest);
    rest = rest.slice(match?.[0].length ?? 0);
    return match;
  };
  const refuse = (why: string): never => {
    throw new Error(`its pattern is "${pattern}"; at ${pattern.length - rest.length + 1} ${why}`);
  };
  const sequences = (): Sequence[] => {
    const all: Part[][] = [[]];
    while (rest !== '' && !rest.startsWith(')')) {
      if (take(/^\|/)) all.push([]);
      else all.at(-1)?.push(take(/^\(/) ? group() : one());
    }
    return all;
  };
  const group = (): Part => {
    const of = sequences();
    const [, sign = ''] = take(/^\)([?*+]?)/) ?? refuse('a group should end');
    return { of, ...timesOf(sign) };
  };
  const one = (): Part => {
    const [, those, escaped, plain, least, more, most = more ?? least, sign = ''] =
      take(ONE) ??
      refuse('should be a character, a class such as [a-z0-9], a group, or | (docs/add-a-table.md)');
    const of = those === undefined ? (escaped ?? (plain as string)) : charactersOf(those);
    if (of.length === 0) refuse('a class ranges from the lesser character on');
    if (least === undefined) return { of, ...timesOf(sign) };
    if (Number(least) > Number(most) || Number(most) === 0) refuse('should come how often: {2,5}');
    return { of, least: Number(least), most: Number(most) };
  };
  const all = sequences();
  if (rest !== '') refuse('a group should begin before it ends');
  return all;
}

/** The characters of a class; none where one of its ranges has none. */
function charactersOf(those: string): string {
  const items = [...those.matchAll(new RegExp(`${RANGE}|\\\\?.`, 'g'))].map(([item]) =>
    item.length === 3 ? between(item) : item.slice(-1),
  );
  return items.includes('') ? '' : items.join('');
}

const between = (range: string) => {
  const [first, last] = [range.charCodeAt(0), range.charCodeAt(2)];
  return Array.from({ length: Math.max(last - first + 1, 0) }, (_, i) => String.fromCharCode(first + i)).join(
    '',
  );
};
