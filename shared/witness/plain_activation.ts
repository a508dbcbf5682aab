import type { Node } from "../graph.ts";
import { rulesOf } from "../bounds/pass.ts";
import type { PlainActivation } from "../operators/operator.ts";

/** The activations in plain floating point, with derivatives as steps or softened to sigmoids. */

/** Whether a node's derivative depends on its input. */
export function isActivation(node: Node): boolean {
  return rulesOf(node)?.kind === "elementwise";
}

/** The value of neuron i at z. Throws: RangeError where the node is no activation of a network. */
export function activationAt(node: Node, i: number, z: number): number {
  return plainOf(node).value(node, i, z);
}

/** The derivative of neuron i at z; of a sharpness s > 0 with every step from one slope to the next a sigmoid of s z. */
export function derivativeAt(node: Node, i: number, z: number, sharpness: number): number {
  return plainOf(node).derivative(node, i, z, stepOf(sharpness));
}

/** The slope of the softened derivative of neuron i at z. */
export function derivativeSlope(node: Node, i: number, z: number, sharpness: number): number {
  return plainOf(node).bend(node, i, z, (at) => sigmoidSlope(at, sharpness));
}

/** The largest |derivative| of neuron i. */
export function steepestAt(node: Node, i: number): number {
  return plainOf(node).steepest(node, i);
}

/** The rules of a node that is an activation: looked up once for all its neurons. */
export function plainOf(node: Node): PlainActivation {
  const rules = rulesOf(node);
  if (rules?.kind === "elementwise" && rules.plain) return rules.plain;
  throw new RangeError(`Cannot evaluate operator ${node.operator} of a network`);
}

/** The step at 0 (sharpness 0), or the sigmoid that stands in its place. */
export function stepOf(sharpness: number): (z: number) => number {
  return sharpness === 0 ? step : (z) => sigmoid(z, sharpness);
}

function step(z: number): number {
  return z > 0 ? 1 : 0;
}

/** A rational sigmoid in the step's place: only + and /, so that every host finds the same points. */
function sigmoid(z: number, sharpness: number): number {
  if (Math.abs(z) === Infinity) return step(z);
  const scaled = z * sharpness;
  return 0.5 + 0.5 * scaled / (1 + Math.abs(scaled));
}

function sigmoidSlope(z: number, sharpness: number): number {
  const base = 1 + Math.abs(z * sharpness);
  return 0.5 * sharpness / (base * base);
}
