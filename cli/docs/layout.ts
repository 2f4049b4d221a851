import { Graph as DagreGraph, layout } from '@dagrejs/dagre';
import type { Catalogue, Graph } from './page/data';
import { BOX } from './page/model';

/** Of a letter and of the room around a text, in the font of the drawing. */
const [LETTER, PADDING] = [7.4, 22];

/** Places tables and, where they are given, queries from left to right, each after what it reads. */
export function graphOf(
  { tables, jobs }: Pick<Catalogue, 'tables' | 'jobs'>,
  queries: Catalogue['queries'] = [],
): Graph {
  const graph = new DagreGraph();
  // The finest ranking takes a minute for 500 tables, this one a second.
  graph.setGraph({ rankdir: 'LR', ranker: 'tight-tree', nodesep: 14, ranksep: 44, marginx: 8, marginy: 8 });
  graph.setDefaultEdgeLabel(() => ({}));
  const made = new Set(jobs.map(({ name }) => name));
  const add = (id: string, name: string, more = 0) =>
    graph.setNode(id, { width: Math.round(name.length * LETTER + PADDING + more), height: BOX.height });
  for (const { name } of tables) add(`table/${name}`, name, made.has(name) ? BOX.tag : 0);
  for (const { name, inputs } of jobs)
    for (const input of inputs) graph.setEdge(`table/${input}`, `table/${name}`);
  for (const { name, tables: read } of queries) {
    add(`query/${name}`, name);
    for (const table of read)
      if (graph.hasNode(`table/${table}`)) graph.setEdge(`table/${table}`, `query/${name}`);
  }
  layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  return {
    width: Math.ceil(width),
    height: Math.ceil(height),
    nodes: graph.nodes().map((id: string) => {
      const node = graph.node(id);
      return { id, x: Math.round(node.x), y: Math.round(node.y), width: node.width };
    }),
    edges: graph.edges().map((edge: { v: string; w: string }) => ({
      from: edge.v,
      to: edge.w,
      points: graph
        .edge(edge)
        .points.map(({ x, y }: { x: number; y: number }) => [Math.round(x), Math.round(y)] as const),
    })),
  };
}
