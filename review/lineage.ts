import { codeOf, meaningOf, paired } from './contracts';
import type { Description } from './description';
import type { Section } from './finding';
import { grouped, lineOf } from './text';

/** GitHub draws no more. */
const MOST_EDGES = 500;
const MOST_CHARACTERS = 50_000;
const MOST_OF_NAME = 100;

/** What is made of what changed, as a flowchart of Mermaid; the changed parts are marked. */
export function lineageSection(base: Description, head: Description): Section {
  const edges = edgesOf(base, head);
  const changed = changedParts(base, head);
  const reached = new Set(changed);
  // A set grows while it is walked.
  for (const one of reached) for (const { from, to } of edges) if (from === one) reached.add(to);
  const shown = edges.filter(({ from, to }) => reached.has(from) && reached.has(to));
  const downstream = reached.size - changed.size;
  const summary =
    changed.size === 0 ? [] : [`${grouped(changed.size)} changed, ${grouped(downstream)} downstream`];
  const chart = chartOf([...reached], shown, changed);
  const isTooLarge = shown.length > MOST_EDGES || chart.length > MOST_CHARACTERS;
  return {
    title: 'Lineage',
    summary: isTooLarge ? [...summary, ': more than GitHub draws'] : summary,
    findings: [],
    ...(changed.size > 0 && !isTooLarge && { chart }),
  };
}

interface Edge {
  readonly from: string;
  readonly to: string;
}

const queryNode = (name: string) => `queries/${name}.sql`;

/** Those of both revisions: what lost an input is downstream of it too. */
function edgesOf(...of: readonly Description[]): Edge[] {
  const all = of.flatMap(({ jobs, queries }) => [
    ...Object.entries(jobs).flatMap(([to, { inputs }]) => inputs.map((from) => ({ from, to }))),
    ...Object.entries(queries).flatMap(([name, { tables }]) =>
      tables.map((from) => ({ from: from.replace(/_quarantine$/, ''), to: queryNode(name) })),
    ),
  ]);
  return [...new Map(all.map((edge) => [`${edge.from}\n${edge.to}`, edge])).values()];
}

/** Tables and queries whose rows may be others now. To reword a description changes none. */
function changedParts(base: Description, head: Description): Set<string> {
  const tables = paired(tableParts(base), tableParts(head));
  const queries = paired(queryParts(base), queryParts(head));
  const names = ({ gone, made, kept }: ReturnType<typeof paired<string>>) => [
    ...kept.flatMap(({ name, before, after }) => (before === after ? [] : [name])),
    ...[...gone, ...made].map(([name]) => name),
  ];
  return new Set([...names(tables), ...names(queries)]);
}

const tableParts = ({ tables, jobs, parameters }: Description) =>
  Object.fromEntries(
    Object.entries(tables).map(([name, table]) => {
      const { columns, keys, expectations, zone, format, entity, each, iceberg } = table;
      const contract = Object.entries(columns).map(([column, { description, ...rest }]) => [column, rest]);
      const rules = Object.entries(expectations).map(([rule, { severity, sql }]) => [
        rule,
        severity,
        meaningOf(sql),
      ]);
      const job = jobs[name];
      const defaults = job?.parameters.map((one) => [one, parameters[one]?.default]);
      const made = job && [job.inputs, defaults, job.language, codeOf(job)];
      const partitions = iceberg && 'partitionSpec' in iceberg ? iceberg.partitionSpec : undefined;
      return [name, JSON.stringify([contract, keys, rules, zone, format, entity, each, partitions, made])];
    }),
  );

const queryParts = ({ queries }: Description) =>
  Object.fromEntries(Object.entries(queries).map(([name, { sql }]) => [queryNode(name), meaningOf(sql)]));

function chartOf(nodes: readonly string[], edges: readonly Edge[], changed: ReadonlySet<string>): string {
  const ids = new Map(nodes.map((node, i) => [node, `n${i}`]));
  return [
    'flowchart LR',
    ...nodes.map((node) => {
      const label = `"${labelOf(node)}"`;
      return `  ${ids.get(node)}${node.startsWith('queries/') ? `(${label})` : `[${label}]`}${changed.has(node) ? ':::changed' : ''}`;
    }),
    ...edges.map(({ from, to }) => `  ${ids.get(from)} --> ${ids.get(to)}`),
    '  classDef changed fill:#fff3cd,stroke:#b58900,stroke-width:3px,color:#000',
  ].join('\n');
}

/** Mermaid takes codes of characters in a label, and no empty one; any but letters, digits and these could be a word of its own. */
const labelOf = (name: string): string =>
  [...(lineOf(name, MOST_OF_NAME) || ' ')]
    .map((c) => (/[\w ./-]/.test(c) ? c : `#${c.codePointAt(0)};`))
    .join('');
