import assert from "node:assert/strict";
import type { Graph, Node } from "../../shared/graph.ts";
import { component, normInfinity } from "./vector.ts";
import { divide, exact, toNumber } from "./dyadic.ts";
import { evaluate, jacobianRow, outputAt, phasesAt } from "./network.ts";

function chain(
  input: number,
  ...layers: readonly (readonly [Partial<Node> & Pick<Node, "operator">, number])[]
): Graph {
  const nodes: Node[] = [{ operator: "input", inputs: [], size: input, name: "x" }];
  for (const [layer, size] of layers) {
    nodes.push({ inputs: [nodes.length - 1], size, name: `n${nodes.length}`, ...layer } as Node);
  }
  return { nodes };
}

function affine(weights: readonly number[], bias: readonly number[] | null): Partial<Node> & { operator: "affine" } {
  return {
    operator: "affine",
    weights: Float64Array.from(weights),
    bias: bias === null ? null : Float64Array.from(bias),
  };
}

const relu = { operator: "relu" } as const;
/** relu(x) - relu(-x) = x. */
const identity = chain(1, [affine([1, -1], null), 2], [relu, 2], [affine([1, -1], null), 1]);
const numbers = (x: { numerators: readonly bigint[]; exponent: number; denominator: bigint }) =>
  x.numerators.map((_, i) => toNumber(component(x, i)));

Deno.test("jacobianRow() of relu(x) - relu(-x) is 1 on both sides of the kink", () => {
  const values = evaluate(identity, [0]);
  assert.equal(phasesAt(identity, values, null), null);
  for (const direction of [1, -1]) {
    const phases = phasesAt(identity, values, [direction]);
    assert.ok(phases !== null);
    assert.deepEqual(numbers(jacobianRow(identity, phases, [1])), [1]);
  }
});

Deno.test("phasesAt() counts a dead neuron as off and refuses a direction along a kink", () => {
  const dead = chain(2, [affine([0, 0, 1, 1], [0, 0]), 2], [relu, 2], [affine([5, 2], [0.5]), 1]);
  const on = phasesAt(dead, evaluate(dead, [1, 0]), null);
  assert.ok(on !== null);
  assert.deepEqual(numbers(jacobianRow(dead, on, [1])), [2, 2]);
  const values = evaluate(dead, [1, -1]);
  assert.equal(phasesAt(dead, values, [1, -1]), null);
  const inward = phasesAt(dead, values, [1, 0]);
  assert.ok(inward !== null);
  assert.deepEqual(numbers(jacobianRow(dead, inward, [1])), [2, 2]);
});

Deno.test("outputAt() divides exactly: (x - 1) / 3 scaled by 2 and shifted", () => {
  const graph = chain(
    2,
    [{ operator: "shift", offsets: Float64Array.of(-1, -1) }, 2],
    [{ operator: "scale", factors: Float64Array.of(3, -7), inverse: true }, 2],
    [{ operator: "scale", factors: Float64Array.of(2, 2), inverse: false }, 2],
    [affine([1, 1], null), 1],
  );
  const y = component(outputAt(graph, [2, 3]), 0);
  // 2/3 - 4/7 = 2/21
  assert.equal(toNumber(y), toNumber(divide(exact(2), exact(21))));
  const phases = phasesAt(graph, evaluate(graph, [2, 3]), null)!;
  assert.deepEqual(numbers(jacobianRow(graph, phases, [1])).map((v) => v * 21), [14, -6]);
});

Deno.test("outputAt() keeps what doubles lose: 1e16 + 1 - 1e16", () => {
  const graph = chain(1, [affine([1e16, 1, -1e16], [0, 1, 0]), 3], [affine([1, 1, 1], null), 1]);
  assert.deepEqual(numbers(outputAt(graph, [1])), [2]);
  assert.equal(toNumber(normInfinity(outputAt(graph, [1]))), 2);
});
