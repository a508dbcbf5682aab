/** onnxruntime (WebAssembly, one thread) as an independent evaluation of an ONNX file; in the model's own precision. */
import * as ort from "onnxruntime-web/wasm";

ort.env.wasm.numThreads = 1;

/** One output of the model at each point (flat inputs, a batch of 1), flat. */
export async function runOnnx(
  bytes: Uint8Array,
  points: readonly ArrayLike<number>[],
  output: string,
): Promise<Float64Array[]> {
  const session = await ort.InferenceSession.create(bytes, { graphOptimizationLevel: "disabled", logSeverityLevel: 3 });
  try {
    const [input] = session.inputMetadata;
    if (input === undefined || !input.isTensor) throw new RangeError("the model's input is no tensor");
    const shape = input.shape.map((size) => typeof size === "number" ? size : 1);
    const results: Float64Array[] = [];
    for (const point of points) {
      const data = input.type === "float64" ? Float64Array.from(point) : Float32Array.from(point);
      const tensor = data instanceof Float64Array
        ? new ort.Tensor("float64", data, shape)
        : new ort.Tensor("float32", data, shape);
      const answer = (await session.run({ [input.name]: tensor }, [output]))[output];
      results.push(Float64Array.from(answer.data as Float32Array | Float64Array));
    }
    return results;
  } finally {
    await session.release();
  }
}

/** The greatest difference relative to the greatest magnitude (at least 1e-30) of the wanted values. */
export function relativeError(got: ArrayLike<number>, wanted: ArrayLike<number>): number {
  if (got.length !== wanted.length) return Infinity;
  const scale = Math.max(1e-30, ...Array.from(wanted, Math.abs));
  return Math.max(0, ...Array.from(wanted, (value, i) => Math.abs(got[i] - value) / scale));
}
