import type { NodeId } from "../graph.ts";
import type { LinearOperator } from "../operators/operator.ts";
import { bends } from "./columns.ts";
import { isMixing, keptAt, type Pass, rulesOf } from "./pass.ts";

/** Indices of a node that coefficients stand over on their way down; `whole` where they are all that the pass keeps. */
export interface Support {
  /** Null: all of the node's. */
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
  const marks = new Map<NodeId, Uint8Array | "all">([[
    target,
    indices === null ? "all" : marked(nodes[target].size, indices),
  ]]);
  const supports = new Map<NodeId, Support>();
  // Nodes that take coefficients as they are (the target's, or those of a node that keeps indices): none is left out.
  const passed = new Set<NodeId>([target]);
  // Consumers have larger ids: going down, a node is reached after all that send it coefficients.
  for (let id = target; id >= floor; id--) {
    const mark = marks.get(id);
    if (mark === undefined) continue;
    const support = supportOf(pass, id, mark, passed.has(id));
    supports.set(id, support);
    if (id === floor) break;
    for (const input of nodes[id].inputs) {
      marks.set(input, markInput(pass, id, support, input, marks.get(input)));
      if (!isMixing(nodes[id])) passed.add(input);
    }
  }
  return supports;
}

function marked(size: number, indices: Int32Array): Uint8Array {
  const mark = new Uint8Array(size);
  for (const i of indices) mark[i] = 1;
  return mark;
}

function markInput(
  pass: Pass,
  id: NodeId,
  { columns, whole }: Support,
  input: NodeId,
  before: Uint8Array | "all" | undefined,
): Uint8Array | "all" {
  if (before === "all") return "all";
  const node = pass.graph.nodes[id];
  const rules = rulesOf(node)!;
  const { size } = pass.graph.nodes[input];
  if (rules.kind === "linear" && rules.matrix) {
    if (rules.matrix.dense) return "all";
    const mark = before ?? new Uint8Array(size);
    (rules as LinearOperator).matrix!.markInputs(node, columns, mark);
    return mark;
  }
  if (columns === null || (whole && sameKept(pass, id, input))) return "all";
  const mark = before ?? new Uint8Array(size);
  for (const i of columns) mark[i] = 1;
  return mark;
}

function sameKept(pass: Pass, id: NodeId, input: NodeId): boolean {
  return keptAt(pass, id) === keptAt(pass, input);
}

function supportOf(pass: Pass, id: NodeId, mark: Uint8Array | "all", isPassed: boolean): Support {
  const kept = keptAt(pass, id);
  const lines = pass.states[id]?.relaxations;
  // Where the pass keeps all, activations that are 0 in every group are left out here.
  const filter = lines && kept === null && !isPassed ? (i: number) => lines.some((one) => bends(one, i)) : null;
  if (mark === "all" && filter === null) return { columns: kept, whole: true };
  const { size } = pass.graph.nodes[id];
  const found = new Int32Array(kept?.length ?? size);
  let count = 0;
  for (let at = 0; at < found.length; at++) {
    const i = kept === null ? at : kept[at];
    if ((mark === "all" || mark[i] === 1) && (filter === null || filter(i))) found[count++] = i;
  }
  if (count === found.length) return { columns: kept, whole: true };
  return { columns: found.slice(0, count), whole: false };
}
