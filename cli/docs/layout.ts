import { Graph as DagreGraph, layout } from '@dagrejs/dagre';
import type { Pipeline } from '../../model';
import type { Graph } from './page/data';
import { BOX, boxWidth } from './page/model';

/** Places tables from left to right, each after what it is made of. */
export function graphOf({ tables, jobs }: Pipeline): Graph {
  const graph = new DagreGraph();
  // The finest ranking takes a minute for 500 tables, this one a second.
  graph.setGraph({ rankdir: 'LR', ranker: 'tight-tree', nodesep: 14, ranksep: 44, marginx: 8, marginy: 8 });
  graph.setDefaultEdgeLabel(() => ({}));
  const made = new Set(jobs.map(({ name }) => name));
  for (const name of tables.keys())
    graph.setNode(`table/${name}`, {
      width: boxWidth(name) + (made.has(name) ? BOX.tag : 0),
      height: BOX.height,
    });
  for (const { name, inputs } of jobs)
    for (const input of inputs) graph.setEdge(`table/${input.name}`, `table/${name}`);
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
