import { paired } from './contracts';
import type { Description, StackDescription } from './description';
import type { Finding, Section } from './finding';
import { message, say, type Text } from './text';

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
    const settings = paired(before.settings, after.settings);
    const was = (key: string, b: string | undefined, a: string | undefined) =>
      findings.push({
        level: 'look',
        text: say`${name}: ${key} was ${b ?? 'not set'}, is ${a ?? 'not set'}`,
        path,
      });
    for (const one of settings.kept) if (one.before !== one.after) was(one.name, one.before, one.after);
    // What a new job or zone is set to by itself, and one that is gone, the definition says.
    const isOfPart = (key: string) => /^(?:jobs|zones|parameters)\./.test(key);
    for (const [key, value] of settings.gone) if (!isOfPart(key)) was(key, value, undefined);
    for (const [key, value] of settings.made) if (!isOfPart(key)) was(key, undefined, value);
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
