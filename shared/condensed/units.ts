import type { Pass } from "../bounds/pass.ts";
import { rulesOf } from "../bounds/pass.ts";
import type { Graph, NodeId } from "../graph.ts";
import type { ElementwiseOperator, LinearPieces } from "../operators/operator.ts";

/** One relu of the condensed network: neuron `index` of an activation bends at `kink`. */
export interface Unit {
  readonly activation: NodeId;
  readonly index: number;
  readonly kink: number;
}

/**
 * An activation over a region: slope z + constant in every place, plus jump relu(z - kink) for every bend.
 *
 * Rounding: slopes, constants and kinks are exact; a jump has one rounding.
 */
export interface BentNode {
  readonly slopes: Float64Array;
  /** null where all are 0. */
  readonly constants: Float64Array | null;
  readonly bends: readonly Bend[];
}

export interface Bend {
  readonly unit: Unit;
  /** The slope above the kink less the slope below. */
  readonly jump: number;
}

/**
 * Every activation of a network over the region of a group: what is known to be linear is a line, each kink that the
 * derivative may pass is a bend. Source: shared/README.md (23)
 */
export function bentNodes({ graph, states, groups }: Pass, group: number): ReadonlyMap<NodeId, BentNode> {
  const found = new Map<NodeId, BentNode>();
  graph.nodes.forEach((node, id) => {
    const rules = rulesOf(node);
    if (rules?.kind !== "elementwise") return;
    if (!rules.derivative || !rules.linearPieces) {
      throw new RangeError(`${node.operator} is no activation of a network`);
    }
    const box = states[node.inputs[0]].boxes[group];
    const range = rules.derivative(box, groups[group].phases?.get(id) ?? null, node);
    const slopes = new Float64Array(node.size), constants = new Float64Array(node.size);
    const bends: Bend[] = [];
    for (let index = 0; index < node.size; index++) {
      const pieces = (rules as Required<ElementwiseOperator>).linearPieces(node, index);
      const [l, u, d] = [box.lower[index], box.upper[index], range.lower[index]];
      const isOpen = d < range.upper[index];
      const first = isOpen ? pieces.kinks.filter((kink) => kink < l).length : pieceOn(pieces, l, u, d);
      slopes[index] = pieces.slopes[first];
      constants[index] = pieces.constants[first];
      for (let k = first; isOpen && k < pieces.kinks.length && pieces.kinks[k] <= u; k++) {
        const unit = { activation: id, index, kink: pieces.kinks[k] };
        bends.push({ unit, jump: pieces.slopes[k + 1] - pieces.slopes[k] });
      }
    }
    found.set(id, { slopes, constants: constants.some((c) => c !== 0) ? constants : null, bends });
  });
  return found;
}

/** The piece of slope d that holds [l, u]: of a decided phase, or of bounds strictly between two kinks. */
function pieceOn({ kinks, slopes }: LinearPieces, l: number, u: number, d: number): number {
  for (let k = 0; k < slopes.length; k++) {
    if (slopes[k] === d && (k === 0 || kinks[k - 1] <= l) && (k === kinks.length || u <= kinks[k])) return k;
  }
  throw new RangeError(`No piece of slope ${d} holds [${l}, ${u}]`);
}

/** How many activations with bends lie below each node, at most one after the other. */
export function ranksOf({ nodes }: Graph, bent: ReadonlyMap<NodeId, BentNode>): Int32Array {
  const ranks = new Int32Array(nodes.length);
  nodes.forEach(({ inputs }, id) => {
    for (const input of inputs) ranks[id] = Math.max(ranks[id], ranks[input] + (bent.get(input)?.bends.length ? 1 : 0));
  });
  return ranks;
}
