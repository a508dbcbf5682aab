/** Trained networks against onnxruntime in float32. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { readModel } from "../../../shared/onnx/read_model.ts";
import { evaluateTwice } from "../../models/evaluate.ts";
import { relativeError, runOnnx } from "../../models/onnxruntime.ts";

const SEED = 41;
const REFERENCE = new URL("../../models/reference/", import.meta.url);
/** Trained networks that are not copied for their size. */
const STORED = new URL("../../../../shared/reference/", import.meta.url);
/** Files of other projects, never part of this one; the test is skipped where they are absent. */
const EXTERNAL = new URL("../../../../shared/reference/external/", import.meta.url);

async function agrees(file: URL): Promise<void> {
  const bytes = await Deno.readFile(file);
  const model = readModel(bytes);
  const [input] = model.description.inputs;
  const [output] = model.description.outputs;
  const size = input.shape.reduce((product, part) => product * part, 1);
  const number = fc.double({ min: -1, max: 1, noNaN: true }).map(Math.fround);
  const points = fc.sample(fc.array(number, { minLength: size, maxLength: size }), { numRuns: 3, seed: SEED });
  const wanted = await runOnnx(bytes, points, output.name);
  const graph = model.graph(output.name);
  points.forEach((point, i) => {
    const error = relativeError(evaluateTwice(graph, point), wanted[i]);
    assert.ok(error <= 1e-5, `${file.pathname} at point ${i} of seed ${SEED}: relative error ${error}`);
  });
}

Deno.test("readModel() of every trained network agrees with onnxruntime", async () => {
  const files = [...Deno.readDirSync(REFERENCE)].filter(({ name }) => name.endsWith(".onnx"));
  assert.ok(files.length >= 8);
  for (const { name } of files) await agrees(new URL(name, REFERENCE));
});

Deno.test("readModel() of other projects' fully connected networks agrees with onnxruntime", async () => {
  const names = [
    "models/peer_jacobian_test_f64.onnx",
    "vnnlib/acasxu/ACASXU_run2a_1_1_batch_2000.onnx",
    "vnnlib/acasxu/ACASXU_run2a_5_3_batch_2000.onnx",
    "vnnlib/mnistfc/mnist-net_256x2.onnx",
    "vnnlib/tiny/test_nano.onnx",
    "vnnlib/tiny/test_sat.onnx",
    "vnnlib/tiny/test_unsat.onnx",
  ];
  try {
    await Deno.stat(EXTERNAL);
  } catch {
    console.log(`SKIPPED: ${EXTERNAL.pathname} is not here`);
    return;
  }
  for (const name of names) await agrees(new URL(name, EXTERNAL));
});

Deno.test("readModel() of networks too large for this project agrees with onnxruntime", async () => {
  const files = [
    new URL("models/digits_leaky.onnx", STORED),
    new URL("models/mnist_cnn_small.onnx", STORED),
    new URL("models/PRE_mnist_cnn_small.onnx", EXTERNAL),
    new URL("models/PRE_mnist_a_adv.onnx", EXTERNAL),
  ];
  try {
    await Deno.stat(STORED);
  } catch {
    console.log(`SKIPPED: ${STORED.pathname} is not here`);
    return;
  }
  for (const file of files) await agrees(file);
});
