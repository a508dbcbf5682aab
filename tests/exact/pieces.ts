/** The pieces of the piecewise-linear activations: constants of their nodes, no arithmetic. */
import type { Node } from "../../shared/graph.ts";

/** slope z + constant, for z between two kinks. */
export interface Piece {
  readonly slope: number;
  readonly constant: number;
}

export type Activation = Extract<Node, { operator: "relu" | "leaky_relu" | "clip" | "abs" }>;

export function isActivation(node: Node): node is Activation {
  return ["relu", "leaky_relu", "clip", "abs"].includes(node.operator);
}

/** Where neuron i bends, ascending. */
export function kinksOf(node: Node, i: number): readonly number[] {
  if (node.operator !== "clip") return [0];
  const [lower, upper] = [node.lower[i], node.upper[i]];
  return lower === upper ? [] : [lower, upper].filter(Number.isFinite);
}

/** The piece of neuron i beyond its first `passed` kinks. Throws: RangeError where the node is no activation. */
export function pieceOf(node: Node, i: number, passed: number): Piece {
  switch (node.operator) {
    case "relu":
      return { slope: passed, constant: 0 };
    case "leaky_relu":
      return { slope: passed === 0 ? node.slopes[i] : 1, constant: 0 };
    case "abs":
      return { slope: passed === 0 ? -1 : 1, constant: 0 };
    case "clip": {
      const [lower, upper] = [node.lower[i], node.upper[i]];
      if (lower === upper) return { slope: 0, constant: lower };
      // With an infinite lower end there is no kink to pass before the middle.
      const piece = passed + (lower === -Infinity ? 1 : 0);
      return piece === 1 ? { slope: 1, constant: 0 } : { slope: 0, constant: piece === 0 ? lower : upper };
    }
    default:
      throw new RangeError(`${node.operator} is no activation`);
  }
}
