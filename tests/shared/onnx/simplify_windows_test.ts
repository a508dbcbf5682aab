/** Convolutions and selections merged with their neighbours: where every number is exact, and nowhere else. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { ConvolutionNode, Graph, Node, Windows } from "../../../shared/graph.ts";
import { dyadic } from "../../../shared/onnx/exact.ts";
import { simplify } from "../../../shared/onnx/simplify.ts";
import { evaluate } from "../../models/evaluate.ts";
import { numbers } from "./networks.ts";

const SEED = 77;
type Step = (input: number, inputSize: number) => Node;

const f64 = (values: readonly number[]) => new Float64Array(values);

/** Two coarse and four fine channels in two groups; windows 2x1 on a fine grid of 3x2. */
const WINDOWS: Windows = {
  batch: 1,
  groups: 2,
  coarse: { channels: 2, height: 2, width: 2 },
  fine: { channels: 4, height: 3, width: 2 },
  kernel: [2, 1],
  stride: [1, 1],
  dilation: [1, 1],
  begin: [0, 0],
};
const COARSE = 8, FINE = 24, KERNEL = 8;

function convolution(
  kernel: readonly number[],
  bias: readonly number[] | null = null,
  transposed = false,
  windows = WINDOWS,
): Step {
  const { channels, height, width } = transposed ? windows.fine : windows.coarse;
  const size = windows.batch * channels * height * width;
  return (input) => ({
    ...{
      operator: "convolution",
      inputs: [input],
      size,
      name: "convolution",
      kernel: f64(kernel),
      windows,
      transposed,
    },
    bias: bias && f64(bias),
  });
}
const scale = (factors: readonly number[], inverse = false, roundings?: number): Step => (input) => ({
  ...{ operator: "scale", inputs: [input], size: factors.length, name: "scale", factors: f64(factors), inverse },
  ...(roundings === undefined ? {} : { roundings }),
});
const shift = (offsets: readonly number[]): Step => (input) => ({
  ...{ operator: "shift", inputs: [input], size: offsets.length, name: "shift", offsets: f64(offsets) },
});
const selection = (map: readonly number[]): Step => (input) => ({
  ...{ operator: "selection", inputs: [input], size: map.length, name: "selection", map: Int32Array.from(map) },
  transposed: false,
});
const affine = (weights: readonly number[], bias: readonly number[] | null = null): Step => (input, inputSize) => ({
  ...{ operator: "affine", inputs: [input], size: weights.length / inputSize, name: "affine", weights: f64(weights) },
  bias: bias && f64(bias),
});
const relu: Step = (input, size) => ({ operator: "relu", inputs: [input], size, name: "relu" });

function chain(size: number, ...steps: readonly Step[]): Graph {
  const nodes: Node[] = [{ operator: "input", inputs: [], size, name: "x" }];
  for (const step of steps) nodes.push(step(nodes.length - 1, nodes[nodes.length - 1].size));
  return { nodes };
}
const simplified = (size: number, ...steps: readonly Step[]) => simplify(chain(size, ...steps)).nodes.slice(1);
const outline = (nodes: readonly Node[]) => nodes.map(({ operator }) => operator).join(" ");

function only(nodes: readonly Node[]): ConvolutionNode {
  assert.equal(outline(nodes), "convolution");
  const [node] = nodes;
  assert.ok(node.operator === "convolution");
  return node;
}
/** A number for each channel of a grid, at every position. */
const perChannel = (channels: readonly number[], positions: number) =>
  channels.flatMap((value) => new Array<number>(positions).fill(value));

const kernel = numbers(KERNEL);

Deno.test("simplify() adds a shift to a convolution's bias only where no sum rounds or cancels", () => {
  const offsets = numbers(COARSE);
  assert.deepEqual(only(simplified(FINE, convolution(kernel), shift(offsets))).bias, f64(offsets));
  const bias = perChannel([16, 32], 4);
  const sum = f64(offsets.map((offset, i) => offset + bias[i]));
  assert.deepEqual(only(simplified(FINE, convolution(kernel, bias), shift(offsets))).bias, sum);
  const rounds = simplified(FINE, convolution(kernel, perChannel([0.1, 1], 4)), shift(perChannel([0.2, 1], 4)));
  assert.equal(outline(rounds), "convolution shift");
  const cancels = simplified(FINE, convolution(kernel, perChannel([1, 1], 4)), shift(perChannel([1, -1], 4)));
  assert.equal(outline(cancels), "convolution shift");
  assert.equal(only(simplified(FINE, convolution(kernel, perChannel([0, 0], 4)))).bias, null);
});

Deno.test("simplify() folds one factor a channel into the kernel, on either side and either way", () => {
  const after = only(simplified(FINE, convolution(kernel, perChannel([1, 3], 4)), scale(perChannel([2, -0.5], 4))));
  assert.deepEqual(after.kernel, f64(kernel.map((w, i) => w * (i < 4 ? 2 : -0.5))));
  assert.deepEqual(after.bias, f64(perChannel([2, -1.5], 4)));
  const before = only(simplified(FINE, scale(perChannel([1, 2, 4, 8], 6), true), convolution(kernel)));
  assert.deepEqual(before.kernel, f64(kernel.map((w, i) => w / [1, 1, 2, 2, 4, 4, 8, 8][i])));
  const spread = only(simplified(COARSE, convolution(kernel, null, true), scale(perChannel([1, 2, 4, 8], 6))));
  assert.deepEqual(spread.kernel, f64(kernel.map((w, i) => w * [1, 1, 2, 2, 4, 4, 8, 8][i])));
  const spreadAfter = only(simplified(COARSE, scale(perChannel([2, -0.5], 4)), convolution(kernel, null, true)));
  assert.deepEqual(spreadAfter.kernel, f64(kernel.map((w, i) => w * (i < 4 ? 2 : -0.5))));
});

Deno.test("simplify() leaves a factor apart that rounds, differs within a channel or has an error", () => {
  const third = perChannel([3, 3], 4);
  assert.equal(outline(simplified(FINE, convolution(kernel), scale(third, true))), "convolution scale");
  const rounds = simplified(FINE, scale(perChannel([0.1, 1, 1, 1], 6)), convolution(kernel.map((w) => w * 0.1)));
  assert.equal(outline(rounds), "scale convolution");
  const uneven = perChannel([2, 4], 4).map((factor, i) => i === 7 ? 2 : factor);
  assert.equal(outline(simplified(FINE, convolution(kernel), scale(uneven))), "convolution scale");
  const inexact = scale(perChannel([2, 4], 4), false, 4);
  assert.equal(outline(simplified(FINE, convolution(kernel), inexact)), "convolution scale");
  const bias = simplified(FINE, convolution(kernel, perChannel([0.1, 0], 4)), scale(perChannel([1 / 3, 1], 4)));
  assert.equal(outline(bias), "convolution scale");
  assert.equal(
    outline(simplified(FINE, shift(numbers(FINE)), convolution(kernel), relu)),
    "shift convolution relu",
    "a mean before padding is not a bias",
  );
});

/** The map that puts `top`, `left`, `bottom`, `right` zeros around planes of height x width. */
function padding(planes: number, [height, width]: readonly number[], [top, left, bottom, right]: readonly number[]) {
  const map: number[] = [];
  for (let plane = 0; plane < planes; plane++) {
    for (let r = -top; r < height + bottom; r++) {
      for (let c = -left; c < width + right; c++) {
        const inside = r >= 0 && r < height && c >= 0 && c < width;
        map.push(inside ? (plane * height + r) * width + c : -1);
      }
    }
  }
  return map;
}

Deno.test("simplify() takes a selection that only pads as the padding of the windows", () => {
  const node = only(simplified(4, selection(padding(4, [1, 1], [2, 0, 0, 1])), convolution(kernel)));
  assert.deepEqual(node.windows, { ...WINDOWS, fine: { channels: 4, height: 1, width: 1 }, begin: [2, 0] });
  const wide = only(simplified(8, selection(padding(4, [2, 1], [0, 1, 1, 0])), convolution(kernel)));
  assert.deepEqual(wide.windows, { ...WINDOWS, fine: { channels: 4, height: 2, width: 1 }, begin: [0, 1] });
});

Deno.test("simplify() leaves apart a selection that also leaves out, repeats or moves values", () => {
  const pad = padding(4, [2, 1], [0, 1, 1, 0]);
  const apart = (size: number, map: readonly number[], steps: readonly Step[] = [convolution(kernel)]) =>
    assert.equal(outline(simplified(size, selection(map), ...steps)), "selection convolution");
  apart(9, pad); // a value more than the padded grid has
  apart(16, padding(8, [2, 1], [0, 1, 1, 0]).slice(0, 24)); // channels that are left out
  apart(8, pad.map((from) => from === 7 ? 6 : from));
  apart(8, pad.map((from, i) => i === 0 ? 3 : from));
  apart(8, pad.map((from) => from < 0 ? from : 7 - from));
  apart(8, new Array<number>(24).fill(-1));
  const large = { ...WINDOWS, batch: 1, groups: 1, kernel: [1, 1] as const };
  const far = {
    ...large,
    coarse: { channels: 1, height: 1, width: 2000 },
    fine: { channels: 1, height: 1, width: 2000 },
  };
  apart(1, padding(1, [1, 1], [0, 999, 0, 1000]), [convolution([2], null, false, far)]);
});

Deno.test("simplify() composes selections, zeros included, and drops the one that moves nothing", () => {
  const [twice] = simplified(3, selection([2, -1, 0, 1]), selection([3, 1, -1, 0]));
  assert.ok(twice.operator === "selection");
  assert.deepEqual([...twice.map], [1, -1, -1, 2]);
  assert.equal(outline(simplified(3, selection([2, 0, 1]), selection([1, 2, 0]), relu)), "relu");
  assert.equal(outline(simplified(3, selection([0, 1]), relu)), "selection relu");
});

Deno.test("simplify() lets a matrix take the selection beside it where that is exact and no larger", () => {
  const rows = simplified(2, affine([1, 2, 3, 4], [5, 6]), selection([1, -1]));
  assert.deepEqual(rows, [{ ...affine([3, 4, 0, 0], [6, 0])(0, 2), name: "selection" }]);
  const wide = affine(numbers(10), null);
  assert.equal(outline(simplified(10, wide, selection(new Array<number>(9).fill(0)))), "affine selection");
  const columns = simplified(3, selection([2, -1, 0]), affine([7, 8, 9], [1]));
  assert.deepEqual(columns, [affine([9, 0, 7], [1])(0, 3)]);
  assert.equal(outline(simplified(2, selection([1, 1]), affine([0.1, 0.2]))), "selection affine");
  assert.equal(outline(simplified(9, selection([1, 4]), affine([1, 2]))), "selection affine");
});

Deno.test("simplify() makes one matrix of two whose rows selections bring together", () => {
  const nodes: Node[] = [
    ...chain(2, affine([1, 2, 3, 4], [0.1, 0])).nodes,
    affine([5, 6])(0, 2),
    selection([0, -1, 1])(1, 2),
    selection([-1, 0, -1])(2, 1),
    { operator: "add", inputs: [3, 4], size: 3, name: "add", signs: [1, -1] },
  ];
  assert.deepEqual(simplify({ nodes }).nodes.slice(1), [
    { ...affine([1, 2, -5, -6, 3, 4], [0.1, 0, 0])(0, 2), name: "add" },
  ]);
  const scaled = [...nodes.slice(0, 1), scale([2, 4])(0, 2), ...nodes.slice(1)].map((node, id) =>
    id < 2 ? node : { ...node, inputs: node.inputs.map((input) => input + 1) }
  );
  assert.equal(outline(simplify({ nodes: scaled }).nodes.slice(1)), "affine");
  const shared = [...nodes.slice(0, 2), relu(1, 2), ...nodes.slice(2)].map((node, id) =>
    id < 3 ? node : { ...node, inputs: node.inputs.map((input) => input > 1 ? input + 1 : input) }
  );
  const both: Node[] = [...shared, affine([1, 2])(2, 2), selection([-1, -1, 0])(7, 1)];
  const ends: Node[] = [...both, { operator: "add", inputs: [6, 8], size: 3, name: "last", signs: [1, 1] }];
  assert.equal(
    outline(simplify({ nodes: ends }).nodes.slice(1)),
    "affine relu affine selection selection add affine selection add",
    "the first matrix has another reader",
  );
  const overlap = nodes.map((node) =>
    node.operator === "selection" && node.inputs[0] === 2 ? selection([-1, 0, 0])(2, 1) : node
  );
  const apart = simplify({ nodes: overlap.map((node, id) => id === 2 ? affine([3, 4])(0, 2) : node) }).nodes.slice(1);
  assert.equal(outline(apart), "affine affine selection add", "3 - 3 would cancel");
});

/** A number as a fraction of BigInts. */
type Fraction = readonly [bigint, bigint];
const fraction = (value: number): Fraction => {
  const { mantissa, exponent } = dyadic(value);
  return exponent >= 0 ? [mantissa << BigInt(exponent), 1n] : [mantissa, 1n << BigInt(-exponent)];
};
const plus = ([a, b]: Fraction, [c, d]: Fraction): Fraction => [a * d + c * b, b * d];
const times = ([a, b]: Fraction, [c, d]: Fraction): Fraction => [a * c, b * d];
const over = (a: Fraction, [n, d]: Fraction): Fraction => times(a, n < 0n ? [-d, -n] : [d, n]);

/** A chain's output over the reals; a linear node by its columns, each the exact value at a unit vector. */
function exactValues(graph: Graph, x: readonly number[]): Fraction[] {
  return graph.nodes.slice(1).reduce((values, node): Fraction[] => {
    if (node.operator === "relu") return values.map((value) => value[0] > 0n ? value : [0n, 1n]);
    if (node.operator === "shift") return values.map((value, i) => plus(value, fraction(node.offsets[i])));
    if (node.operator === "scale") {
      return values.map((value, i) => (node.inverse ? over : times)(value, fraction(node.factors[i])));
    }
    assert.ok(node.operator === "convolution" || node.operator === "selection" || node.operator === "affine");
    const bias = node.operator === "selection" ? null : node.bias;
    const unbiased = node.operator === "selection" ? node : { ...node, bias: null };
    const alone = { nodes: [chain(values.length).nodes[0], { ...unbiased, inputs: [0] }] };
    const out = Array.from({ length: node.size }, (_, i) => fraction(bias?.[i] ?? 0));
    values.forEach((value, j) => {
      const column = evaluate(alone, values.map((_, i) => i === j ? 1 : 0));
      column.forEach((weight, i) => {
        if (weight !== 0) out[i] = plus(out[i], times(fraction(weight), value));
      });
    });
    return out;
  }, x.map(fraction));
}

Deno.test(`simplify() never changes a chain of convolutions and selections over the reals (seed ${SEED})`, () => {
  const number = fc.oneof(
    fc.integer({ min: -8, max: 8 }).map((n) => n / 4),
    fc.double({ min: -4, max: 4, noNaN: true, noDefaultInfinity: true }),
  );
  const few = (length: number) => fc.array(number, { minLength: length, maxLength: length });
  const kind = fc.constantFrom("scale", "inverse", "shift", "shift", "relu", "pad", "convolution", "select");
  const step = fc.record({ kind, values: few(8), even: fc.boolean(), at: fc.nat({ max: 50 }) });
  let merged = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 2, maxLength: 6 }), few(4), (steps, x) => {
      // One channel of 2x2, padded by one and convolved back to 2x2; two channels make the factors differ.
      const windows = (channels: number, size: number): Windows => ({
        ...WINDOWS,
        groups: channels,
        coarse: { channels, height: size - 1, width: size - 1 },
        fine: { channels, height: size, width: size },
        kernel: [2, 2],
      });
      let graph = chain(4);
      let size = 2;
      const push = (one: Step) => {
        const { nodes } = graph;
        graph = { nodes: [...nodes, one(nodes.length - 1, nodes[nodes.length - 1].size)] };
      };
      for (const { kind, values, even, at } of steps) {
        const every = Array.from({ length: size * size }, (_, i) => values[even ? 0 : i % 8]);
        if (kind === "scale") push(scale(every));
        else if (kind === "inverse") push(scale(every.map((value) => value === 0 ? 1 : value), true));
        else if (kind === "shift") push(shift(every));
        else if (kind === "relu") push(relu);
        else if (kind === "pad" && size < 4) {
          push(selection(padding(1, [size, size], even ? [1, 0, 0, 1] : [0, 1, 1, 0])));
          size++;
        } else if (kind === "convolution" && size > 1) {
          push(convolution(values.slice(0, 4), null, false, windows(1, size)));
          size--;
        } else push(selection(every.map((_, i) => (i * (at % 5) + at) % (size * size + 1) - 1)));
      }
      const simpler = simplify(graph);
      const wanted = exactValues(graph, x), got = exactValues(simpler, x);
      wanted.forEach(([a, b], i) => assert.equal(a * got[i][1], got[i][0] * b));
      if (simpler.nodes.length < graph.nodes.length) merged++;
    }),
    { seed: SEED, numRuns: 600 },
  );
  assert.ok(merged > 150, `${merged} chains became shorter`);
});
