/** Files that make no sense as one network: refused with a problem that says where. */
import assert from "node:assert/strict";
import {
  type AttributeInit,
  buildMlp,
  buildModel,
  declare,
  type Dimension,
  floats,
  type GraphInit,
  ints,
  type ModelInit,
  node,
  type TensorInit,
} from "../../models/build.ts";
import { assertRefused, problemOf } from "./refusals.ts";
import { numbers } from "./networks.ts";

const weights = floats("w", [2, 2], [1, 2, 3, 4], "float32");

/** x [1, 2] -> MatMul w -> Relu -> y, with parts replaced. */
function model(graph: GraphInit | Partial<GraphInit> = {}, opset = 13, more: ModelInit = {}): Uint8Array {
  return buildModel(
    {
      node: [node("MatMul", ["x", "w"], ["z"], {}, "first"), node("Relu", ["z"], ["y"], {}, "second")],
      initializer: [weights],
      input: [declare("x", [1, 2], "float32")],
      output: [declare("y", [1, 2], "float32")],
      ...graph,
    },
    opset,
    more,
  );
}

const withWeights = (tensor: TensorInit) => model({ initializer: [{ ...weights, ...tensor }] });
const withInput = (shape: readonly Dimension[]) => model({ input: [declare("x", shape, "float32")] });

Deno.test("readModel() reads the model these tests break", () => {
  assert.equal(problemOf(model()), null);
});

Deno.test("readModel() refuses bytes that are no model", () => {
  assertRefused(new Uint8Array(0), "unreadable-model", /holds no graph/);
  assertRefused(new TextEncoder().encode("<!doctype html><p>hello"), "unreadable-model", /near byte/);
  assertRefused(new Uint8Array(4096), "unreadable-model", /illegal tag/, { offset: 1 });
  assertRefused(new Uint8Array([0x3a, 0xff, 0xff, 0xff, 0xff, 0x07]), "unreadable-model", /2147483647 bytes/, {
    offset: 6,
  });
  assertRefused(new Uint8Array(2 ** 26 + 1), "model-too-large", /longer/, { limit: 2 ** 26, got: 2 ** 26 + 1 });
});

Deno.test("readModel() refuses every truncation of a model", () => {
  const bytes = buildMlp({
    layers: [{ weights: [numbers(3), numbers(3, 1)], bias: [1, 2] }, { weights: [[1, 2]] }],
    type: "float32",
  });
  assert.equal(problemOf(bytes), null);
  for (let length = 0; length < bytes.length; length++) {
    assert.ok(problemOf(bytes.subarray(0, length)) !== null, `the first ${length} of ${bytes.length} bytes`);
  }
});

Deno.test("readModel() refuses a file that would take far more memory than it has bytes", () => {
  // A million empty nodes of two bytes each, inside a graph.
  const content = new Uint8Array(2_000_000);
  for (let i = 0; i < content.length; i += 2) content[i] = 0x0a;
  const length = [0x80 | (content.length & 0x7f), 0x80 | ((content.length >> 7) & 0x7f), content.length >> 14];
  assertRefused(new Uint8Array([0x3a, ...length, ...content]), "model-too-large", /too many nodes/);
  const many = ints("w", [2 ** 21], new Array<number>(2 ** 21).fill(1));
  assertRefused(model({ initializer: [many] }), "model-too-large", /integers/);
});

Deno.test("readModel() refuses messages that nest without end", () => {
  // Node (1), attribute (5), graph (6), again and again.
  let bytes: Uint8Array = new Uint8Array(0);
  for (let depth = 0; depth < 300; depth++) {
    const field = depth % 3 === 0 ? 0x32 : depth % 3 === 1 ? 0x2a : 0x0a;
    bytes = new Uint8Array([field, 0x80 | (bytes.length & 0x7f), bytes.length >> 7, ...bytes]);
  }
  assertRefused(
    new Uint8Array([0x3a, 0x80 | (bytes.length & 0x7f), bytes.length >> 7, ...bytes]),
    "unreadable-model",
    /nest/,
  );
});

Deno.test("readModel() refuses opsets before 7 and files without or with two of them", () => {
  assertRefused(model({}, 6), "unreadable-model", /opset 6; opset 7 and later/, { wanted: 7, got: 6 });
  assertRefused(model({}, 13, { opsetImport: [] }), "unreadable-model", /0 versions/);
  const twice = { opsetImport: [{ domain: "", version: 13n }, { domain: "ai.onnx", version: 12n }] };
  assertRefused(model({}, 13, twice), "unreadable-model", /2 versions/);
  assert.equal(problemOf(model({}, 13, { opsetImport: [{ domain: "ai.onnx", version: 13n }] })), null);
  assert.equal(problemOf(model({}, 25)), null);
});

Deno.test("readModel() refuses functions, training information and sparse initialisers", () => {
  assertRefused(model({}, 13, { functions: [{ name: "f", domain: "d" }] }), "unreadable-model", /functions/);
  assertRefused(model({}, 13, { trainingInfo: [{}] }), "unreadable-model", /training/);
  assertRefused(model({ sparseInitializer: [{ dims: [2n] }] }), "unreadable-model", /sparse/);
});

Deno.test("readModel() refuses a cycle and names a node on it", () => {
  const nodes = [node("MatMul", ["a", "w"], ["y"], {}, "m"), node("Relu", ["y"], ["a"], {}, "r")];
  assertRefused(model({ node: nodes }), "unreadable-model", /cycle/, { node: "m", operator: "MatMul" });
  assertRefused(model({ node: [node("Relu", ["y"], ["y"])] }), "unreadable-model", /cycle/, { node: 0 });
});

Deno.test("readModel() refuses what nothing makes: an initialiser, an input, an output", () => {
  assertRefused(model({ initializer: [] }), "unreadable-model", /nothing makes the input "w"/, { node: "first" });
  assertRefused(model({ output: [declare("q", [1, 2], "float32")] }), "unreadable-model", /output "q"/);
  assertRefused(model({ output: [] }), "unreadable-model", /no output/);
  assertRefused(model({ input: [] }), "unreadable-model", /0 inputs/);
});

Deno.test("readModel() refuses names that are given twice or not at all", () => {
  assertRefused(model({ initializer: [weights, weights] }), "unreadable-model", /initialiser "w" is there twice/);
  assertRefused(model({ initializer: [weights, { ...weights, name: "" }] }), "unreadable-model", /no name/);
  const y = declare("y", [1, 2], "float32");
  assertRefused(model({ output: [y, y] }), "unreadable-model", /output "y" is there twice/);
  const twice = [node("Relu", ["x"], ["y"]), node("Relu", ["x"], ["y"], {}, "again")];
  assertRefused(model({ node: twice }), "unreadable-model", /"y" is made twice/, { node: "again" });
  assertRefused(model({ node: [node("Relu", ["x"], ["x"])] }), "unreadable-model", /"x" is made twice/);
});

Deno.test("readModel() wants exactly one input that is no initialiser", () => {
  const [x, second] = [declare("x", [1, 2], "float32"), declare("w", [2, 2], "float32")];
  assert.equal(problemOf(model({ input: [x, second] })), null);
  const problem = { wanted: 1, got: ["x", "w"] };
  assertRefused(model({ input: [x, second], initializer: [] }), "unreadable-model", /2 inputs/, problem);
});

Deno.test("readModel() wants a float or double input with sizes beside the batch", () => {
  assertRefused(model({ input: [declare("x", [1, 2], "int64")] }), "unreadable-model", /INT64/);
  assertRefused(model({ input: [{ name: "x" }] }), "unreadable-model", /no tensor/);
  assertRefused(withInput([1, "n"]), "shape-mismatch", /input "x" has a dimension without a size/, { name: "x" });
  assertRefused(withInput(["n"]), "shape-mismatch", /without a size/);
  assertRefused(withInput([1, 0]), "shape-mismatch", /without a size/);
  assertRefused(withInput([1, -2]), "shape-mismatch", /without a size/);
  assertRefused(withInput([2 ** 40, 2 ** 40]), "shape-mismatch", /too large/);
  assertRefused(withInput(new Array<number>(40).fill(1)), "shape-mismatch", /too many dimensions/);
  for (const batch of ["batch", "", 1, 3]) {
    assert.equal(
      problemOf(model({ input: [declare("x", [batch, 2], "float32")], output: [declare("y", ["n", 2], "float32")] })),
      null,
    );
  }
});

Deno.test("readModel() compares the output with its declaration, symbols matching every size", () => {
  const declared = (shape: readonly Dimension[], type: "float32" | "float64" = "float32") =>
    model({ output: [declare("y", shape, type)] });
  assertRefused(declared([1, 3]), "shape-mismatch", /output "y" declares another shape/, {
    wanted: [1, 3],
    got: [1, 2],
  });
  assertRefused(declared([2]), "shape-mismatch", /another shape/);
  assertRefused(declared([1, 2], "float64"), "shape-mismatch", /element type/);
  assert.equal(problemOf(declared(["n", "m"])), null);
  assert.equal(problemOf(model({ output: [{ name: "y" }] })), null);
});

Deno.test("readModel() refuses initialisers whose data are not what their dimensions say", () => {
  assertRefused(withWeights({ dims: [3n, 2n] }), "unreadable-model", /"w" declares 6 elements and holds 4/);
  assertRefused(withWeights({ rawData: new Uint8Array(15) }), "unreadable-model", /holds 3.75/);
  assertRefused(withWeights({ floatData: [1, 2, 3, 4] }), "unreadable-model", /holds NaN/);
  assertRefused(withWeights({ rawData: new Uint8Array(0), floatData: [1, 2, 3] }), "unreadable-model", /holds 3/);
  assertRefused(withWeights({ dims: [-2n, -2n] }), "unreadable-model", /impossible dimensions/);
  assertRefused(withWeights({ dims: new Array(40).fill(1n) }), "unreadable-model", /impossible dimensions/);
  assert.equal(problemOf(withWeights({ rawData: new Uint8Array(0), floatData: [1, 2, 3, 4] })), null);
});

Deno.test("readModel() refuses claims of gigabytes without allocating them", () => {
  const before = Deno.memoryUsage().rss;
  assertRefused(withWeights({ dims: [2n ** 29n, 1n] }), "unreadable-model", /too many elements/);
  assertRefused(withWeights({ dims: [2n ** 62n, 2n ** 62n] }), "unreadable-model", /too many elements/);
  assertRefused(withWeights({ dims: [0n, 2n ** 62n] }), "unreadable-model", /declares 0 elements and holds 4/);
  assert.ok(Deno.memoryUsage().rss - before < 2 ** 27);
});

Deno.test("readModel() refuses external data, segments, NaN, infinities and other element types", () => {
  const externalData = [{ key: "location", value: "weights.bin" }];
  assertRefused(withWeights({ dataLocation: 1, externalData }), "unreadable-model", /"w" keeps its data outside/);
  assertRefused(withWeights({ externalData }), "unreadable-model", /"w" keeps its data outside/);
  assertRefused(withWeights({ segment: { begin: 0n, end: 4n } }), "unreadable-model", /segments/);
  assertRefused(withWeights({ dataType: 10, rawData: new Uint8Array(8) }), "unreadable-model", /FLOAT16/);
  assertRefused(withWeights({ dataType: 99 }), "unreadable-model", /number 99/);
  for (const bad of [NaN, Infinity, -Infinity]) {
    assertRefused(
      model({ initializer: [floats("w", [2, 2], [1, 2, bad, 4], "float32")] }),
      "unreadable-model",
      /element 2/,
    );
  }
});

Deno.test("readModel() names the node of an operator of another domain, an unknown one and one with a subgraph", () => {
  const first = (opType: string, more = {}) => model({ node: [{ ...node(opType, ["x"], ["y"], {}, "n"), ...more }] });
  assertRefused(first("Relu", { domain: "com.microsoft" }), "unsupported-operator", /node "n" \(com.microsoft.Relu\)/);
  assertRefused(first("Relu", { overload: "v2" }), "unsupported-operator", /Relu/);
  assertRefused(first("Selu"), "unsupported-operator", /operator "Selu" is not supported at node "n"/, {
    operator: "Selu",
  });
  const branch: AttributeInit = { name: "then_branch", type: 5, g: { name: "b" } };
  assertRefused(first("If", { attribute: [branch] }), "unsupported-operator", /If/);
  assertRefused(first("Relu", { attribute: [branch] }), "unsupported-attribute", /then_branch/, {
    attribute: "then_branch",
  });
  assert.equal(problemOf(first("Relu", { domain: "ai.onnx" })), null);
});

Deno.test("readModel() does not mind an operator it cannot read where no output needs it", () => {
  const nodes = [node("Relu", ["x"], ["y"]), node("Selu", ["x"], ["unused"])];
  assert.equal(problemOf(model({ node: nodes })), null);
});
