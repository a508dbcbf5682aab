/** Properties and verdicts of other tools, where the reference collection is at hand. */
import assert from "node:assert/strict";
import { answerProperty, readModel, readProperty } from "../../shared/mod.ts";
import { wasmKernels } from "../../shared/kernels/wasm.ts";
import module from "../../wasm/dist/kernels.js";
import { collectionTest, filesBelow } from "../models/collection.ts";

interface Instance {
  readonly onnx: string;
  readonly vnnlib: string;
  readonly expected: "sat" | "unsat";
}

/** Enough for all that is decided within some seconds. */
const NODES = 8000;

const kernels = wasmKernels(module);

collectionTest("answerProperty() contradicts no stored verdict of other tools", "external/vnnlib", async (folder) => {
  const indices = filesBelow(folder, "index.json");
  assert.ok(indices.length > 0, folder);
  let decided = 0, total = 0;
  for (const index of indices) {
    const below = index.slice(0, index.lastIndexOf("/"));
    const { instances } = JSON.parse(Deno.readTextFileSync(index)) as { instances: readonly Instance[] };
    for (const { onnx, vnnlib, expected } of instances) {
      const model = await readModel(Deno.readFileSync(`${below}/${onnx}`));
      const property = readProperty(Deno.readTextFileSync(`${below}/${vnnlib}`));
      const { verdict } = await answerProperty(property, model, { kernels }, { searchFlops: 1e8, maxNodes: NODES });
      assert.ok(verdict === "unknown" || verdict === expected, `${index}: ${onnx} ${vnnlib} is ${verdict}`);
      total++;
      if (verdict !== "unknown") decided++;
    }
  }
  console.log(`${decided} of ${total} decided`);
  assert.ok(5 * decided >= 4 * total, `only ${decided} of ${total} decided`);
});
