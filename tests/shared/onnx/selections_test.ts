/** What moves values is read as selections, never as a matrix of 0 and 1; and what a model holds is what it says. */
import assert from "node:assert/strict";
import type { Graph, Node } from "../../../shared/graph.ts";
import { readModel } from "../../../shared/onnx/read_model.ts";
import { node } from "../../models/build.ts";
import { evaluateTwice } from "../../models/evaluate.ts";
import { numbers, type SmallNetwork, smallNetwork } from "./networks.ts";

const graphOf = (network: SmallNetwork) => readModel(smallNetwork(network)).graph("y");
const outline = ({ nodes }: Graph) => nodes.slice(1).map(({ operator }) => operator).join(" ");

function mapOf(node: Node | undefined): number[] {
  assert.ok(node?.operator === "selection" && !node.transposed);
  return [...node.map];
}

Deno.test("readModel() reads Transpose, Slice, Gather and broadcasting in a row as one selection", () => {
  const graph = graphOf({
    input: [2, 3],
    nodes: [
      node("Transpose", ["x"], ["t"]),
      node("Slice", ["t", "from", "to"], ["s"]),
      node("Gather", ["s", "i"], ["g"], { axis: 1 }),
      node("Reshape", ["g", "shape"], ["r"]),
      node("Relu", ["zero"], ["z"]),
      node("Add", ["r", "z"], ["y"]),
    ],
    ints: { from: [[1], [1]], to: [[1], [3]], i: [[1], [1]], shape: [[2], [2, 1]] },
    floats: { zero: [[1, 2], [0, 0]] },
  });
  assert.equal(outline(graph), "selection");
  assert.deepEqual(mapOf(graph.nodes[1]), [4, 4, 5, 5]);
});

Deno.test("readModel() composes padding with padding, and drops what is cropped again", () => {
  const pad = (from: string, to: string, pads: string) => node("Pad", [from, pads], [to]);
  const network = { input: [1, 2], ints: { out: [[4], [0, 1, 0, 1]], in: [[4], [0, -1, 0, -1]] } } as const;
  const twice = graphOf({ ...network, nodes: [pad("x", "p", "out"), pad("p", "y", "out")] });
  assert.equal(outline(twice), "selection");
  assert.deepEqual(mapOf(twice.nodes[1]), [-1, -1, 0, 1, -1, -1]);
  const back = graphOf({ ...network, nodes: [node("Relu", ["x"], ["h"]), pad("h", "p", "out"), pad("p", "y", "in")] });
  assert.equal(outline(back), "relu");
});

Deno.test("readModel() undoes a Transpose by its inverse around a convolution", () => {
  const graph = graphOf({
    type: "float32",
    input: [1, 3, 3, 2],
    nodes: [
      node("Transpose", ["x"], ["t"], { perm: [0, 3, 1, 2] }),
      node("Conv", ["t", "w"], ["c"]),
      node("Transpose", ["c"], ["u"], { perm: [0, 2, 3, 1] }),
      node("Relu", ["u"], ["h"]),
      node("Transpose", ["h"], ["v"], { perm: [0, 3, 1, 2] }),
      node("Conv", ["v", "w"], ["y"]),
    ],
    floats: { w: [[2, 2, 2, 2], numbers(16)] },
  });
  assert.equal(outline(graph), "selection convolution relu convolution");
});

Deno.test("readModel() selects the same view once, however many operators need its elements in order", () => {
  const graph = graphOf({
    type: "float32",
    input: [1, 3, 3, 2],
    nodes: [
      node("Transpose", ["x"], ["t"], { perm: [0, 3, 1, 2] }),
      node("Conv", ["t", "w"], ["a"]),
      node("Conv", ["t", "v"], ["b"]),
      node("Relu", ["a"], ["h"]),
      node("Add", ["h", "b"], ["y"]),
    ],
    floats: { w: [[2, 2, 2, 2], numbers(16)], v: [[2, 2, 2, 2], numbers(16, 3)] },
  });
  assert.equal(outline(graph), "selection convolution convolution relu add");
});

Deno.test("readModel() keeps the neurons of an activation one each where a later layer reads them twice", () => {
  const network: SmallNetwork = {
    input: [1, 2],
    nodes: [
      node("MatMul", ["x", "w"], ["z"]),
      node("Relu", ["z"], ["h"]),
      node("Gather", ["h", "i"], ["g"], { axis: 1 }),
      node("MatMul", ["g", "v"], ["y"]),
    ],
    floats: { w: [[2, 2], numbers(4)], v: [[4, 1], numbers(4)] },
    ints: { i: [[4], [0, 1, 1, 0]] },
  };
  assert.equal(outline(graphOf(network)), "affine relu selection affine");
  assert.equal(readModel(smallNetwork(network)).description.activations, 2);
});

Deno.test("readModel() reads Concat as a sum of selections, and of two matrices as one matrix", () => {
  const activations = graphOf({
    input: [1, 2],
    nodes: [node("Relu", ["x"], ["h"]), node("Concat", ["x", "c", "h"], ["y"], { axis: 1 })],
    floats: { c: [[1, 1], [7]] },
  });
  assert.equal(outline(activations), "relu selection shift selection add");
  assert.deepEqual(mapOf(activations.nodes[2]), [0, 1, -1, -1, -1]);
  assert.deepEqual(mapOf(activations.nodes[4]), [-1, -1, -1, 0, 1]);
  const matrices = graphOf({
    input: [1, 2],
    nodes: [
      node("MatMul", ["x", "w"], ["a"]),
      node("MatMul", ["x", "v"], ["b"]),
      node("Concat", ["b", "a"], ["y"], { axis: 1 }),
    ],
    floats: { w: [[2, 3], numbers(6)], v: [[2, 2], numbers(4, 7)] },
  });
  assert.equal(outline(matrices), "affine");
});

Deno.test("readModel() of a tensor and its transpose is one small matrix, or two selections that meet", () => {
  const swapped = (size: number, operator: "Add" | "Sub"): SmallNetwork => ({
    input: [size, size],
    nodes: [
      node("Relu", ["x"], ["h"]),
      node("Transpose", ["h"], ["t"]),
      node(operator, ["h", "t"], ["y"]),
    ],
  });
  assert.equal(outline(graphOf(swapped(4, "Sub"))), "relu affine");
  const large = graphOf(swapped(50, "Sub"));
  assert.equal(outline(large), "relu selection add");
  const y = evaluateTwice(large, numbers(2500));
  const h = numbers(2500).map((value) => Math.max(value, 0));
  assert.deepEqual(y, Float64Array.from(h, (value, i) => value - h[i % 50 * 50 + Math.floor(i / 50)]));
});

Deno.test("readModel() sums over large axes by windows of ones, whatever axes they are", () => {
  const shape = [3, 40, 8, 40] as const;
  const x = numbers(3 * 40 * 8 * 40);
  const strides = [12800, 320, 40, 1];
  for (const axes of [[2, 3], [0, 2], [1], [3]]) {
    const graph = graphOf({
      input: shape,
      nodes: [node("ReduceSum", ["x", "a"], ["y"])],
      ints: { a: [[axes.length], axes] },
    });
    const last = axes.every((axis, i) => axis === 4 - axes.length + i);
    assert.equal(outline(graph), last ? "convolution" : "selection convolution");
    const wanted = new Float64Array(
      shape.reduce((product, size, axis) => axes.includes(axis) ? product : product * size, 1),
    );
    x.forEach((value, at) => {
      let to = 0;
      shape.forEach((size, axis) => {
        if (!axes.includes(axis)) to = to * size + Math.floor(at / strides[axis]) % size;
      });
      wanted[to] += value;
    });
    // Eighths that are small sum without rounding, in any order.
    assert.deepEqual(evaluateTwice(graph, x), wanted);
  }
  const small = graphOf({ input: [2, 3, 4], nodes: [node("GlobalAveragePool", ["x"], ["y"])] });
  assert.equal(outline(small), "affine");
});

/** Numbers in the constants of a graph, each array once. */
function held({ nodes }: Graph): number {
  const arrays = new Set<Float64Array | Int32Array>();
  for (const node of nodes) {
    for (const value of Object.values(node)) {
      if (value instanceof Float64Array || value instanceof Int32Array) arrays.add(value);
    }
  }
  return [...arrays].reduce((sum, array) => sum + array.length, 0);
}

Deno.test("readModel() counts at least what the graph holds, and for a convolution no more than its values", () => {
  const FOLDER = new URL("../../models/torch/", import.meta.url);
  const names = ["padded_opset11", "dense_opset9", "residual_opset11", "normalization_opset9", "decoder"];
  for (const name of names) {
    const model = readModel(Deno.readFileSync(new URL(`${name}.onnx`, FOLDER)));
    const [{ name: output }] = model.description.outputs;
    const counted = model.expanded + model.description.parameters;
    assert.ok(
      held(model.graph(output)) <= counted,
      `${name}: ${held(model.graph(output))} numbers, counted ${counted}`,
    );
  }
  const conv = readModel(smallNetwork({
    input: [1, 3, 64, 64],
    nodes: [node("Conv", ["x", "w", "b"], ["y"], { pads: [1, 1, 1, 1] })],
    floats: { w: [[8, 3, 3, 3], numbers(216)], b: [[8], numbers(8)] },
  }));
  assert.equal(outline(conv.graph("y")), "convolution");
  assert.ok(conv.expanded >= 8 * 64 * 64 && conv.expanded <= 8 * 64 * 64 + 1000, `${conv.expanded}`);
});
