import { digestOf } from "./certificate/canonical.ts";
import { LipcertError } from "./errors.ts";
import type { Graph } from "./graph.ts";
import { type ModelDescription, type OnnxModel, readModel as readOnnx } from "./onnx/read_model.ts";

/** A model read and checked once: what every question about it shares. */
export interface Model {
  /** `sha256:<hex>` of the ONNX bytes. */
  readonly digest: string;
  readonly description: ModelDescription;
  readonly inputType: "float32" | "float64";
  /** The network to one output. Throws `not-found` for an unknown name. */
  graph(output: string): Graph;
  sizes(output: string): { readonly inputSize: number; readonly outputSize: number };
  /** Bytes the model holds in memory, roughly: for caches with a bound. */
  readonly bytes: number;
}

/** Reads ONNX bytes; `maxElements` numbers may be allocated beyond the file's. Throws: the problems of `shared/onnx`, each naming node and operator. */
export async function readModel(bytes: Uint8Array, maxElements?: number): Promise<Model> {
  const onnx: OnnxModel = readOnnx(bytes, maxElements);
  const graphs = new Map<string, Graph>();
  const graph = (output: string): Graph => {
    let known = graphs.get(output);
    if (!known) {
      if (!onnx.description.outputs.some(({ name }) => name === output)) {
        throw new LipcertError("not-found", `Cannot find output "${output}" in the model`);
      }
      graphs.set(output, known = onnx.graph(output));
    }
    return known;
  };
  return {
    digest: await digestOf(bytes),
    description: onnx.description,
    inputType: onnx.inputType,
    graph,
    sizes(output) {
      const { nodes } = graph(output);
      return { inputSize: nodes[0].size, outputSize: nodes[nodes.length - 1].size };
    },
    bytes: 2 * bytes.length + 8 * (onnx.description.parameters + onnx.expanded),
  };
}
