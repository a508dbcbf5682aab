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
  const mark = noneMarked(size);
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
    const mark = before ?? noneMarked(size);
    (rules as LinearOperator).matrix!.markInputs(node, columns, mark);
    return mark;
  }
  if (columns === null || (whole && sameKept(pass, id, input))) return "all";
  const mark = before ?? noneMarked(size);
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
  const chosen = mark === "all" ? allMarked(size) : mark;
  if (kept) keepOnly(chosen, keptMask(kept, size));
  const columns = markedIndices(chosen, size, filter);
  return columns.length === (kept?.length ?? size) ? { columns: kept, whole: true } : { columns, whole: false };
}

/** A mark for each of `size` indices; whole words, so that stretches without any are skipped. */
function noneMarked(size: number): Uint8Array {
  return new Uint8Array((size + 3) & ~3);
}

function allMarked(size: number): Uint8Array {
  return noneMarked(size).fill(1, 0, size);
}

const masks = new WeakMap<Int32Array, Uint8Array>();

function keptMask(kept: Int32Array, size: number): Uint8Array {
  let mask = masks.get(kept);
  if (!mask) {
    mask = noneMarked(size);
    for (const i of kept) mask[i] = 1;
    masks.set(kept, mask);
  }
  return mask;
}

function keepOnly(mark: Uint8Array, mask: Uint8Array): void {
  const words = new Uint32Array(mark.buffer), others = new Uint32Array(mask.buffer);
  for (let w = 0; w < words.length; w++) if (words[w] !== 0) words[w] &= others[w];
}

function markedIndices(mark: Uint8Array, size: number, filter: ((i: number) => boolean) | null): Int32Array {
  const words = new Uint32Array(mark.buffer);
  const found = new Int32Array(size);
  let count = 0;
  for (let w = 0; w < words.length; w++) {
    if (words[w] === 0) continue;
    for (let i = 4 * w; i < 4 * w + 4; i++) {
      if (mark[i] === 1 && (filter === null || filter(i))) found[count++] = i;
    }
  }
  return found.slice(0, count);
}
