/** The equations of shared/README.md, one test a number; (12) is in bounds/domains_test.ts, walks at length in tests/soundness/. */
import assert from "node:assert/strict";
import { boundGraph } from "../../shared/bounds/bound_graph.ts";
import { lowerBounds } from "../../shared/bounds/walk.ts";
import { withRun } from "../../shared/bounds/run.ts";
import type { AffineNode, Graph, Node } from "../../shared/graph.ts";
import { normBounds } from "../../shared/jacobian/jacobian_bounds.ts";
import { referenceKernels } from "../../shared/kernels/reference.ts";
import type { Box } from "../../shared/numeric/box.ts";
import {
  addDown,
  addUp,
  multiplyDown,
  multiplyUp,
  nextDown,
  nextUp,
  settleLower,
  settleUpper,
} from "../../shared/numeric/rounding.ts";
import { abs } from "../../shared/operators/abs.ts";
import { clip } from "../../shared/operators/clip.ts";
import { derivativeProduct } from "../../shared/operators/derivative_product.ts";
import { leakyRelu } from "../../shared/operators/leaky_relu.ts";
import type { DerivativeRange, ElementwiseOperator, Relaxation } from "../../shared/operators/operator.ts";
import { relu } from "../../shared/operators/relu.ts";
import { gradientAt, leastNorm } from "../../shared/witness/prove.ts";
import {
  absolute,
  add,
  compare,
  divide,
  type Exact,
  exact,
  isAtLeast,
  isAtMost,
  maximum,
  minimum,
  multiply,
  neighbour,
  ONE,
  subtract,
  ZERO,
} from "../exact/dyadic.ts";
import { Random } from "../exact/random.ts";

const SEED = 412;
const RUNS = 400;

function each(stream: number, run: (random: Random) => void): void {
  for (let i = 0; i < RUNS; i++) run(new Random(SEED, 1000 * stream + i));
}

/** A number of any size and sign, sometimes 0. */
function anyNumber(random: Random): number {
  return random.chance(0.1) ? 0 : random.sign() * random.unit() * 2 ** random.integer(-40, 40);
}

function interval(random: Random): [number, number] {
  const a = anyNumber(random), b = anyNumber(random);
  return a <= b ? [a, b] : [b, a];
}

function affineNode(weights: Float64Array, size: number, bias: Float64Array | null): Graph {
  const input: Node = { operator: "input", inputs: [], size: weights.length / size, name: "x" };
  return { nodes: [input, { operator: "affine", inputs: [0], size, weights, bias, name: "y" }] };
}

const INTERVAL = { refine: "interval", rule: "chord" } as const;
const LINEAR = { refine: "linear", rule: "chord" } as const;

function boundsOf(graph: Graph, box: Box): Promise<{ box: Box; q: Float64Array }> {
  return withRun([graph], { kernels: referenceKernels() }, async (run) => {
    const pass = await boundGraph(graph, [{ box }], INTERVAL, run);
    const state = pass.states[graph.nodes.length - 1];
    return { box: state.boxes[0], q: state.image!.q[0] };
  });
}

Deno.test(`(1) one operation: neighbours are next, products and sums are rounded outward (seed ${SEED})`, () => {
  const edges = [0, Number.MIN_VALUE, 2 ** -1022, 2 ** -960, 1, 1 + 2 ** -52, 2, Number.MAX_VALUE];
  for (const x of edges.flatMap((e) => [e, -e])) {
    assert.equal(nextUp(x), neighbour(x, 1));
    assert.equal(nextDown(x), neighbour(x, -1));
  }
  assert.equal(nextUp(Infinity), Infinity);
  assert.equal(nextUp(-Infinity), -Number.MAX_VALUE);
  assert.ok(Number.isNaN(nextUp(NaN)));
  each(1, (random) => {
    const x = anyNumber(random) * 2 ** random.integer(-900, 900), y = anyNumber(random);
    assert.equal(nextUp(x), neighbour(x, 1));
    const product = multiply(exact(x), exact(y));
    assert.ok(isAtMost(product, multiplyUp(x, y)) && isAtLeast(product, multiplyDown(x, y)));
    const sum = add(exact(x), exact(y));
    assert.ok(isAtMost(sum, addUp(x, y)) && isAtLeast(sum, addDown(x, y)));
    if (compare(sum, exact(x + y)) === 0) assert.deepEqual([addUp(x, y), addDown(x, y)], [x + y, x + y]);
  });
});

Deno.test(`(2) a sum, settled: bounds the real sum, keeps signs and zero (seed ${SEED})`, () => {
  each(2, (random) => {
    const count = random.integer(1, 60);
    const oneSign = random.chance(0.3);
    let sum = 0, magnitude = 0, real = ZERO;
    for (let i = 0; i < count; i++) {
      const x = anyNumber(random), y = anyNumber(random);
      const term = oneSign ? Math.abs(x * y) : x * y;
      sum += term;
      magnitude += Math.abs(term);
      const product = multiply(exact(x), exact(y));
      real = add(real, oneSign ? absolute(product) : product);
    }
    const lower = settleLower(sum, magnitude, count, 0);
    assert.ok(isAtLeast(real, lower) && isAtMost(real, settleUpper(sum, magnitude, count, 0)));
    if (oneSign) assert.ok(lower >= 0);
    assert.ok(sum - lower <= 1e-13 * magnitude, "not careless");
  });
  assert.equal(settleLower(0, 0, 1000, 0), 0);
});

Deno.test(`(3) interval image of an affine map: encloses the exact range, q covers every magnitude (seed ${SEED})`, async () => {
  for (let i = 0; i < 60; i++) {
    const random = new Random(SEED, 3000 + i);
    const n = random.integer(1, 9);
    const weights = Float64Array.from({ length: n }, () => anyNumber(random));
    const bias = Float64Array.of(anyNumber(random));
    const ends = Array.from({ length: n }, () => interval(random));
    const { box, q } = await boundsOf(affineNode(weights, 1, bias), {
      lower: Float64Array.from(ends, ([l]) => l),
      upper: Float64Array.from(ends, ([, u]) => u),
    });
    let least = exact(bias[0]), largest = exact(bias[0]), mass = absolute(exact(bias[0]));
    ends.forEach(([l, u], j) => {
      const a = multiply(exact(weights[j]), exact(l)), b = multiply(exact(weights[j]), exact(u));
      least = add(least, minimum(a, b));
      largest = add(largest, maximum(a, b));
      mass = add(mass, maximum(absolute(a), absolute(b)));
    });
    assert.ok(isAtLeast(least, box.lower[0]) && isAtMost(largest, box.upper[0]));
    assert.ok(isAtMost(mass, q[0]));
  }
});

Deno.test("(4) underflow: none where no product can, and then an exact 0 stays 0; charged elsewhere", async () => {
  const zero = await boundsOf(affineNode(Float64Array.of(0, 3, 0), 1, null), {
    lower: Float64Array.of(-1, 0, 5),
    upper: Float64Array.of(1, 0, 7),
  });
  assert.deepEqual([zero.box.lower[0], zero.box.upper[0]], [0, 0]);
  const tiny = 2 ** -600;
  const { box } = await boundsOf(affineNode(Float64Array.of(tiny, -tiny), 1, null), {
    lower: Float64Array.of(tiny, tiny),
    upper: Float64Array.of(2 * tiny, 2 * tiny),
  });
  assert.ok(box.lower[0] < 0 && box.upper[0] > 0, "the real range is [-2^-1200, 2^-1200], which no f64 but 0 shows");
});

/** lower and upper line hold at every vertex (value v, image s). */
function linesHold(lines: Relaxation, vertices: readonly (readonly [number, Exact])[]): void {
  for (const [v, value] of vertices) {
    const at = (slope: number, intercept: number) => add(multiply(exact(slope), exact(v)), exact(intercept));
    assert.ok(compare(at(lines.lowerSlope[0], lines.lowerIntercept[0]), value) <= 0, `below at ${v}`);
    assert.ok(compare(at(lines.upperSlope[0], lines.upperIntercept[0]), value) >= 0, `above at ${v}`);
  }
}

const one = (lower: number, upper: number): Box => ({ lower: Float64Array.of(lower), upper: Float64Array.of(upper) });
const PLAIN = { range: null, rule: "chord" } as const;

Deno.test(`(5) lines: any coefficient over a line is a bound of the activation (seed ${SEED})`, () => {
  each(5, (random) => {
    const [l, u] = interval(random);
    const lines = relu.relax(one(l, u), PLAIN);
    const a = anyNumber(random), z = l + (u - l) * random.unit();
    if (z < l || z > u) return;
    const below = a >= 0;
    const slope = exact(below ? lines.lowerSlope[0] : lines.upperSlope[0]);
    const intercept = exact(below ? lines.lowerIntercept[0] : lines.upperIntercept[0]);
    const line = multiply(exact(a), add(multiply(slope, exact(z)), intercept));
    assert.ok(compare(multiply(exact(a), exact(Math.max(z, 0))), line) >= 0);
  });
});

Deno.test(`(6) relu: lines hold at their vertices, the Clarke derivative is [0, 1] at a bound of 0 (seed ${SEED})`, () => {
  each(6, (random) => {
    const [l, u] = random.chance(0.1) ? [0, 0] : interval(random);
    const kink: (readonly [number, Exact])[] = l <= 0 && u >= 0 ? [[0, ZERO]] : [];
    linesHold(relu.relax(one(l, u), PLAIN), [[l, exact(Math.max(l, 0))], [u, exact(Math.max(u, 0))], ...kink]);
  });
  const derivative = (l: number, u: number, phase = 0) => {
    const { lower, upper } = relu.derivative!(one(l, u), Int8Array.of(phase));
    return [lower[0], upper[0]];
  };
  assert.deepEqual([derivative(0, 1), derivative(-1, 0), derivative(0, 0)], [[0, 1], [0, 1], [0, 1]]);
  assert.deepEqual([derivative(1e-300, 1), derivative(-1, -1e-300)], [[1, 1], [0, 0]]);
  assert.deepEqual([derivative(-1, 1, 1), derivative(-1, 1, -1)], [[1, 1], [0, 0]]);
});

Deno.test(`(7) product with a derivative: lines and image hold at the four vertices, both rules (seed ${SEED})`, () => {
  each(7, (random) => {
    const [a, b] = interval(random);
    const [small, large] = random.chance(0.5) ? [0, 1] : [random.between(-1, 1), random.between(1, 2)];
    const range: DerivativeRange = { lower: Float64Array.of(small), upper: Float64Array.of(large) };
    const vertices = [a, b].flatMap((p) =>
      [small, large].map((d): [number, Exact] => [p, multiply(exact(p), exact(d))])
    );
    const image = derivativeProduct.image(one(a, b), { range, rule: "chord" });
    for (const [, value] of vertices) {
      assert.ok(isAtLeast(value, image.lower[0]) && isAtMost(value, image.upper[0]));
    }
    for (const rule of ["chord", "constant"] as const) {
      const lines = derivativeProduct.relax(one(a, b), { range, rule });
      linesHold(lines, vertices);
      if (rule === "constant" && a < 0 && b > 0) assert.deepEqual([lines.lowerSlope[0], lines.upperSlope[0]], [0, 0]);
    }
  });
});

Deno.test(`(8) norm: lines of |z| hold at their vertices; the norm bound is never above the sum of magnitudes (seed ${SEED})`, async () => {
  each(8, (random) => {
    const [l, u] = interval(random);
    const kink: (readonly [number, Exact])[] = l <= 0 && u >= 0 ? [[0, ZERO]] : [];
    linesHold(abs.relax(one(l, u), PLAIN), [[l, exact(Math.abs(l))], [u, exact(Math.abs(u))], ...kink]);
  });
  const graph = affineNode(Float64Array.of(3, -4), 1, null);
  const norm = await withRun([graph], { kernels: referenceKernels() }, async (run) => {
    const pass = await boundGraph(
      graph,
      [{ box: { lower: new Float64Array(2), upper: new Float64Array(2) } }],
      LINEAR,
      run,
    );
    return (await normBounds(pass, [Float64Array.of(1)], LINEAR, run))[0];
  });
  assert.ok(norm >= 7 && norm < 7 + 1e-13);
});

Deno.test(`(9) one step of the walk: what the matrix product rounded is less than what is charged (seed ${SEED})`, async () => {
  for (let i = 0; i < 40; i++) {
    const random = new Random(SEED, 9000 + i);
    const [k, n] = [random.integer(1, 40), random.integer(1, 6)];
    const kernels = referenceKernels();
    const lam = Float64Array.from({ length: k }, () => anyNumber(random));
    const graph = affineNode(Float64Array.from({ length: k * n }, () => anyNumber(random)), k, null);
    const { weights } = graph.nodes[1] as AffineNode;
    const x = Float64Array.from({ length: n }, () => anyNumber(random));
    await withRun([graph], { kernels }, async (run) => {
      const pass = await boundGraph(graph, [{ box: { lower: x, upper: x } }], INTERVAL, run);
      const [bound] = await lowerBounds(pass, 1, {
        groups: Int32Array.of(0),
        start: { layout: "dense", coefficients: lam },
      });
      let real = ZERO, mass = ZERO;
      lam.forEach((a, p) => {
        for (let j = 0; j < n; j++) {
          const term = multiply(multiply(exact(a), exact(weights[p * n + j])), exact(x[j]));
          real = add(real, term);
          mass = add(mass, absolute(term));
        }
      });
      assert.ok(isAtLeast(real, bound));
      const careless = add(real, multiply(add(mass, exact(1e-300)), exact(-1e-12)));
      assert.ok(compare(careless, exact(bound)) <= 0, "and not careless");
    });
  }
});

/** relu(x) - relu(-x): slope 1 everywhere, though autodiff with relu'(0) = 1 says 2 at 0. */
const IDENTITY: Graph = {
  nodes: [
    { operator: "input", inputs: [], size: 1, name: "x" },
    { operator: "affine", inputs: [0], size: 2, weights: Float64Array.of(1, -1), bias: null, name: "z" },
    { operator: "relu", inputs: [1], size: 2, name: "h" },
    { operator: "affine", inputs: [2], size: 1, weights: Float64Array.of(1, -1), bias: null, name: "y" },
  ],
};

Deno.test("(10) the walk: rows of a network are bounded from below on its whole box", async () => {
  const [lower] = await withRun([IDENTITY], { kernels: referenceKernels() }, async (run) => {
    const pass = await boundGraph(IDENTITY, [{ box: one(-1, 3) }], LINEAR, run);
    return await lowerBounds(pass, 3, {
      groups: Int32Array.of(0),
      start: { layout: "unit", indices: Int32Array.of(0), signs: Int32Array.of(1) },
    });
  });
  // Lines by hand: relu(x) >= x (u > -l); relu(-x) <= (3 - x) / 4 by the chord over [-3, 1]; so y >= (5 x - 3) / 4 >= -2.
  assert.ok(lower <= -2 && lower > -2 - 1e-13, `${lower}`);
});

Deno.test("(11) a lower bound at a point: less at a kink, never wrong", async () => {
  const at = (x: number) =>
    withRun([IDENTITY], { kernels: referenceKernels() }, async (run) => {
      const [gradient] = await gradientAt(IDENTITY, [{ point: Float64Array.of(x), seed: Float64Array.of(1) }], run);
      return leastNorm(gradient);
    });
  for (const x of [-2, -1e-300, 1e-300, 0.5]) {
    const lower = await at(x);
    assert.ok(lower <= 1 && lower > 1 - 1e-13, `${lower} at ${x}`);
  }
  assert.equal(await at(0), 0);
});

Deno.test("(13) numbers that are not finite prove nothing", async () => {
  for (const bad of [NaN, Infinity, -Infinity]) {
    assert.equal(settleLower(bad, 1, 1, 0), -Infinity);
    assert.equal(settleLower(1, bad, 1, 0), -Infinity);
    assert.equal(settleLower(1, 1, 1, bad), -Infinity);
  }
  const huge = affineNode(Float64Array.of(1e308, 1e308), 1, null);
  const { box } = await boundsOf(huge, { lower: Float64Array.of(10, -10), upper: Float64Array.of(11, -9) });
  assert.deepEqual([box.lower[0], box.upper[0]], [-Infinity, Infinity]);
});

/** One neuron of an activation with constants. */
const leakyNode = (slope: number): Node => ({
  operator: "leaky_relu",
  inputs: [0],
  size: 1,
  name: "h",
  slopes: Float64Array.of(slope),
});
const clipNode = (lower: number, upper: number): Node => ({
  operator: "clip",
  inputs: [0],
  size: 1,
  name: "h",
  lower: Float64Array.of(lower),
  upper: Float64Array.of(upper),
});

/** The derivative range over [l, u] as a pair. */
function derivativeOf(rules: ElementwiseOperator, node: Node, l: number, u: number, phase = 0): number[] {
  const { lower, upper } = rules.derivative!(one(l, u), Int8Array.of(phase), node);
  return [lower[0], upper[0]];
}

/** Lines hold at the vertices, the image at the ends and at the kinks between them. */
function rulesHold(
  rules: ElementwiseOperator,
  node: Node,
  [l, u]: [number, number],
  kinks: number[],
  value: (z: number) => Exact,
) {
  const context = { ...PLAIN, node };
  const vertices = [l, u, ...kinks.filter((kink) => l <= kink && kink <= u)].map((v) => [v, value(v)] as const);
  linesHold(rules.relax(one(l, u), context), vertices);
  const image = rules.image(one(l, u), context);
  for (const [v, at] of vertices) assert.ok(isAtLeast(at, image.lower[0]) && isAtMost(at, image.upper[0]), `${v}`);
}

Deno.test(`(15) leaky relu: lines and image hold at their vertices for slopes of any sign, [min(a, 1), max(a, 1)] at a bound of 0 (seed ${SEED})`, () => {
  each(15, (random) => {
    const slope = random.chance(0.2) ? random.pick([0, 1, -1, 2, 0.01]) : anyNumber(random);
    const value = (z: number) => (z >= 0 ? exact(z) : multiply(exact(slope), exact(z)));
    rulesHold(leakyRelu, leakyNode(slope), random.chance(0.1) ? [0, 0] : interval(random), [0], value);
  });
  for (const [slope, range] of [[0.25, [0.25, 1]], [-2, [-2, 1]], [3, [1, 3]]] as const) {
    const derivative = (l: number, u: number, phase = 0) => derivativeOf(leakyRelu, leakyNode(slope), l, u, phase);
    assert.deepEqual([derivative(0, 1), derivative(-1, 0), derivative(0, 0), derivative(-1, 1)], Array(4).fill(range));
    assert.deepEqual([derivative(1e-300, 1), derivative(-1, 1, 1)], [[1, 1], [1, 1]]);
    assert.deepEqual([derivative(-1, -1e-300), derivative(-1, 1, -1)], [[slope, slope], [slope, slope]]);
  }
});

Deno.test(`(16) clip: lines and image hold at their vertices, the derivative is [0, 1] where a bound is on a kink (seed ${SEED})`, () => {
  each(16, (random) => {
    let [lo, hi] = random.chance(0.1) ? [0, 0] : interval(random);
    if (random.chance(0.2)) lo = -Infinity;
    if (random.chance(0.2)) hi = Infinity;
    const near = (kink: number) => Math.abs(kink) < Infinity && random.chance(0.2) ? kink : anyNumber(random);
    const ends = [near(lo), near(hi)].sort((a, b) => a - b) as [number, number];
    rulesHold(clip, clipNode(lo, hi), ends, [lo, hi], (z) => exact(Math.min(Math.max(z, lo), hi)));
    // Both kinks inside: a line goes through one of them with a slope that is rounded.
    const both = Array.from({ length: 4 }, () => random.normal() * 2 ** random.integer(-20, 0)).sort((a, b) => a - b);
    const inner = both.slice(1, 3);
    const inside = (z: number) => exact(Math.min(Math.max(z, inner[0]), inner[1]));
    rulesHold(clip, clipNode(inner[0], inner[1]), [both[0], both[3]], inner, inside);
  });
  const derivative = (l: number, u: number, phase = 0) => derivativeOf(clip, clipNode(-1, 6), l, u, phase);
  for (const [l, u] of [[-1, 0], [-2, -1], [6, 7], [0, 6], [-2, 7]]) assert.deepEqual(derivative(l, u), [0, 1]);
  assert.deepEqual([derivative(-0.9, 5.9), derivative(-3, -1.1), derivative(6.1, 7)], [[1, 1], [0, 0], [0, 0]]);
  assert.deepEqual([1, -1, 2].map((phase) => derivative(-2, 7, phase)), [[1, 1], [0, 0], [0, 0]]);
  assert.deepEqual(derivativeOf(clip, clipNode(2, 2), 1, 3), [0, 0], "a constant");
  assert.deepEqual(derivativeOf(clip, clipNode(-Infinity, Infinity), -1, 1), [1, 1], "the identity");
});

Deno.test("(17) abs as an activation: derivative [-1, 1] where the sign is not known", () => {
  const node: Node = { operator: "abs", inputs: [0], size: 1, name: "h" };
  const derivative = (l: number, u: number, phase = 0) => derivativeOf(abs, node, l, u, phase);
  for (const [l, u] of [[-1, 1], [0, 1], [-1, 0], [0, 0]]) assert.deepEqual(derivative(l, u), [-1, 1]);
  assert.deepEqual([derivative(1e-300, 1), derivative(-1, -1e-300)], [[1, 1], [-1, -1]]);
  assert.deepEqual([derivative(-1, 1, 1), derivative(-1, 1, -1)], [[1, 1], [-1, -1]]);
});

Deno.test(`(18) a factor with an error: image and rows hold for every factor within k roundings (seed ${SEED})`, async () => {
  for (let i = 0; i < 60; i++) {
    const random = new Random(SEED, 18_000 + i);
    const [roundings, inverse] = [random.pick([0, 1, 4, 1000]), random.chance(0.5)];
    const factor = random.chance(0.2) ? random.sign() : anyNumber(random) || 3;
    const graph: Graph = {
      nodes: [
        { operator: "input", inputs: [], size: 1, name: "x" },
        { operator: "scale", inputs: [0], size: 1, factors: Float64Array.of(factor), inverse, roundings, name: "y" },
      ],
    };
    const [l, u] = interval(random);
    const nu = multiply(exact(roundings), { numerator: 1n, exponent: -53, denominator: 1n });
    const spread = divide(nu, subtract(ONE, nu));
    const apply = (x: number, f: Exact) => (inverse ? divide(exact(x), f) : multiply(exact(x), f));
    const values = [l, u].flatMap((x) =>
      [add(ONE, spread), subtract(ONE, spread)].map((d) => apply(x, multiply(exact(factor), d)))
    );
    const { box } = await boundsOf(graph, one(l, u));
    const lambda = anyNumber(random);
    const row = await withRun([graph], { kernels: referenceKernels() }, async (run) => {
      const pass = await boundGraph(graph, [{ box: one(l, u) }], INTERVAL, run);
      const rows = {
        groups: Int32Array.of(0),
        start: { layout: "dense", coefficients: Float64Array.of(lambda) },
      } as const;
      return (await lowerBounds(pass, 1, rows))[0];
    });
    for (const value of values) {
      assert.ok(isAtLeast(value, box.lower[0]) && isAtMost(value, box.upper[0]));
      assert.ok(isAtLeast(multiply(exact(lambda), value), row));
    }
    const [least, largest] = [values.reduce(minimum), values.reduce(maximum)];
    const slack = multiply(maximum(absolute(least), absolute(largest)), exact(1e-14 + roundings * 2 ** -52));
    assert.ok(isAtMost(subtract(least, slack), box.lower[0]) && isAtLeast(add(largest, slack), box.upper[0]));
    if (l > 0 && factor > 0) assert.ok(box.lower[0] > 0);
  }
});
