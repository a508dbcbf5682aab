/** Random networks of layers that part and meet again, against onnxruntime in float64. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { readModel } from "../../../shared/onnx/read_model.ts";
import { node, type NodeInit } from "../../models/build.ts";
import { evaluateTwice } from "../../models/evaluate.ts";
import { relativeError, runOnnx } from "../../models/onnxruntime.ts";
import { numbers, type SmallNetwork, smallNetwork } from "./networks.ts";

const SEED = 20261125;

const OPERATORS = [
  "MatMul",
  "Relu",
  "Abs",
  "Clip",
  "Neg",
  "Mul",
  "Add",
  "Add",
  "Sub",
  "Concat",
  "Split",
  "Transpose",
] as const;

/** A step: which operator, which of the tensors so far it reads, and a number that decides its details. */
interface Step {
  readonly operator: (typeof OPERATORS)[number];
  readonly first: number;
  readonly second: number;
  readonly choice: number;
}

interface Tensor {
  readonly name: string;
  readonly shape: readonly [number, number];
}

/** A network of matrices; its output is the sum of every row of the last tensors, so that nothing is left out. */
function network(steps: readonly Step[]): SmallNetwork {
  const nodes: NodeInit[] = [];
  const floats: Record<string, readonly [readonly number[], readonly number[]]> = {
    low: [[], [-0.75]],
    high: [[], [1.5]],
  };
  const tensors: Tensor[] = [{ name: "x", shape: [2, 3] }];
  steps.forEach(({ operator, first, second, choice }, i) => {
    const a = tensors[first % tensors.length];
    const same = tensors.filter(({ shape }) => shape[0] === a.shape[0] && shape[1] === a.shape[1]);
    const b = same[second % same.length];
    const push = (shape: Tensor["shape"], suffix = "") => {
      tensors.push({ name: `v${i}${suffix}`, shape });
      return `v${i}${suffix}`;
    };
    const [rows, columns] = a.shape;
    if (operator === "MatMul") {
      const width = 1 + choice % 4;
      floats[`c${i}`] = [[columns, width], numbers(columns * width, choice)];
      nodes.push(node("MatMul", [a.name, `c${i}`], [push([rows, width])]));
    } else if (operator === "Mul") {
      floats[`c${i}`] = [[columns], choice % 3 === 0 ? new Array<number>(columns).fill(1) : numbers(columns, choice)];
      nodes.push(node("Mul", [a.name, `c${i}`], [push(a.shape)]));
    } else if (operator === "Clip") nodes.push(node("Clip", [a.name, "low", "high"], [push(a.shape)]));
    else if (operator === "Add" || operator === "Sub") nodes.push(node(operator, [a.name, b.name], [push(a.shape)]));
    else if (operator === "Concat" && rows * columns <= 24) {
      const axis = choice % 2;
      const shape = axis === 0 ? [2 * rows, columns] as const : [rows, 2 * columns] as const;
      nodes.push(node("Concat", [a.name, b.name], [push(shape)], { axis }));
    } else if (operator === "Split" && columns % 2 === 0) {
      const half = [rows, columns / 2] as const;
      nodes.push(node("Split", [a.name], [push(half, "l"), push(half, "r")], { axis: 1 }));
    } else if (operator === "Transpose") nodes.push(node("Transpose", [a.name], [push([columns, rows])]));
    else nodes.push(node(operator === "Abs" || operator === "Neg" ? operator : "Relu", [a.name], [push(a.shape)]));
  });
  const last = tensors.slice(-3);
  last.forEach(({ name }, i) => nodes.push(node("ReduceSum", [name], [`s${i}`])));
  nodes.push(node("Concat", last.map((_, i) => `s${i}`), ["y"], { axis: 1 }));
  return { input: [2, 3], nodes, floats };
}

const step: fc.Arbitrary<Step> = fc.record({
  operator: fc.constantFrom(...OPERATORS),
  first: fc.nat({ max: 100 }),
  second: fc.nat({ max: 100 }),
  choice: fc.nat({ max: 30 }),
});

Deno.test(`readModel() agrees with onnxruntime on random graphs of branches (seed ${SEED})`, async () => {
  let adds = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 12 }), async (steps) => {
      const bytes = smallNetwork(network(steps));
      const graph = readModel(bytes).graph("y");
      graph.nodes.forEach(({ inputs }, id) => {
        assert.ok(inputs.every((input) => input < id) && new Set(inputs).size === inputs.length);
      });
      adds += graph.nodes.filter(({ operator }) => operator === "add").length;
      const point = numbers(6, steps.length);
      const [wanted] = await runOnnx(bytes, [point], "y");
      const got = evaluateTwice(graph, point);
      assert.ok(relativeError(got, wanted) <= 1e-12, `${got} instead of ${wanted}`);
    }),
    { seed: SEED, numRuns: 150 },
  );
  assert.ok(adds > 100, `${adds} sums of branches`);
});
