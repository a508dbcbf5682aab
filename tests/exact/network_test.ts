import assert from "node:assert/strict";
import type { Graph, Node } from "../../shared/graph.ts";
import { compare, divide, exact, subtract, toNumber } from "./dyadic.ts";
import { evaluate, jacobianRow, outputAt, type Phases, phasesAt, unitRow } from "./network.ts";
import { randomNetwork, RECIPES } from "./random_networks.ts";
import { component, exactMatrix, normInfinity, product } from "./vector.ts";

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

/** y = clip(|x| - x) - leaky(x): branches, two kinks, a constant clip, slopes below 0 and above 1. */
const branches: Graph = {
  nodes: [
    { operator: "input", inputs: [], size: 2, name: "x" },
    { operator: "abs", inputs: [0], size: 2, name: "abs" },
    { operator: "add", inputs: [1, 0], signs: [1, -1], size: 2, name: "sum" },
    {
      operator: "clip",
      inputs: [2],
      size: 2,
      name: "clip",
      lower: Float64Array.of(1, 2),
      upper: Float64Array.of(3, 2),
    },
    { operator: "leaky_relu", inputs: [0], size: 2, name: "leaky", slopes: Float64Array.of(-0.5, 3) },
    { operator: "add", inputs: [4, 3], signs: [-1, 1], size: 2, name: "y" },
  ],
};

Deno.test("evaluate() joins branches of abs, clip and leaky relu, worked out by hand", () => {
  // |x| - x = (2, 0); clipped (2, 2); leaky (0.5, 4); y = (1.5, -2).
  assert.deepEqual(numbers(outputAt(branches, [-1, 4])), [1.5, -2]);
  // |x| - x = (8, 2); clipped (3, 2); leaky (2, -3); y = (1, 5).
  assert.deepEqual(numbers(outputAt(branches, [-4, -1])), [1, 5]);
  const rows = (x: number[]) => {
    const phases = phasesAt(branches, evaluate(branches, x), null)!;
    return [[1, 0], [0, 1]].map((row) => numbers(jacobianRow(branches, phases, row)));
  };
  // The second clip is a constant; dy1/dx1 = -2 + 0.5 in its middle, 0.5 beyond.
  assert.deepEqual(rows([-1, 4]), [[-1.5, 0], [0, -1]]);
  assert.deepEqual(rows([-4, -1]), [[0.5, 0], [0, -3]]);
});

Deno.test("phasesAt() takes the piece that the direction enters at a kink of clip", () => {
  const values = evaluate(branches, [-1.5, 1]);
  assert.equal(phasesAt(branches, values, null), null);
  const along = (direction: number[]) =>
    numbers(jacobianRow(branches, phasesAt(branches, values, direction)!, [1, 0]))[0];
  assert.deepEqual([along([1, 0]), along([-1, 0])], [-1.5, 0.5]);
});

Deno.test("jacobianRow() is the difference of exact values inside one region, for every recipe (seed 4103)", () => {
  let compared = 0;
  for (let index = 0; index < 10 * RECIPES.length; index++) {
    const { graph, lower, upper, name } = randomNetwork(4103, index, 12);
    const near = Float64Array.from(lower, (l, j) => l / 2 + upper[j] / 2);
    const far = near.map((x) => x + 2 ** -30 * Math.abs(x));
    const [here, there] = [near, far].map((x) => evaluate(graph, x));
    const phases = phasesAt(graph, here, null);
    const others = phasesAt(graph, there, null);
    if (phases === null || others === null || !sameRegion(phases, others)) continue;
    const steps = exactMatrix(far), starts = exactMatrix(near);
    const outputs = graph.nodes.at(-1)!.size;
    for (let k = 0; k < outputs; k++) {
      const row = jacobianRow(graph, phases, unitRow(outputs, k));
      const change = subtract(
        component(product(steps, row, 1), 0),
        component(product(starts, row, 1), 0),
      );
      const difference = subtract(component(there.at(-1)!, k), component(here.at(-1)!, k));
      assert.equal(compare(change, difference), 0, name);
      compared++;
    }
  }
  assert.ok(compared > 100, `only ${compared} rows`);
});

function sameRegion(a: Phases, b: Phases): boolean {
  return [...a].every(([id, { entries, exponent }]) => {
    const other = b.get(id)!;
    return exponent === other.exponent && entries.every((entry, i) => entry === other.entries[i]);
  });
}
