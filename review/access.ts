import { hasQuarantine, openColumns, type Pipeline } from '../model';
import { forgets, needsKey } from '../model/manifest';
import type { Description, Right } from './description';
import type { Finding, Section } from './finding';
import { listed, say } from './text';

/** What a stack says of who may query. */
interface Governed {
  readonly permissions: 'iam' | 'lake-formation';
  readonly analysts: readonly string[];
}

/** What the roles of a stack may do to tables, by the definition: the words for the policies of `components/`. */
export function jobRights({ jobs }: Pipeline): Right[] {
  return jobs.flatMap((job): Right[] => {
    const who = `the job ${job.name}`;
    const right = (may: Right['may'], what: string): Right => ({ who, may, what });
    const refusing = [...job.inputs.filter(({ format }) => format !== 'iceberg'), job.output].filter(
      hasQuarantine,
    );
    return [
      ...job.inputs.map(({ name }) => right('read', name)),
      right('write', job.output.name),
      ...refusing.map(({ name }) => right('write', `${name}_quarantine`)),
      ...(needsKey(job) ? [right('use', 'the key of pseudonyms')] : []),
      ...(forgets(job) ? [right('read', 'the list of who was forgotten')] : []),
    ];
  });
}

/** Which columns whoever may not see personal data may query, in a stack. */
export function analystRights(
  { tables }: Pipeline,
  { permissions, analysts }: Governed,
  stack?: string,
): Right[] {
  const byColumn = permissions === 'lake-formation';
  const who = byColumn ? analysts : ['analysts'];
  const cells = [...tables.values()].flatMap((table) => {
    const open = openColumns(table);
    // IAM knows tables, and no columns of them.
    return byColumn || open.length === Object.keys(table.columns).length
      ? open.map((column) => ({ what: table.name, column }))
      : [];
  });
  return who.flatMap((one) =>
    cells.map((cell): Right => ({ who: one, may: 'query', ...cell, ...(stack !== undefined && { stack }) })),
  );
}

/** The cells of the matrix that somebody won or lost. */
export function accessSection(base: Description, head: Description): Section {
  const won = grantsOf(head, base);
  const lost = grantsOf(base, head);
  const findings = [
    ...won.map((grant): Finding => finding(grant, head, 'access', 'may now')),
    ...lost.map((grant): Finding => finding(grant, base, 'look', 'may no longer')),
  ];
  const summary = won.length + lost.length > 0 ? [`${won.length} won, ${lost.length} lost`] : [];
  return { title: 'Access', summary, findings };
}

type Grant = Omit<Right, 'column' | 'stack'> & {
  readonly columns: readonly string[];
  readonly stacks: readonly string[];
};

/** The rights of a revision that the other one lacks; those of one table's columns, and of several stacks, together. */
function grantsOf({ access }: Description, other: Description): Grant[] {
  const had = new Set(other.access.map(keyOf));
  // Of a stack that only one revision has, or can read, there is nothing to compare; without any, IAM is taken for granted.
  const isKnown = (stack: string) => 'cost' in (other.stacks[stack] ?? {});
  const isComparable = ({ stack, column }: Right) =>
    stack === undefined ? column === undefined || Object.keys(other.stacks).length === 0 : isKnown(stack);
  const grants = new Map<string, Grant>();
  for (const right of access) {
    if (had.has(keyOf(right)) || !isComparable(right)) continue;
    const { who, may, what, column, stack } = right;
    const key = JSON.stringify([who, may, what]);
    const before = grants.get(key) ?? { who, may, what, columns: [], stacks: [] };
    const union = (all: readonly string[], one: string | undefined) => [
      ...new Set([...all, ...(one ? [one] : [])]),
    ];
    grants.set(key, {
      ...before,
      columns: union(before.columns, column),
      stacks: union(before.stacks, stack),
    });
  }
  return [...grants.values()];
}

const keyOf = ({ who, may, what, column, stack }: Right) => JSON.stringify([who, may, what, column, stack]);

const JOB = /^the job /;

function finding(grant: Grant, of: Description, level: Finding['level'], may: string): Finding {
  const { who, what, columns, stacks } = grant;
  const all = Object.keys(of.tables[what]?.columns ?? {});
  const isWhole = columns.length === 0 || all.every((column) => columns.includes(column));
  const place = isWhole ? say`${what}` : [...listed(columns), ...say` of ${what}`];
  const isEverywhere = stacks.length === 0 || stacks.length === Object.keys(of.stacks).length;
  const where = isEverywhere ? [] : [' in ', ...listed(stacks)];
  return {
    level,
    text: [
      ...(JOB.test(who) ? ['the job ', ...say`${who.replace(JOB, '')}`] : say`${who}`),
      ` ${may} ${grant.may} `,
      ...place,
      ...where,
    ],
    path: JOB.test(who) ? who.replace(JOB, '') : what,
  };
}
