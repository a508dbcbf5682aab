/** Laws of the piecewise-linear activations, by sampling; their equations are in ../equations_test.ts. */
import assert from "node:assert/strict";
import type { Node } from "../../../shared/graph.ts";
import type { Box } from "../../../shared/numeric/box.ts";
import { abs } from "../../../shared/operators/abs.ts";
import { clip } from "../../../shared/operators/clip.ts";
import { leakyRelu } from "../../../shared/operators/leaky_relu.ts";
import type { ElementwiseOperator } from "../../../shared/operators/operator.ts";
import { relu } from "../../../shared/operators/relu.ts";
import { add, compare, exact, isAtLeast, isAtMost, multiply, subtract, toNumber } from "../../exact/dyadic.ts";
import { kinksOf, pieceOf } from "../../exact/pieces.ts";
import { Random } from "../../exact/random.ts";

const SEED = 15_16;
const RUNS = 600;

interface Case {
  readonly rules: ElementwiseOperator;
  readonly node: Node;
  readonly l: number;
  readonly u: number;
}

const one = (lower: number, upper: number): Box => ({ lower: Float64Array.of(lower), upper: Float64Array.of(upper) });
const base = { inputs: [0], size: 1, name: "h" } as const;
const leaky = (slope: number): Node => ({ ...base, operator: "leaky_relu", slopes: Float64Array.of(slope) });
const clipped = (lower: number, upper: number): Node => ({
  ...base,
  operator: "clip",
  lower: Float64Array.of(lower),
  upper: Float64Array.of(upper),
});

/** Boxes of all sizes about all kinks, ends exactly on kinks among them. */
function anyCase(random: Random): Case {
  const scale = 2 ** random.integer(-12, 12);
  const end = () => random.chance(0.15) ? 0 : random.chance(0.15) ? scale : scale * random.normal() * 2;
  const [l, u] = [end(), end()].sort((a, b) => a - b);
  switch (random.integer(0, 3)) {
    case 0:
      return { rules: abs, node: { ...base, operator: "abs" }, l, u };
    case 1:
      return { rules: relu, node: { ...base, operator: "relu" }, l, u };
    case 2:
      return { rules: leakyRelu, node: leaky(random.pick([0, 0.01, 1, -1, 3, 2 * random.normal()])), l, u };
    default: {
      const [lo, hi] = random.pick([[0, scale], [-scale, scale], [0, Infinity], [-Infinity, 0], [scale, scale]]);
      return { rules: clip, node: clipped(lo, hi), l, u };
    }
  }
}

function each(run: (one: Case, random: Random) => void): void {
  for (let i = 0; i < RUNS; i++) {
    const random = new Random(SEED, i);
    run(anyCase(random), random);
  }
}

const contextOf = (node: Node) => ({ range: null, rule: "chord", node }) as const;

/** The exact value at z. */
function valueAt(node: Node, z: number) {
  const piece = pieceOf(node, 0, kinksOf(node, 0).filter((kink) => z > kink).length);
  return add(multiply(exact(piece.slope), exact(z)), exact(piece.constant));
}

function pointsOf({ node, l, u }: Case, random: Random): number[] {
  const inner = Array.from({ length: 6 }, () => Math.min(Math.max(random.between(l, u), l), u));
  return [l, u, ...inner, ...kinksOf(node, 0).filter((kink) => l <= kink && kink <= u)];
}

Deno.test(`relax() and image() enclose every activation on sampled boxes, each line touches it (seed ${SEED})`, () => {
  each((one_, random) => {
    const { rules, node, l, u } = one_;
    const lines = rules.relax(one(l, u), contextOf(node));
    const image = rules.image(one(l, u), contextOf(node));
    const gaps = pointsOf(one_, random).map((z) => {
      const value = valueAt(node, z);
      assert.ok(isAtLeast(value, image.lower[0]) && isAtMost(value, image.upper[0]), `image at ${z}`);
      const line = (slope: number, intercept: number) => add(multiply(exact(slope), exact(z)), exact(intercept));
      const above = subtract(line(lines.upperSlope[0], lines.upperIntercept[0]), value);
      const below = subtract(value, line(lines.lowerSlope[0], lines.lowerIntercept[0]));
      assert.ok(compare(above, exact(0)) >= 0 && compare(below, exact(0)) >= 0, `lines at ${z}`);
      return [toNumber(above), toNumber(below)];
    });
    const size = Math.max(-l, u) * (1 + Math.abs(lines.upperSlope[0]) + Math.abs(lines.lowerSlope[0]));
    for (const k of [0, 1]) assert.ok(Math.min(...gaps.map((gap) => gap[k])) <= 1e-14 * size, "touches");
  });
});

Deno.test(`relax() equals the activation at radius 0, image() within its rounding (seed ${SEED})`, () => {
  each(({ rules, node, u: z }) => {
    const lines = rules.relax(one(z, z), contextOf(node));
    const value = valueAt(node, z);
    for (
      const [slope, intercept] of [[lines.lowerSlope, lines.lowerIntercept], [lines.upperSlope, lines.upperIntercept]]
    ) {
      assert.equal(compare(add(multiply(exact(slope[0]), exact(z)), exact(intercept[0])), value), 0);
    }
    const { lower: [low], upper: [high] } = rules.image(one(z, z), contextOf(node));
    assert.ok(high - low <= 2 ** -50 * Math.abs(toNumber(value)));
    if (z > 0) assert.equal(low, high);
  });
});

Deno.test(`undetermined() is false only where tighter bounds change neither lines nor derivative (seed ${SEED})`, () => {
  let decided = 0;
  each((one_, random) => {
    const { rules, node, l, u } = one_;
    // The norm leaves a bound of exactly 0 as it is.
    if (rules.undetermined(one(l, u), contextOf(node), 0) || (rules === abs && l * u === 0)) return;
    decided++;
    const [a, b] = pointsOf(one_, random).slice(2, 4).sort((x, y) => x - y);
    assert.deepEqual(rules.relax(one(a, b), contextOf(node)), rules.relax(one(l, u), contextOf(node)));
    const derivative = (x: number, y: number) => rules.derivative!(one(x, y), null, node);
    assert.deepEqual(derivative(a, b), derivative(l, u));
  });
  assert.ok(decided > RUNS / 10);
});

Deno.test(`derivative() holds the slope of every piece that meets the box, and no other (seed ${SEED})`, () => {
  each(({ rules, node, l, u }) => {
    const kinks = kinksOf(node, 0);
    const met = Array.from({ length: kinks.length + 1 }, (_, k) => k)
      .filter((k) => u >= (kinks[k - 1] ?? -Infinity) && l <= (kinks[k] ?? Infinity))
      .map((k) => pieceOf(node, 0, k).slope);
    const { lower, upper } = rules.derivative!(one(l, u), null, node);
    assert.deepEqual([lower[0], upper[0]], [Math.min(...met), Math.max(...met)].map((d) => d + 0));
  });
});

Deno.test(`leaky relu with slope 0 is relu bit for bit, with slope -1 it is abs (seed ${SEED})`, () => {
  each(({ l, u }) => {
    for (const [rules, slope] of [[relu, 0], [abs, -1]] as const) {
      if (l === 0 && u === 0) continue;
      const context = contextOf(leaky(slope));
      assert.deepEqual(leakyRelu.relax(one(l, u), context), rules.relax(one(l, u), context));
      assert.deepEqual(leakyRelu.image(one(l, u), context), rules.image(one(l, u), context));
      const own = leakyRelu.derivative!(one(l, u), null, context.node);
      assert.deepEqual(own, rules.derivative!(one(l, u), null));
      if (rules === relu) {
        assert.equal(leakyRelu.undetermined(one(l, u), context, 0), relu.undetermined(one(l, u), context, 0));
      }
    }
  });
});

Deno.test(`clip to [0, infinity) is relu: all but the rounding of its chord's intercept bit for bit (seed ${SEED})`, () => {
  each(({ l, u }) => {
    const context = contextOf(clipped(0, Infinity));
    const { upperIntercept: [own], ...lines } = clip.relax(one(l, u), context);
    const { upperIntercept: [known], ...others } = relu.relax(one(l, u), context);
    assert.deepEqual(lines, others);
    assert.ok(Math.abs(own - known) <= 2 ** -50 * Math.max(-l, u));
    assert.deepEqual(clip.image(one(l, u), context), relu.image(one(l, u), context));
    assert.deepEqual(clip.derivative!(one(l, u), null, context.node), relu.derivative!(one(l, u), null));
    assert.equal(clip.undetermined(one(l, u), context, 0), relu.undetermined(one(l, u), context, 0));
  });
});

Deno.test(`clip's lines leave no more area than its end constants or the chords through its kinks (seed ${SEED})`, () => {
  for (let i = 0; i < RUNS; i++) {
    const random = new Random(SEED, 10_000 + i);
    const [l, lo, hi, u] = Array.from({ length: 4 }, () => 10 * random.normal()).sort((a, b) => a - b);
    const lines = clip.relax(one(l, u), contextOf(clipped(lo, hi)));
    // The mean height of a line over [l, u] is its height in the middle.
    const middle = (l + u) / 2;
    const above = lines.upperSlope[0] * middle + lines.upperIntercept[0];
    const below = lines.lowerSlope[0] * middle + lines.lowerIntercept[0];
    assert.ok(above <= Math.min(hi, lo + (hi - lo) / (hi - l) * (middle - l)) + 1e-12);
    assert.ok(below >= Math.max(lo, lo + (hi - lo) / (u - lo) * (middle - lo)) - 1e-12);
  }
});

Deno.test("leaky relu and clip refuse to be applied without their constants", () => {
  const none = { range: null, rule: "chord" } as const;
  assert.throws(() => leakyRelu.relax(one(-1, 1), none), RangeError);
  assert.throws(() => clip.image(one(-1, 1), none), RangeError);
});
