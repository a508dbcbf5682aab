/** Random chains of operators on tensors of random shapes against onnxruntime in float64. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { readModel } from "../../../shared/onnx/read_model.ts";
import { node, type NodeInit } from "../../models/build.ts";
import { evaluateTwice } from "../../models/evaluate.ts";
import { relativeError, runOnnx } from "../../models/onnxruntime.ts";
import { numbers, type SmallNetwork, smallNetwork } from "./networks.ts";

const SEED = 20261124;
const count = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);

/** A step: which operator, and a number that decides its details. */
interface Step {
  readonly operator:
    | "MatMul"
    | "left"
    | "Add"
    | "Mul"
    | "Div"
    | "Sub"
    | "Relu"
    | "Transpose"
    | "Reshape"
    | "Slice"
    | "Gather"
    | "Flatten";
  readonly choice: number;
}

function chain(input: readonly number[], steps: readonly Step[]): SmallNetwork {
  const nodes: NodeInit[] = [];
  const floatTensors: Record<string, readonly [readonly number[], readonly number[]]> = {};
  const intTensors: Record<string, readonly [readonly number[], readonly number[]]> = {};
  let shape = [...input];
  steps.forEach(({ operator, choice }, i) => {
    const from = i === 0 ? "x" : `v${i}`;
    const to = i === steps.length - 1 ? "y" : `v${i + 1}`;
    const axis = choice % shape.length;
    const rank = shape.length;
    const constant = (dims: readonly number[]) => {
      floatTensors[`c${i}`] = [dims, numbers(count(dims), choice)];
      return `c${i}`;
    };
    const list = (name: string, values: readonly number[]) => {
      intTensors[name] = [[values.length], values];
      return name;
    };
    if (operator === "MatMul") {
      nodes.push(node("MatMul", [from, constant([shape[rank - 1], 1 + choice % 4])], [to]));
      shape = [...shape.slice(0, -1), 1 + choice % 4];
    } else if (operator === "left" && rank >= 2) {
      nodes.push(node("MatMul", [constant([1 + choice % 3, shape[rank - 2]]), from], [to]));
      shape = [...shape.slice(0, -2), 1 + choice % 3, shape[rank - 1]];
    } else if (operator === "Transpose") {
      const perm = shape.map((_, d) => (d + choice) % rank);
      if (choice % 2 === 0) perm.reverse();
      nodes.push(node("Transpose", [from], [to], { perm }));
      shape = perm.map((d) => shape[d]);
    } else if (operator === "Reshape") {
      const parts = [1, 2, 3, 4, 6].filter((size) => count(shape) % size === 0);
      const part = parts[choice % parts.length];
      nodes.push(node("Reshape", [from, list(`s${i}`, [-1, part, 1].slice(0, 2 + choice % 2))], [to]));
      shape = [count(shape) / part, part, 1].slice(0, 2 + choice % 2);
    } else if (operator === "Slice") {
      const size = Math.ceil(shape[axis] / 2);
      nodes.push(
        node("Slice", [from, list(`f${i}`, [-1]), list(`t${i}`, [-100]), list(`a${i}`, [axis]), list(`p${i}`, [-2])], [
          to,
        ]),
      );
      shape = shape.map((old, d) => d === axis ? size : old);
    } else if (operator === "Gather") {
      const indices = [0, -1, choice % shape[axis]].slice(0, 1 + choice % 3);
      nodes.push(node("Gather", [from, list(`g${i}`, indices)], [to], { axis }));
      shape = shape.map((old, d) => d === axis ? indices.length : old);
    } else if (operator === "Flatten") {
      nodes.push(node("Flatten", [from], [to], { axis }));
      shape = [count(shape.slice(0, axis)), count(shape.slice(axis))];
    } else if (operator === "Relu" || operator === "left") {
      nodes.push(node("Relu", [from], [to]));
    } else {
      // The constant broadcasts along some axes and, sometimes, the tensor along one of size 1.
      const dims = shape.map((size, d) => (choice >> d) % 2 === 0 ? size : size === 1 && choice % 3 === 0 ? 2 : 1);
      const names = operator === "Div" || choice % 2 === 0 ? [from, constant(dims)] : [constant(dims), from];
      nodes.push(node(operator, names, [to]));
      shape = shape.map((size, d) => Math.max(size, dims[d]));
    }
  });
  return { input, nodes, floats: floatTensors, ints: intTensors };
}

const step: fc.Arbitrary<Step> = fc.record({
  operator: fc.constantFrom<Step["operator"]>(
    "MatMul",
    "left",
    "Add",
    "Mul",
    "Div",
    "Sub",
    "Relu",
    "Transpose",
    "Reshape",
    "Slice",
    "Gather",
    "Flatten",
  ),
  choice: fc.nat({ max: 30 }),
});
const input = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });

Deno.test(`readModel() agrees with onnxruntime on random chains of operators (seed ${SEED})`, async () => {
  await fc.assert(
    fc.asyncProperty(input, fc.array(step, { minLength: 1, maxLength: 8 }), async (shape, steps) => {
      const bytes = smallNetwork(chain(shape, steps));
      const graph = readModel(bytes).graph("y");
      const point = numbers(count(shape), steps.length);
      const [wanted] = await runOnnx(bytes, [point], "y");
      const got = evaluateTwice(graph, point);
      assert.ok(relativeError(got, wanted) <= 1e-12, `${got} instead of ${wanted}`);
    }),
    { seed: SEED, numRuns: 150 },
  );
});
