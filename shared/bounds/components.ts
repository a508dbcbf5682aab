import type { Graph, NodeId } from "../graph.ts";
import { isMixing } from "./pass.ts";

/**
 * The *components* of a graph: nodes that keep their indices (no matrix between them) and therefore share one set of
 * columns. In a droppable one an index that no group needs is dropped from all its nodes.
 */
export interface Components {
  /** Component of each node. */
  readonly of: readonly number[];
  /** Nodes of each component, ascending. */
  readonly members: readonly (readonly NodeId[])[];
  /** A chain without branches that does not end the graph; elsewhere all indices are kept. */
  readonly droppable: readonly boolean[];
}

export function componentsOf({ nodes }: Graph): Components {
  const of: number[] = [];
  const members: NodeId[][] = [];
  nodes.forEach((node, id) => {
    if (node.inputs.length === 0 || isMixing(node)) {
      of.push(members.length);
      members.push([id]);
      return;
    }
    const [first, ...others] = node.inputs.map((input) => of[input]);
    for (const other of others) if (other !== first) merge(first, other, of, members);
    of.push(first);
    members[first].push(id);
  });
  const consumers = nodes.map(() => 0);
  for (const node of nodes) for (const input of node.inputs) consumers[input]++;
  const droppable = members.map((list) =>
    list.length > 0 && !list.includes(nodes.length - 1) &&
    list.every((id, at) => nodes[id].inputs.length <= 1 && (at === list.length - 1 || consumers[id] === 1))
  );
  return { of, members, droppable };
}

function merge(into: number, from: number, of: number[], members: NodeId[][]): void {
  for (const id of members[from]) of[id] = into;
  members[into] = [...members[into], ...members[from]].sort((a, b) => a - b);
  members[from] = [];
}
