/** Supported operators in a form that is not: refused with a problem that names node, operator and figures. */
import assert from "node:assert/strict";
import { readModel } from "../../../shared/onnx/read_model.ts";
import { floats, ints, node } from "../../models/build.ts";
import { BRANCH_FORMS, type Form, WINDOW_FORMS } from "./forms.ts";
import { smallNetwork } from "./networks.ts";
import { assertRefused, problemOf } from "./refusals.ts";

const DOUBLE = 11, FLOAT = 1, INT64 = 7;
const two = { a: [[2], [1, 2]] } as const;
const n = (...args: Parameters<typeof node>) => node(args[0], args[1], args[2], args[3] ?? {}, "n");

const FORMS: readonly Form[] = [
  ["product of two branches", "unsupported-attribute", /both depend/, {
    input: [2, 2],
    nodes: [n("MatMul", ["x", "x"], ["y"])],
  }],
  ["product of two branches, elementwise", "unsupported-attribute", /both depend/, {
    input: [1, 2],
    nodes: [node("Relu", ["x"], ["h"]), n("Mul", ["h", "x"], ["y"])],
  }],
  ["product of two constants", "unsupported-attribute", /two constants/, {
    input: [1, 2],
    nodes: [n("MatMul", ["a", "a"], ["p"]), node("Add", ["x", "p"], ["y"])],
    floats: two,
  }],
  ["C that depends on the input", "unsupported-attribute", /C must be a constant/, {
    input: [2, 2],
    nodes: [n("Gemm", ["x", "w", "x"], ["y"])],
    floats: { w: [[2, 2], [1, 2, 3, 4]] },
  }],
  ["division by the input", "unsupported-attribute", /division by a tensor/, {
    input: [1, 2],
    nodes: [n("Div", ["a", "x"], ["y"])],
    floats: two,
  }],
  ["a divisor with a zero", "unsupported-attribute", /zero/, {
    input: [1, 2],
    nodes: [n("Div", ["x", "a"], ["y"])],
    floats: { a: [[2], [1, 0]] },
  }],
  ["constants whose sum rounds", "unsupported-attribute", /without rounding/, {
    input: [1, 2],
    nodes: [n("Add", ["a", "b"], ["c"]), node("Add", ["x", "c"], ["y"])],
    floats: { a: [[2], [0.1, 1]], b: [[1], [0.2]] },
  }],
  ["beta times C that rounds", "unsupported-attribute", /beta/, {
    input: [1, 2],
    nodes: [n("Gemm", ["x", "w", "a"], ["y"], { beta: { float: 0.3 } })],
    floats: { w: [[2, 2], [1, 2, 3, 4]], a: [[2], [0.1, 0.2]] },
  }],
  ["shapes that do not broadcast", "shape-mismatch", /broadcast/, {
    input: [1, 3],
    nodes: [n("Add", ["x", "a"], ["y"])],
    floats: two,
  }],
  ["shapes that do not multiply", "shape-mismatch", /multiply/, {
    input: [1, 3],
    nodes: [n("MatMul", ["x", "w"], ["y"])],
    floats: { w: [[2, 2], [1, 2, 3, 4]] },
  }],
  ["C of the wrong shape", "shape-mismatch", /C of shape/, {
    input: [1, 2],
    nodes: [n("Gemm", ["x", "w", "c"], ["y"])],
    floats: { w: [[2, 2], [1, 2, 3, 4]], c: [[3], [1, 2, 3]] },
  }],
  ["Gemm of rank 3", "shape-mismatch", /two matrices/, {
    input: [1, 1, 2],
    nodes: [n("Gemm", ["x", "w"], ["y"])],
    floats: { w: [[2, 2], [1, 2, 3, 4]] },
  }],
  ["element types that differ", "shape-mismatch", /element type/, {
    input: [1, 2],
    nodes: [n("Add", ["x", "a"], ["y"])],
    tensors: [floats("a", [2], [1, 2], "float32")],
  }],
  ["integers added to floats", "unsupported-attribute", /constant of floats/, {
    input: [1, 2],
    nodes: [n("Add", ["x", "i"], ["y"])],
    ints: { i: [[2], [1, 2]] },
  }],
  ["Reshape to another count", "shape-mismatch", /cannot become/, {
    input: [1, 6],
    nodes: [n("Reshape", ["x", "s"], ["y"])],
    ints: { s: [[2], [4, -1]] },
  }],
  ["Reshape with two free sizes", "shape-mismatch", /cannot become/, {
    input: [1, 6],
    nodes: [n("Reshape", ["x", "s"], ["y"])],
    ints: { s: [[2], [-1, -1]] },
  }],
  ["Reshape that copies a size that is not there", "shape-mismatch", /cannot become/, {
    input: [6],
    nodes: [n("Reshape", ["x", "s"], ["y"])],
    ints: { s: [[2], [6, 0]] },
  }],
  ["Reshape to a shape that depends on the input", "unsupported-attribute", /constant integers/, {
    input: [1, 6],
    nodes: [n("Reshape", ["x", "x"], ["y"])],
  }],
  ["Squeeze of a size that is not 1", "shape-mismatch", /squeezed/, {
    input: [1, 2],
    nodes: [n("Squeeze", ["x", "s"], ["y"])],
    ints: { s: [[1], [1]] },
  }],
  ["axes that repeat", "shape-mismatch", /repeat/, {
    input: [1, 2],
    nodes: [n("Unsqueeze", ["x", "s"], ["y"])],
    ints: { s: [[2], [0, -4]] },
  }],
  ["an axis out of range", "shape-mismatch", /out of range/, {
    input: [1, 2],
    nodes: [n("Flatten", ["x"], ["y"], { axis: 3 })],
  }],
  ["no permutation", "shape-mismatch", /permutation/, {
    input: [1, 2],
    nodes: [n("Transpose", ["x"], ["y"], { perm: [0, 0] })],
  }],
  ["Gather out of range", "shape-mismatch", /out of range/, {
    input: [1, 2],
    nodes: [n("Gather", ["x", "i"], ["y"], { axis: 1 })],
    ints: { i: [[1], [2]] },
  }],
  ["Slice with a step of 0", "unsupported-attribute", /step is 0/, {
    input: [1, 2],
    nodes: [n("Slice", ["x", "i", "i", "i", "i"], ["y"])],
    ints: { i: [[1], [0]] },
  }],
  ["Slice to nothing", "shape-mismatch", /no elements/, {
    input: [1, 2],
    nodes: [n("Slice", ["x", "i", "i"], ["y"])],
    ints: { i: [[1], [0]] },
  }],
  ["Cast that rounds", "unsupported-attribute", /Cast from float64 to float32/, {
    input: [1, 2],
    nodes: [n("Cast", ["x"], ["y"], { to: FLOAT })],
    outputType: "float32",
  }],
  ["Cast of a fraction to an integer", "unsupported-attribute", /inexact/, {
    input: [1, 2],
    nodes: [n("Cast", ["a"], ["i"], { to: INT64 }), node("Reshape", ["x", "i"], ["y"])],
    floats: { a: [[2], [1, 2.5]] },
  }],
  ["Cast to a type that is not read", "unsupported-attribute", /FLOAT16/, {
    input: [1, 2],
    nodes: [n("Cast", ["x"], ["y"], { to: 10 })],
  }],
  ["Dropout in training mode", "unsupported-attribute", /training mode/, {
    input: [1, 2],
    nodes: [n("Dropout", ["x", "", "mode"], ["y"])],
    tensors: [{ name: "mode", dims: [], dataType: 9, rawData: new Uint8Array([1]) }],
  }],
  ["the mask of Dropout", "unsupported-attribute", /output 1 is not supported/, {
    input: [1, 2],
    nodes: [n("Dropout", ["x"], ["d", "mask"]), node("Relu", ["mask"], ["y"])],
  }],
  ["an attribute of another type", "unsupported-attribute", /another type/, {
    input: [1, 2],
    nodes: [n("Flatten", ["x"], ["y"], { axis: { float: 1 } })],
  }],
  ["an attribute that is not known", "unsupported-attribute", /"axis" is not supported/, {
    input: [1, 2],
    nodes: [n("Relu", ["x"], ["y"], { axis: 1 })],
  }],
  ["too few inputs", "unreadable-model", /1 inputs/, {
    input: [1, 2],
    nodes: [n("Add", ["x"], ["y"])],
  }],
  ["an input left out", "unsupported-attribute", /input 1 is missing/, {
    input: [1, 2],
    nodes: [n("Add", ["x", ""], ["y"])],
  }],
  ["a constant of 10^12 numbers", "unsupported-attribute", /too large/, {
    input: [1, 2],
    nodes: [
      n("ConstantOfShape", ["s"], ["c"]),
      node("Cast", ["c"], ["d"], { to: DOUBLE }),
      node("Add", ["x", "d"], ["y"]),
    ],
    ints: { s: [[2], [1e6, 1e6]] },
  }],
  ["an integer constant of a million numbers", "unsupported-attribute", /too many integers/, {
    input: [1, 2],
    nodes: [n("ConstantOfShape", ["s"], ["c"], { value: ints("", [1], [1]) }), node("Reshape", ["x", "c"], ["y"])],
    ints: { s: [[1], [1e6]] },
  }],
  ["integers that overflow", "unsupported-attribute", /overflows/, {
    input: [1, 2],
    nodes: [n("Mul", ["i", "i"], ["s"]), node("Reshape", ["x", "s"], ["y"])],
    ints: { i: [[1], [2n ** 40n]] },
  }],
  ["a broadcast to 10^12 numbers", "unsupported-attribute", /too large/, {
    input: [1e6, 1],
    nodes: [n("Gather", ["a", "i"], ["b"], { axis: 1 }), node("Add", ["x", "b"], ["y"])],
    floats: { a: [[1, 1], [1]] },
    tensors: [ints("i", [60000], new Array<number>(60000).fill(0))],
  }],
  ["a dense matrix of 10^10 numbers", "unsupported-attribute", /dense form/, {
    input: [1, 50000, 2],
    nodes: [n("MatMul", ["x", "w"], ["y"])],
    floats: { w: [[2, 2], [1, 2, 3, 4]] },
  }],
];

for (const [name, type, message, network] of [...FORMS, ...WINDOW_FORMS, ...BRANCH_FORMS]) {
  Deno.test(`readModel() refuses ${name}`, () => {
    const members = name === "a broadcast to 10^12 numbers" ? {} : { node: "n" };
    assertRefused(smallNetwork(network), type, message, members);
  });
}

Deno.test("readModel() refuses a chain of steps that allocate a little each and too much together", () => {
  const nodes = Array.from(
    { length: 400 },
    (_, i) => node("Transpose", [i === 0 ? "x" : `v${i}`], [i === 399 ? "y" : `v${i + 1}`]),
  );
  assertRefused(smallNetwork({ input: [256, 256], nodes }), "unsupported-attribute", /dense form/, {
    limit: 2 ** 24,
  });
});

Deno.test("readModel() refuses a chain that is selected from again and again", () => {
  const half = 4000;
  const value = (i: number) => i === 0 ? "x" : i === 2 * half ? "y" : `v${i}`;
  const relus = Array.from({ length: half }, (_, i) => node("Relu", [value(i)], [value(i + 1)]));
  const selections = Array.from({ length: half }, (_, i) => [
    node("Gather", [value(half + i), "g"], [`g${i}`], { axis: 1 }),
    node("Add", [`g${i}`, "a"], [value(half + i + 1)]),
  ]);
  const network = {
    input: [1, 2],
    nodes: [...relus, ...selections.flat()],
    floats: { a: [[1], [0.3]] },
    ints: { g: [[4096], new Array<number>(4096).fill(0)] },
  } as const;
  assertRefused(smallNetwork(network), "unsupported-attribute", /dense form/, { limit: 2 ** 24 });
});

Deno.test("a problem shows the beginning of names and lists, however long they are in the file", () => {
  const long = "n".repeat(1e6);
  const problems = [
    smallNetwork({ input: [1, 2], nodes: [node("S".repeat(1e6), ["x"], ["y"], {}, long)] }),
    smallNetwork({ input: [1, 2], nodes: [node("Relu", [long], ["y"])] }),
    smallNetwork({ input: [1, 2], nodes: [node("Transpose", ["x"], ["y"], { perm: new Array<number>(1e5).fill(3) })] }),
    smallNetwork({
      input: [1, 2],
      nodes: [node("Reshape", ["x", "s"], ["y"])],
      ints: { s: [[6e4], new Array<number>(6e4).fill(1)] },
    }),
  ].map(problemOf);
  for (const problem of problems) {
    assert.ok(problem !== null);
    assert.ok(JSON.stringify([problem.message, problem.members]).length < 2000, problem.type);
  }
});

Deno.test("readModel() takes Cast from float to double of the input as the identity it is", () => {
  const bytes = smallNetwork({
    input: [1, 2],
    type: "float32",
    outputType: "float64",
    nodes: [node("Cast", ["x"], ["d"], { to: DOUBLE }), node("Mul", ["d", "a"], ["y"])],
    tensors: [floats("a", [2], [0.1, 0.2], "float64")],
  });
  const model = readModel(bytes);
  assert.equal(model.inputType, "float32");
  const [, scale] = model.graph("y").nodes;
  assert.ok(scale.operator === "scale");
  assert.deepEqual(scale.factors, new Float64Array([0.1, 0.2]));
});

Deno.test("readModel() keeps every bit of typed and raw data of both float types", () => {
  const values = [1 / 3, 2 ** -1074, -0, 1.7e308];
  for (const stored of [{ doubleData: values }, { rawData: new Uint8Array(new Float64Array(values).buffer) }]) {
    const bytes = smallNetwork({
      input: [1, 4],
      nodes: [node("Mul", ["x", "a"], ["y"])],
      tensors: [{ name: "a", dims: [4n], dataType: DOUBLE, ...stored }],
    });
    const [, scale] = readModel(bytes).graph("y").nodes;
    assert.ok(scale.operator === "scale");
    assert.deepEqual(scale.factors, new Float64Array(values));
  }
  const [, rounded] = readModel(smallNetwork({
    input: [1, 1],
    type: "float32",
    nodes: [node("Mul", ["x", "a"], ["y"])],
    tensors: [{ name: "a", dims: [1n], dataType: FLOAT, floatData: [1 / 3] }],
  })).graph("y").nodes;
  assert.ok(rounded.operator === "scale");
  assert.deepEqual(rounded.factors, new Float64Array([Math.fround(1 / 3)]));
});

Deno.test("graph() of a name that is no output names the outputs there are", () => {
  const model = readModel(smallNetwork({ input: [1, 2], nodes: [node("Relu", ["x"], ["y"])] }));
  assert.throws(() => model.graph("z"), { type: "invalid-query", message: /no output "z"; it has \["y"\]/ });
  assert.equal(model.graph("y"), model.graph("y"));
});
