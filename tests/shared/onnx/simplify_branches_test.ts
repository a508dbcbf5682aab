import assert from "node:assert/strict";
import fc from "fast-check";
import type { AddNode, Graph, Node } from "../../../shared/graph.ts";
import { dyadic } from "../../../shared/onnx/exact.ts";
import { simplify } from "../../../shared/onnx/simplify.ts";

const SEED = 6;

const input = (size: number): Node => ({ operator: "input", inputs: [], size, name: "x" });
const affine = (from: number, weights: number[], size: number, bias: number[] | null = null): Node => ({
  operator: "affine",
  inputs: [from],
  size,
  name: "affine",
  weights: new Float64Array(weights),
  bias: bias && new Float64Array(bias),
});
const scale = (from: number, factors: number[], roundings?: number): Node => ({
  ...{ operator: "scale", inputs: [from], size: factors.length, name: "scale" },
  ...{ factors: new Float64Array(factors), inverse: false },
  ...(roundings === undefined ? {} : { roundings }),
});
const shift = (from: number, offsets: number[]): Node => ({
  ...{ operator: "shift", inputs: [from], size: offsets.length, name: "shift", offsets: new Float64Array(offsets) },
});
const relu = (from: number, size: number): Node => ({ operator: "relu", inputs: [from], size, name: "relu" });
const add = (a: number, b: number, size: number, signs: AddNode["signs"] = [1, 1]): Node => ({
  ...{ operator: "add", inputs: [a, b], size, name: "add", signs },
});

const simplified = (...nodes: Node[]) => simplify({ nodes }).nodes;
const outline = (nodes: readonly Node[]) => nodes.map(({ operator, inputs }) => `${operator}(${inputs})`).join(" ");

Deno.test("simplify() merges into a node only what no other node reads", () => {
  const nodes = simplified(input(1), affine(0, [3], 1), scale(1, [2]), relu(1, 1), add(2, 3, 1));
  assert.equal(outline(nodes), "input() affine(0) scale(1) relu(1) add(2,3)");
});

Deno.test("simplify() makes a sum of one node with itself a factor", () => {
  const nodes = simplified(input(1), relu(0, 1), scale(1, [1]), add(1, 2, 1), relu(3, 1));
  assert.deepEqual(nodes[2], { ...scale(1, [2]), name: "add" });
  assert.equal(outline(nodes), "input() relu(0) scale(1) relu(2)");
  const zero = simplified(input(1), relu(0, 1), scale(1, [1]), add(1, 2, 1, [1, -1]), relu(3, 1));
  assert.deepEqual(zero[2], { ...scale(1, [0]), name: "add" });
});

Deno.test("simplify() turns a negated term into a sign, once for each negation", () => {
  const nodes = simplified(input(1), relu(0, 1), scale(1, [-1]), scale(0, [3]), scale(3, [-1]), add(2, 4, 1, [1, -1]));
  assert.equal(outline(nodes), "input() relu(0) scale(0) add(1,2)");
  assert.deepEqual(nodes[2], scale(0, [-3]));
  assert.deepEqual(nodes[3], add(1, 2, 1, [-1, -1]));
});

Deno.test("simplify() keeps a factor with an error apart from every constant beside it", () => {
  const nodes = simplified(input(1), affine(0, [2], 1), scale(1, [1], 4), scale(2, [2]), affine(3, [4], 1));
  assert.equal(outline(nodes), "input() affine(0) scale(1) affine(2)");
  assert.deepEqual(nodes[2], scale(1, [1], 4));
  const signs = simplified(input(1), relu(0, 1), scale(1, [-1], 4), add(0, 2, 1));
  assert.equal(outline(signs), "input() relu(0) scale(1) add(0,2)");
});

Deno.test("simplify() lets a matrix that only moves values take its neighbour's rows and columns", () => {
  const rows = simplified(input(2), affine(0, [1, 2, 3, 4], 2, [5, 6]), affine(1, [0, 1, 0, 0, 1, 0], 3, [7, 0, 0]));
  assert.deepEqual(rows[1], affine(0, [3, 4, 0, 0, 1, 2], 3, [13, 0, 5]));
  const columns = simplified(input(2), affine(0, [0, 1, 0, 0, 1, 0], 3), affine(1, [2, 3, 4], 1, [1]));
  assert.deepEqual(columns[1], affine(0, [4, 2], 1, [1]));
  const doubled = simplified(input(1), affine(0, [1, 1], 2), affine(1, [0.1, 0.2], 1));
  assert.equal(outline(doubled), "input() affine(0) affine(1)");
  const constant = simplified(input(1), affine(0, [1, 0], 2, [0, 3]), affine(1, [0.1, 0.2], 1));
  assert.equal(outline(constant), "input() affine(0) affine(1)");
});

Deno.test("simplify() does not merge two matrices into a larger one", () => {
  const wide = new Array<number>(8).fill(3);
  const tall = [1, ...new Array<number>(7).fill(0)];
  assert.equal(outline(simplified(input(8), affine(0, wide, 1), affine(1, tall, 8))), "input() affine(0) affine(1)");
});

Deno.test("simplify() adds two matrices of the same values only where no entry rounds or cancels", () => {
  const nodes = simplified(input(1), affine(0, [0.1, 0], 2, [1, 0]), affine(0, [0, 0.2], 2), add(1, 2, 2, [1, -1]));
  assert.deepEqual(nodes[1], { ...affine(0, [0.1, -0.2], 2, [1, 0]), name: "add" });
  const rounds = simplified(input(1), affine(0, [0.1], 1), affine(0, [0.2], 1), add(1, 2, 1));
  assert.equal(outline(rounds), "input() affine(0) affine(0) add(1,2)");
  const cancels = simplified(input(1), affine(0, [8], 1), affine(0, [7], 1), add(1, 2, 1, [1, -1]));
  assert.equal(outline(cancels), "input() affine(0) affine(0) add(1,2)");
});

Deno.test("simplify() of a sum that ends in nothing but the input keeps one node", () => {
  assert.equal(outline(simplified(input(1), scale(0, [1]), shift(1, [0]))), "input() scale(0)");
});

/** A number as a fraction of BigInts with a power of two below. */
type Fraction = readonly [bigint, bigint];
const fraction = (value: number): Fraction => {
  const { mantissa, exponent } = dyadic(value);
  return exponent >= 0 ? [mantissa << BigInt(exponent), 1n] : [mantissa, 1n << BigInt(-exponent)];
};
const plus = ([a, b]: Fraction, [c, d]: Fraction): Fraction => [a * d + c * b, b * d];
const times = ([a, b]: Fraction, [c, d]: Fraction): Fraction => [a * c, b * d];

/** The output of a graph of single numbers over the reals. */
function exactValue(graph: Graph, x: number): Fraction {
  const values: Fraction[] = [];
  for (const node of graph.nodes) {
    const [a, b] = node.inputs.map((id) => values[id]);
    if (node.operator === "input") values.push(fraction(x));
    else if (node.operator === "affine") {
      values.push(plus(times(a, fraction(node.weights[0])), fraction(node.bias?.[0] ?? 0)));
    } else if (node.operator === "shift") values.push(plus(a, fraction(node.offsets[0])));
    else if (node.operator === "scale") values.push(times(a, fraction(node.factors[0])));
    else if (node.operator === "add") {
      values.push(plus(times(a, [BigInt(node.signs[0]), 1n]), times(b, [BigInt(node.signs[1]), 1n])));
    } else values.push(a[0] > 0n ? a : [0n, 1n]);
  }
  return values[values.length - 1];
}

/** The graph of what the last node depends on. */
function needed(nodes: readonly Node[]): Graph {
  const ids = new Set([nodes.length - 1]);
  for (const id of ids) for (const from of nodes[id].inputs) ids.add(from);
  const kept = [...ids].sort((a, b) => a - b);
  return { nodes: kept.map((id) => ({ ...nodes[id], inputs: nodes[id].inputs.map((from) => kept.indexOf(from)) })) };
}

Deno.test(`simplify() never changes the function of a graph of branches over the reals (seed ${SEED})`, () => {
  const number = fc.oneof(
    fc.constantFrom(1, -1, 0, 2),
    fc.integer({ min: -8, max: 8 }).map((n) => n / 4),
    fc.double({ min: -4, max: 4, noNaN: true, noDefaultInfinity: true }),
  );
  const sign = fc.constantFrom<1 | -1>(1, -1);
  const recent = fc.nat({ max: 3 });
  const step = fc.record({ kind: fc.nat({ max: 6 }), a: recent, b: recent, p: number, q: number, s: sign, t: sign });
  let merged = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 2, maxLength: 10 }), number, (steps, x) => {
      const nodes: Node[] = [input(1)];
      for (const { kind, a, b, p, q, s, t } of steps) {
        const last = nodes.length - 1;
        const first = Math.max(0, last - a), second = Math.max(0, last - b);
        if (kind === 0) nodes.push(affine(first, [p], 1, [q]));
        else if (kind === 1) nodes.push(scale(first, [p]));
        else if (kind === 2) nodes.push(shift(first, [p]));
        else if (kind === 3 || first === second) nodes.push(relu(first, 1));
        else nodes.push(add(first, second, 1, [s, t]));
      }
      const graph = needed(nodes);
      const simpler = simplify(graph);
      const [n, d] = exactValue(graph, x), [m, e] = exactValue(simpler, x);
      assert.equal(n * e, m * d);
      const read = new Set(simpler.nodes.flatMap(({ inputs }) => inputs));
      simpler.nodes.forEach(({ inputs }, id) => {
        assert.ok(inputs.every((from) => from < id) && new Set(inputs).size === inputs.length);
        assert.ok(read.has(id) || id === simpler.nodes.length - 1 || id === 0);
      });
      if (simpler.nodes.length < graph.nodes.length) merged++;
    }),
    { seed: SEED, numRuns: 3000 },
  );
  assert.ok(merged > 500, `${merged} graphs became smaller`);
});
