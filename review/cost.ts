import { paired } from './contracts';
import type { Description, StackDescription } from './description';
import type { Finding, Section } from './finding';
import { listed, message, plain, say, type Text } from './text';

/** What the settings of stacks, and what they come to a month, were and are. */
export function stackSection(base: Description, head: Description): Section {
  const { gone, made, kept } = paired(base.stacks, head.stacks);
  const isRead = (stack: Description['stacks'][string]): stack is StackDescription => !('fault' in stack);
  const money = (usd: number) => [`${usd.toFixed(2)} USD`];
  const findings: Finding[] = [
    ...gone.map(
      ([name]): Finding => ({
        level: 'look',
        text: say`the stack ${name} has no file any more; what was deployed stays`,
      }),
    ),
    ...made.map(
      ([name, stack]): Finding => ({
        level: 'note',
        text: [
          ...say`the stack ${name} is new`,
          ...(isRead(stack) ? [': ', ...money(stack.cost.total), ' a month'] : []),
        ],
      }),
    ),
  ];
  const totals: Text[] = [];
  const rows = [];
  for (const { name, before, after } of kept) {
    const path = `Pulumi.${name}.yaml:1`;
    if (!isRead(after)) {
      const level = isRead(before) ? 'breaking' : 'look';
      findings.push({
        level,
        text: [...say`the stack ${name} cannot be deployed: `, ...message(after.fault)],
        path,
      });
      continue;
    }
    if (!isRead(before)) continue;
    for (const { what, was, is } of settingChanges(before.settings, after.settings))
      findings.push({
        // Of all that a stack has, its name is in the names.
        level: plain(what) === 'name' ? 'loss' : 'look',
        text: [...say`${name}: `, ...what, ...say` was ${was}, is ${is}`],
        path,
      });
    if (before.cost.total === after.cost.total) continue;
    const moved = [
      ...say`${name}: `,
      ...money(before.cost.total),
      ' → ',
      ...money(after.cost.total),
      ' a month',
    ];
    totals.push(moved);
    findings.push({ level: 'look', text: moved, path });
    const linesOf = ({ cost }: StackDescription) =>
      Object.fromEntries(cost.lines.map((line) => [line.class, line.monthly]));
    const [b, a] = [linesOf(before), linesOf(after)];
    for (const of of new Set([...Object.keys(b), ...Object.keys(a)]))
      if (b[of] !== a[of]) rows.push([say`${name}`, [of], money(b[of] ?? 0), money(a[of] ?? 0)]);
  }
  return {
    title: 'Stacks and cost',
    summary: totals.flatMap((text, i) => (i === 0 ? text : [', ', ...text])),
    findings,
    tables: rows.length > 0 ? [{ head: [['stack'], ['class'], ['before'], ['after']], rows }] : [],
  };
}

/** What changed, the same change of several jobs or zones together. */
function settingChanges(before: StackDescription['settings'], after: StackDescription['settings']) {
  const { gone, made, kept } = paired(before, after);
  // What a new job, zone or parameter is set to by itself, the definition says, and what one was that is gone.
  const partOf = (key: string) => /^(?:(?:jobs|zones)\.[^.]+\.|parameters\.)/.exec(key)?.[0];
  const isOfPart =
    (other: StackDescription['settings']) =>
    ([key]: readonly [string, string]) => {
      const part = partOf(key);
      return part === 'parameters.' || (part && !Object.keys(other).some((one) => one.startsWith(part)));
    };
  const NONE = 'not set';
  const all = [
    ...kept.flatMap(({ name, before: was, after: is }) => (was === is ? [] : [{ name, was, is }])),
    ...gone.filter((one) => !isOfPart(after)(one)).map(([name, was]) => ({ name, was, is: NONE })),
    ...made.filter((one) => !isOfPart(before)(one)).map(([name, is]) => ({ name, was: NONE, is })),
  ];
  const groups = new Map<string, { was: string; is: string; setting: string; parts: string[] }>();
  for (const { name, was, is } of all) {
    const [, part, setting = name] = /^(?:jobs|zones)\.([^.]+)\.(.+)$/.exec(name) ?? [];
    const key = JSON.stringify([setting, was, is]);
    const group = groups.get(key) ?? { was, is, setting, parts: [] };
    if (part !== undefined) group.parts.push(part);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ was, is, setting, parts }) => ({
    what: [...say`${setting}`, ...(parts.length > 0 ? [' of ', ...listed(parts)] : [])] satisfies Text,
    was,
    is,
  }));
}
