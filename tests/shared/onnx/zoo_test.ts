/** Trained networks of realistic sizes, which are not part of this project: skipped where they are absent. */
import assert from "node:assert/strict";
import { readModel } from "../../../shared/model.ts";
import { evaluatePlain } from "../../../shared/witness/plain_network.ts";
import { relativeError } from "../../models/onnxruntime.ts";

const ZOO = new URL("../../../../shared/reference/zoo/", import.meta.url);

interface Inputs {
  readonly inputs: readonly { readonly input: readonly unknown[]; readonly output_f64: readonly unknown[] }[];
}
const flat = (nested: readonly unknown[]) => Float64Array.from(nested.flat(Infinity) as number[]);

Deno.test("readModel() reads convolutional networks on 32x32 and 64x64 images and computes what torch computes", async () => {
  try {
    await Deno.stat(ZOO);
  } catch {
    console.log(`SKIPPED: ${ZOO.pathname} is not here`);
    return;
  }
  const files = [...Deno.readDirSync(new URL("models/", ZOO))].map(({ name }) => name.replace(/\.onnx$/, ""));
  assert.ok(files.length >= 5);
  for (const name of files) {
    const bytes = await Deno.readFile(new URL(`models/${name}.onnx`, ZOO));
    const model = await readModel(bytes);
    const graph = model.graph("y");
    const { inputs }: Inputs = JSON.parse(await Deno.readTextFile(new URL(`inputs/${name}.json`, ZOO)));
    for (const { input, output_f64 } of inputs) {
      const values = evaluatePlain(graph, flat(input)).values[graph.nodes.length - 1];
      const error = relativeError(values, flat(output_f64));
      assert.ok(error <= 1e-13, `${name}: relative error ${error}`);
    }
    const stored = 8 * model.description.parameters;
    const values = graph.nodes.reduce((sum, { size }) => sum + size, 0);
    assert.ok(model.bytes <= 2 * bytes.length + stored + 32 * values + 8192, `${name}: ${model.bytes} bytes`);
  }
});
