/** The plain network that searches use, against exact values and finite differences. */
import assert from "node:assert/strict";
import type { Graph, Node } from "../../../shared/graph.ts";
import { gradientObjective, softGates } from "../../../shared/witness/ascent.ts";
import { activationAt, derivativeAt, derivativeSlope } from "../../../shared/witness/plain_activation.ts";
import { evaluatePlain, gradientPlain, tangentPlain } from "../../../shared/witness/plain_network.ts";
import { toNumber } from "../../exact/dyadic.ts";
import { evaluate, jacobianRow, phasesAt, unitRow } from "../../exact/network.ts";
import { Random } from "../../exact/random.ts";
import { component, type ExactVector } from "../../exact/vector.ts";

const SEED = 1717;

/** affine -> each activation -> affine, with both hidden layers joined and a value read twice. */
function network(random: Random): Graph {
  const size = 4;
  const affine = (input: number): Node => ({
    operator: "affine",
    inputs: [input],
    size,
    name: "z",
    weights: Float64Array.from({ length: size * size }, () => random.normal() / 2),
    bias: Float64Array.from({ length: size }, () => random.normal() / 4),
  });
  const filled = (rule: () => number) => Float64Array.from({ length: size }, rule);
  const base = { size, name: "h" };
  return {
    nodes: [
      { operator: "input", inputs: [], size, name: "x" },
      affine(0),
      { ...base, operator: "leaky_relu", inputs: [1], slopes: filled(() => random.pick([0.1, -1.5, 2])) },
      {
        ...base,
        operator: "clip",
        inputs: [1],
        lower: filled(() => -0.5),
        upper: filled(() => random.pick([0.5, Infinity])),
      },
      { ...base, operator: "add", inputs: [2, 3], signs: [1, -1] },
      affine(4),
      { ...base, operator: "abs", inputs: [5] },
      { ...base, operator: "relu", inputs: [4] },
      { ...base, operator: "add", inputs: [6, 7], signs: [-1, 1] },
      affine(8),
    ],
  };
}

const point = (random: Random) => Float64Array.from({ length: 4 }, () => random.normal());
const numbers = (x: ExactVector) => Float64Array.from(x.numerators, (_, i) => toNumber(component(x, i)));

function close(a: Float64Array, b: Float64Array, tolerance: number, what: string): void {
  a.forEach((value, i) => assert.ok(Math.abs(value - b[i]) <= tolerance, `${what} ${i}: ${value}, ${b[i]}`));
}

Deno.test(`evaluatePlain() and gradientPlain() agree with exact values through branches and all activations (seed ${SEED})`, () => {
  for (let i = 0; i < 40; i++) {
    const random = new Random(SEED, i);
    const [graph, x] = [network(random), point(random)];
    const trace = evaluatePlain(graph, x);
    const values = evaluate(graph, x);
    values.forEach((exact, id) => close(trace.values[id], numbers(exact), 1e-13, `value of node ${id},`));
    const phases = phasesAt(graph, values, null)!;
    const seed = unitRow(4, i % 4);
    const gradient = gradientPlain(graph, trace, Float64Array.from(seed));
    close(gradient, numbers(jacobianRow(graph, phases, seed)), 1e-13, "entry");
    // The derivative along a direction is the same sum, taken forward.
    const direction = point(random);
    const tangent = tangentPlain(graph, trace, direction, null).at(-1)!;
    const sum = gradient.reduce((total, g, j) => total + g * direction[j], 0);
    assert.ok(Math.abs(tangent[i % 4] - sum) <= 1e-12);
  }
});

Deno.test(`derivativeAt() softened tends to the step, derivativeSlope() is its slope (seed ${SEED})`, () => {
  const base = { inputs: [0], size: 1, name: "h" };
  const nodes: Node[] = [
    { ...base, operator: "relu" },
    { ...base, operator: "abs" },
    { ...base, operator: "leaky_relu", slopes: Float64Array.of(-0.5) },
    { ...base, operator: "clip", lower: Float64Array.of(-1), upper: Float64Array.of(2) },
    { ...base, operator: "clip", lower: Float64Array.of(-Infinity), upper: Float64Array.of(0.5) },
  ];
  for (const node of nodes) {
    for (const z of [-3.3, -0.7, 0.3, 1.4, 4.1]) {
      const quotient = (f: (z: number) => number) => (f(z + 1e-6) - f(z - 1e-6)) / 2e-6;
      const step = derivativeAt(node, 0, z, 0);
      assert.ok(Math.abs(quotient((at) => activationAt(node, 0, at)) - step) <= 1e-9, `${node.operator} at ${z}`);
      assert.ok(Math.abs(derivativeAt(node, 0, z, 1e9) - step) <= 1e-6, `${node.operator} softened at ${z}`);
      const slope = derivativeSlope(node, 0, z, 2);
      const difference = quotient((at) => derivativeAt(node, 0, at, 2));
      assert.ok(Math.abs(difference - slope) <= 1e-6, `slope of ${node.operator} at ${z}`);
    }
  }
});

Deno.test(`gradientObjective() points where the softened entry rises (seed ${SEED})`, () => {
  let rises = 0;
  for (let i = 0; i < 40; i++) {
    const random = new Random(SEED, 100 + i);
    const [graph, x] = [network(random), point(random)];
    const gates = softGates(graph, () => ({ lower: new Float64Array(4).fill(-2), upper: new Float64Array(4).fill(2) }));
    assert.deepEqual(gates.map((gate) => gate > 0), graph.nodes.map(({ operator }) => /relu|clip|abs/.test(operator)));
    const [seed, weights] = [Float64Array.from(unitRow(4, 0)), Float64Array.from(unitRow(4, i % 4))];
    const direction = gradientObjective(graph, seed, weights, gates)(evaluatePlain(graph, x)).direction();
    const soft = (t: number) => {
      const trace = evaluatePlain(graph, x.map((value, j) => value + t * direction[j]));
      return gradientPlain(graph, trace, seed, gates)[i % 4];
    };
    const length = Math.sqrt(direction.reduce((sum, d) => sum + d * d, 0));
    if (length > 1e-3 && soft(1e-4 / length) > soft(0)) rises++;
  }
  // The flow below a gate takes the step function's slope, so the direction is no exact gradient.
  assert.ok(rises >= 30, `${rises} of 40`);
});
