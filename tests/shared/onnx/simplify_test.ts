import assert from "node:assert/strict";
import fc from "fast-check";
import type { AffineNode, Graph, Node } from "../../../shared/graph.ts";
import { dyadic } from "../../../shared/onnx/exact.ts";
import { simplify } from "../../../shared/onnx/simplify.ts";

const SEED = 5;
type Step = (input: number, inputSize: number) => Node;

const affine = (weights: number[], bias: number[] | null = null): Step => (input, inputSize) => ({
  operator: "affine",
  inputs: [input],
  size: weights.length / inputSize,
  name: "affine",
  weights: new Float64Array(weights),
  bias: bias && new Float64Array(bias),
});
const scale = (factors: number[], inverse = false): Step => (input) => ({
  operator: "scale",
  inputs: [input],
  size: factors.length,
  name: "scale",
  factors: new Float64Array(factors),
  inverse,
});
const shift = (offsets: number[]): Step => (input) => ({
  operator: "shift",
  inputs: [input],
  size: offsets.length,
  name: "shift",
  offsets: new Float64Array(offsets),
});
const relu: Step = (input, size) => ({ operator: "relu", inputs: [input], size, name: "relu" });

function chain(size: number, ...steps: Step[]): Graph {
  const nodes: Node[] = [{ operator: "input", inputs: [], size, name: "x" }];
  for (const step of steps) nodes.push(step(nodes.length - 1, nodes[nodes.length - 1].size));
  return { nodes };
}

const operators = (graph: Graph) => graph.nodes.map((node) => node.operator).join(" ");

function onlyAffine(graph: Graph): AffineNode {
  const [, node] = graph.nodes;
  assert.equal(graph.nodes.length, 2);
  assert.ok(node.operator === "affine");
  return node;
}

Deno.test("simplify() gives an affine node without bias the shift that follows", () => {
  const { weights, bias } = onlyAffine(simplify(chain(2, affine([1, 2, 3, 4]), shift([0.1, 0.2]))));
  assert.deepEqual([...weights, ...bias ?? []], [1, 2, 3, 4, 0.1, 0.2]);
});

Deno.test("simplify() adds a shift to a bias only where the sum does not round", () => {
  assert.deepEqual(onlyAffine(simplify(chain(1, affine([1], [0.5]), shift([0.25])))).bias, new Float64Array([0.75]));
  assert.equal(operators(simplify(chain(1, affine([1], [0.1]), shift([0.2])))), "input affine shift");
});

Deno.test("simplify() scales rows and columns only where no product rounds", () => {
  assert.deepEqual(
    onlyAffine(simplify(chain(2, scale([2, 0.5]), affine([1, 2, 3, 4], [1, 3]), scale([1, 4], true)))),
    { ...onlyAffine(chain(2, affine([2, 1, 1.5, 0.5], [1, 0.75]))), inputs: [0] },
  );
  assert.equal(operators(simplify(chain(1, scale([0.1]), affine([0.1])))), "input scale affine");
  assert.equal(operators(simplify(chain(1, affine([1]), scale([3], true)))), "input affine scale");
  assert.equal(operators(simplify(chain(1, affine([1], [0.1]), scale([0.1])))), "input affine scale");
});

Deno.test("simplify() drops scales by one and shifts by zero but keeps one node", () => {
  assert.equal(
    operators(simplify(chain(1, shift([0]), affine([3], [0]), scale([1], true), relu))),
    "input affine relu",
  );
  const graph = simplify(chain(2, scale([1, 1]), shift([0, -0])));
  assert.equal(operators(graph), "input scale");
});

Deno.test("simplify() joins two scales or two shifts only where exact, and shifts only where they do not cancel", () => {
  const nodes = simplify(chain(1, relu, scale([6]), scale([2], true), relu)).nodes;
  assert.deepEqual(nodes[2], { ...scale([3])(1, 1) });
  const inverse = simplify(chain(1, relu, scale([3], true), scale([-1]), relu)).nodes;
  assert.deepEqual(inverse[2], { ...scale([-3], true)(1, 1) });
  assert.equal(operators(simplify(chain(1, relu, scale([3], true), scale([0]), relu))), "input relu scale relu");
  assert.equal(operators(simplify(chain(1, relu, scale([0.1]), scale([0.3]), relu))), "input relu scale scale relu");
  assert.equal(operators(simplify(chain(1, relu, shift([0.5]), shift([-0.25]), relu))), "input relu shift relu");
  assert.equal(operators(simplify(chain(1, relu, shift([0.5]), shift([-0.5]), relu))), "input relu shift shift relu");
  assert.equal(operators(simplify(chain(1, relu, shift([0.1]), shift([0.2]), relu))), "input relu shift shift relu");
});

Deno.test("simplify() does not merge across an activation", () => {
  assert.equal(operators(simplify(chain(1, affine([2]), relu, scale([2]), relu))), "input affine relu scale relu");
});

/** A number as a fraction of BigInts, so that divisions stay exact. */
type Fraction = readonly [bigint, bigint];
const fraction = (value: number): Fraction => {
  const { mantissa, exponent } = dyadic(value);
  return exponent >= 0 ? [mantissa << BigInt(exponent), 1n] : [mantissa, 1n << BigInt(-exponent)];
};
const add = ([a, b]: Fraction, [c, d]: Fraction): Fraction => [a * d + c * b, b * d];
const multiply = ([a, b]: Fraction, [c, d]: Fraction): Fraction => [a * c, b * d];

/** The output of a chain of single numbers over the reals, as a fraction. */
function exactValue(graph: Graph, x: number): Fraction {
  return graph.nodes.slice(1).reduce((value, node): Fraction => {
    if (node.operator === "affine") {
      return add(multiply(value, fraction(node.weights[0])), fraction(node.bias?.[0] ?? 0));
    }
    if (node.operator === "shift") return add(value, fraction(node.offsets[0]));
    if (node.operator === "scale") {
      const [n, d] = fraction(node.factors[0]);
      return multiply(value, node.inverse ? (n < 0n ? [-d, -n] : [d, n]) : [n, d]);
    }
    return value[0] > 0n ? value : [0n, 1n];
  }, fraction(x));
}

Deno.test(`simplify() never changes the function over the reals (seed ${SEED})`, () => {
  const number = fc.oneof(
    fc.integer({ min: -8, max: 8 }).map((n) => n / 4),
    fc.double({ min: -4, max: 4, noNaN: true, noDefaultInfinity: true }),
  );
  const nonzero = number.map((value) => value === 0 ? 1 : value);
  const step = fc.oneof(
    fc.tuple(number, number).map(([w, b]) => affine([w], [b])),
    number.map((w) => affine([w])),
    number.map((f) => scale([f])),
    nonzero.map((f) => scale([f], true)),
    number.map((t) => shift([t])),
    fc.constant(relu),
  );
  let merged = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 7 }), number, (steps, x) => {
      const graph = chain(1, ...steps);
      const simpler = simplify(graph);
      const [a, b] = exactValue(graph, x);
      const [c, d] = exactValue(simpler, x);
      assert.equal(a * d, c * b);
      if (simpler.nodes.length < graph.nodes.length) merged++;
      simpler.nodes.forEach((node, i) => assert.deepEqual(node.inputs, i === 0 ? [] : [i - 1]));
    }),
    { seed: SEED, numRuns: 2000 },
  );
  assert.ok(merged > 500, `${merged} chains became shorter`);
});
