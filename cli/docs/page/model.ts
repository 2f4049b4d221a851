// What the views ask of the catalogue again and again, looked up once.
import type { Catalogue, Graph, JobDoc, QueryDoc, TableDoc } from './data';

/** Of a box of the graph, in pixels. What makes a table is a tag on the left of its box. */
export const BOX = { height: 36, tag: 34 };

/** Of a name in the font of the drawing, with the room around it. */
export const boxWidth = (name: string) => Math.round(name.length * 7.4 + 22);

export interface Model extends Catalogue {
  readonly table: ReadonlyMap<string, TableDoc>;
  readonly job: ReadonlyMap<string, JobDoc>;
  readonly query: ReadonlyMap<string, QueryDoc>;
  /** `table.column` to the columns that are made of it. */
  readonly uses: ReadonlyMap<string, readonly string[]>;
}

const byName = <T extends { readonly name: string }>(all: readonly T[]) =>
  new Map(all.map((one) => [one.name, one]));

export function modelOf(catalogue: Catalogue): Model {
  const { tables, jobs, queries } = catalogue;
  const uses = new Map<string, string[]>();
  for (const { name, lineage } of jobs)
    for (const [column, origins] of Object.entries(lineage?.columns ?? {}))
      for (const origin of Object.keys(origins))
        uses.set(origin, [...(uses.get(origin) ?? []), `${name}.${column}`]);
  return { ...catalogue, table: byName(tables), job: byName(jobs), query: byName(queries), uses };
}

/** The graph with the queries in a column after all tables, each at the height of what it reads. */
export function withQueries(graph: Graph, queries: readonly QueryDoc[]): Graph {
  const step = BOX.height + 14;
  const height = Math.max(graph.height, (queries.length + 1) * step);
  const left = graph.width + 90;
  // Tables stand in the middle of it.
  const down = (height - graph.height) / 2;
  const tables = graph.nodes.map((node) => ({ ...node, y: node.y + down }));
  const placed = queries
    .map(({ name, tables: read }) => {
      const of = tables.filter(({ id }) =>
        read.some((table) => id === `table/${table.replace(/_quarantine$/, '')}`),
      );
      const mean = of.reduce((sum, { y }) => sum + y, 0) / (of.length || 1);
      return { id: `query/${name}`, width: boxWidth(name), of, mean };
    })
    .toSorted((a, b) => a.mean - b.mean)
    .map((query, i) => ({ ...query, x: left + query.width / 2, y: (i + 1) * step }));
  return {
    width: left + Math.max(0, ...placed.map(({ width }) => width)) + 8,
    height,
    nodes: [...tables, ...placed],
    edges: [
      ...graph.edges.map((edge) => ({
        ...edge,
        points: edge.points.map(([x, y]) => [x, y + down] as const),
      })),
      ...placed.flatMap(({ id, of, y }) =>
        of.map((table) => ({
          ...{ from: table.id, to: id },
          points: [
            [table.x + table.width / 2, table.y],
            [left - 30, y],
            [left, y],
          ] as const,
        })),
      ),
    ],
  };
}

/** A box of the graph with all that it is made of and all that is made of it. */
export function relatedTo({ edges }: Graph, id: string): ReadonlySet<string> {
  const walk = (from: 'from' | 'to', to: 'from' | 'to') => {
    const found = new Set([id]);
    for (const one of found) for (const edge of edges) if (edge[from] === one) found.add(edge[to]);
    return found;
  };
  return new Set([...walk('from', 'to'), ...walk('to', 'from')]);
}

export interface Entry {
  /** The place in the page. */
  readonly id: string;
  readonly kind: string;
  readonly title: string;
  readonly text: string;
}

export const GLOSSARY: Readonly<Record<string, string>> = {
  source: 'A table of files as others write them. What cannot be read goes to quarantine.',
  job: 'One SELECT that makes one table of others.',
  zone: 'A stage of the data. It orders what people may see, not what jobs may read.',
  direct: 'Class of personal data: the value names a person alone, as an e-mail address does.',
  quasi: 'Class of personal data: the value names a person together with others, as a birthday does.',
  pseudonym: 'A keyed hash in place of a value that names somebody: equal for equal values.',
  expectation:
    'A query that gives the bad rows of a table. fail: nothing is published; quarantine: they are moved out; warn: they are reported.',
  refused:
    'Of a source: a record that is not as its contract says. It is kept in quarantine with its reason.',
  filtered: 'Rows that a job read and that gave no row.',
  stale: 'Older than what it is made from.',
  identity: 'Lineage: the value as it was. transformation: made of it; aggregation: made of many.',
  'join, filter, group by, sort': 'Lineage: the value decides which rows there are, or their order.',
  'conditional, window': 'Lineage: the value decides which other value is taken.',
};

/** Everything that can be found. */
export const entriesOf = ({ tables, jobs, queries, zones, sections, runs, costs }: Catalogue): Entry[] => [
  ...tables.flatMap((t): Entry[] => [
    { id: `table/${t.name}`, kind: 'table', title: t.name, text: `${t.zone} ${t.description}` },
    ...t.columns.map((c) => ({
      id: `table/${t.name}/${c.name}`,
      kind: 'column',
      title: `${t.name}.${c.name}`,
      text: `${c.description} ${c.type} ${c.pii ?? ''} ${c.aliases.join(' ')}`,
    })),
    ...t.expectations.map((e) => ({
      id: `table/${t.name}/expects`,
      kind: 'expectation',
      title: `${t.name}: ${e.name}`,
      text: `${e.description} ${e.severity}`,
    })),
  ]),
  ...jobs.map((j) => ({
    id: `job/${j.name}`,
    kind: 'job',
    title: j.name,
    text: `${j.description} ${j.code} ${j.cases}`,
  })),
  ...queries.map((q) => ({
    id: `query/${q.name}`,
    kind: 'query',
    title: q.name,
    text: `${q.description} ${q.sql}`,
  })),
  ...zones.map((z) => ({ id: 'overview', kind: 'zone', title: z.name, text: z.description })),
  ...sections.map((s) => ({ id: 'overview', kind: 'section', title: s.title, text: s.description })),
  ...runs.map((r) => ({
    id: `run/${r.runId}`,
    kind: 'run',
    title: r.runId,
    text: [r.outcome, ...(r.failures ?? [])].join(' '),
  })),
  ...costs.map(({ stack }) => ({ id: 'costs', kind: 'costs', title: stack, text: 'stack' })),
  ...Object.entries(GLOSSARY).map(([title, text]) => ({ id: 'glossary', kind: 'word', title, text })),
];

/** The entries that have every word, those that have them in their names first. */
export function search(entries: readonly Entry[], text: string): Entry[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  const found = entries.flatMap((entry) => {
    const title = entry.title.toLowerCase();
    const all = `${title} ${entry.kind} ${entry.text.toLowerCase()}`;
    if (!words.every((word) => all.includes(word))) return [];
    const isNamed = words.every((word) => title.includes(word));
    const score = title === words.join(' ') ? 0 : !isNamed ? 3 : title.startsWith(words[0] as string) ? 1 : 2;
    return [{ entry, score }];
  });
  return found.toSorted((a, b) => a.score - b.score).map(({ entry }) => entry);
}
