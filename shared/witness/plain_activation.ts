import type { Node } from "../graph.ts";

/** The activations in plain floating point, with derivatives as steps or softened to sigmoids. */

/** Whether a node's derivative depends on its input. */
export function isActivation({ operator }: Node): boolean {
  return operator === "relu" || operator === "leaky_relu" || operator === "clip" || operator === "abs";
}

/** The value of neuron i at z. Throws: RangeError where the node is no activation of a network. */
export function activationAt(node: Node, i: number, z: number): number {
  switch (node.operator) {
    case "relu":
      return z > 0 ? z : 0;
    case "leaky_relu":
      return z > 0 ? z : node.slopes[i] * z;
    case "clip":
      return Math.min(Math.max(z, node.lower[i]), node.upper[i]);
    case "abs":
      return Math.abs(z);
    default:
      throw new RangeError(`Cannot evaluate operator ${node.operator} of a network`);
  }
}

/** The derivative of neuron i at z; of a sharpness s > 0 with every step from one slope to the next a sigmoid of s z. */
export function derivativeAt(node: Node, i: number, z: number, sharpness: number): number {
  switch (node.operator) {
    case "relu":
      return gate(z, sharpness);
    case "leaky_relu":
      return node.slopes[i] + (1 - node.slopes[i]) * gate(z, sharpness);
    case "clip":
      return gate(z - node.lower[i], sharpness) - gate(z - node.upper[i], sharpness);
    case "abs":
      return 2 * gate(z, sharpness) - 1;
    default:
      throw new RangeError(`Cannot differentiate operator ${node.operator} of a network`);
  }
}

/** The slope of the softened derivative of neuron i at z. */
export function derivativeSlope(node: Node, i: number, z: number, sharpness: number): number {
  switch (node.operator) {
    case "relu":
      return gateSlope(z, sharpness);
    case "leaky_relu":
      return (1 - node.slopes[i]) * gateSlope(z, sharpness);
    case "clip":
      return gateSlope(z - node.lower[i], sharpness) - gateSlope(z - node.upper[i], sharpness);
    case "abs":
      return 2 * gateSlope(z, sharpness);
    default:
      return 0;
  }
}

/** The step at 0, or a rational sigmoid in its place: only + and /, so that every host finds the same points. */
function gate(z: number, sharpness: number): number {
  if (sharpness === 0 || Math.abs(z) === Infinity) return z > 0 ? 1 : 0;
  const scaled = z * sharpness;
  return 0.5 + 0.5 * scaled / (1 + Math.abs(scaled));
}

function gateSlope(z: number, sharpness: number): number {
  const base = 1 + Math.abs(z * sharpness);
  return 0.5 * sharpness / (base * base);
}
