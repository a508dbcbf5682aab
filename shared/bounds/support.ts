import type { NodeId } from "../graph.ts";
import type { LinearOperator } from "../operators/operator.ts";
import { bends } from "./columns.ts";
import { isMixing, keptAt, type Pass, rulesOf } from "./pass.ts";

/** Indices of a node that coefficients stand over on their way down; `whole` where they are all that the pass keeps. */
export interface Support {
  /** Ascending; null: all of the node's. */
  readonly columns: Int32Array | null;
  readonly whole: boolean;
}

/**
 * What the rows of some of a node's values (null: all) reach, node by node down to `floor`: the receptive field, without
 * the indices that no group needs.
 *
 * An index is left out where every coefficient is exactly 0, so leaving it out changes no bit (shared/README.md (12)).
 */
export function supportsBelow(
  pass: Pass,
  target: NodeId,
  indices: Int32Array | null,
  floor: NodeId,
): ReadonlyMap<NodeId, Support> {
  const { nodes } = pass.graph;
  // Null: all that the pass keeps.
  const reached = new Map<NodeId, Int32Array | null>([[target, indices]]);
  const supports = new Map<NodeId, Support>();
  // Nodes that take coefficients as they are (the target's, or those of a node that keeps indices): none is left out.
  const passed = new Set<NodeId>([target]);
  // Consumers have larger ids: going down, a node is reached after all that send it coefficients.
  for (let id = target; id >= floor; id--) {
    const list = reached.get(id);
    if (list === undefined) continue;
    const support = supportOf(pass, id, list, passed.has(id));
    supports.set(id, support);
    if (id === floor) break;
    for (const input of nodes[id].inputs) {
      reached.set(input, union(reached.get(input), reachedFrom(pass, id, support, input)));
      if (!isMixing(nodes[id])) passed.add(input);
    }
  }
  return supports;
}

function reachedFrom(pass: Pass, id: NodeId, { columns, whole }: Support, input: NodeId): Int32Array | null {
  const node = pass.graph.nodes[id];
  if (isMixing(node)) return (rulesOf(node) as LinearOperator).matrix!.reached(node, columns);
  return whole && keptAt(pass, id) === keptAt(pass, input) ? null : columns;
}

/** Both ascending lists as one; null holds everything. */
function union(known: Int32Array | null | undefined, more: Int32Array | null): Int32Array | null {
  if (known === undefined) return more;
  if (known === null || more === null) return null;
  const both = new Int32Array(known.length + more.length);
  let count = 0;
  for (let i = 0, j = 0; i < known.length || j < more.length; count++) {
    const next = Math.min(known[i] ?? Infinity, more[j] ?? Infinity);
    if (known[i] === next) i++;
    if (more[j] === next) j++;
    both[count] = next;
  }
  return both.subarray(0, count);
}

function supportOf(pass: Pass, id: NodeId, list: Int32Array | null, isPassed: boolean): Support {
  const kept = keptAt(pass, id);
  const lines = pass.states[id]?.relaxations;
  // Where the pass keeps all, activations that are 0 in every group are left out here.
  const filter = lines && kept === null && !isPassed ? (i: number) => lines.some((one) => bends(one, i)) : null;
  const { size } = pass.graph.nodes[id];
  if (list === null && filter === null) return { columns: kept, whole: true };
  const mask = kept && maskOf(kept, size);
  const length = list === null ? size : list.length;
  const found = new Int32Array(length);
  let count = 0;
  for (let at = 0; at < length; at++) {
    const i = list === null ? at : list[at];
    if ((mask === null || mask[i] === 1) && (filter === null || filter(i))) found[count++] = i;
  }
  return count === (kept?.length ?? size)
    ? { columns: kept, whole: true }
    : { columns: found.slice(0, count), whole: false };
}

const masks = new WeakMap<Int32Array, Uint8Array>();

/** 1 for each index of a list. */
function maskOf(list: Int32Array, size: number): Uint8Array {
  let mask = masks.get(list);
  if (!mask) {
    mask = new Uint8Array(size);
    for (const i of list) mask[i] = 1;
    masks.set(list, mask);
  }
  return mask;
}
