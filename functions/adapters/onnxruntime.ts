/** onnxruntime (WebAssembly, one thread) as an independent forward pass of a model, in the model's own precision. */
import type { InferenceSession } from "onnxruntime-web/wasm";
import type { Evaluator } from "../services.ts";

type Runtime = typeof import("onnxruntime-web/wasm");

/** Its WebAssembly, read here: the runtime itself would ask a node or a browser for it. */
const WASM = "onnxruntime-web/ort-wasm-simd-threaded.wasm";

/**
 * Loaded with the first model: it is larger than the rest of the service.
 *
 * While it loads two globals are out of its sight. It takes `location.origin` for the base of an address; that of a Worker
 * from a file is the text "null", which is none. And where it sees the `process` of a node it imports modules of node, after
 * which Deno 2.9 starts every Worker as one of node: without `self`, and deaf to `Worker.onmessage`.
 */
async function load(): Promise<Runtime> {
  const wasmBinary = await Deno.readFile(new URL(import.meta.resolve(WASM)));
  return await withoutGlobals(["location", "process"], async () => {
    const runtime = await import("onnxruntime-web/wasm");
    Object.assign(runtime.env.wasm, { numThreads: 1, wasmBinary });
    // Its WebAssembly starts with the first session, of whatever bytes.
    await openSession(runtime, new Uint8Array(0));
    return runtime;
  });
}

async function withoutGlobals<T>(names: readonly string[], body: () => Promise<T>): Promise<T> {
  const hidden = names.flatMap((name) => {
    const descriptor = Object.getOwnPropertyDescriptor(globalThis, name);
    return descriptor?.configurable ? [{ name, descriptor }] : [];
  });
  for (const { name } of hidden) {
    Object.defineProperty(globalThis, name, { value: undefined, configurable: true, writable: true });
  }
  try {
    return await body();
  } finally {
    for (const { name, descriptor } of hidden) Object.defineProperty(globalThis, name, descriptor);
  }
}

export function onnxruntime(): Evaluator {
  let loading: Promise<Runtime> | null = null;
  return {
    async open(bytes) {
      const runtime = await (loading ??= load());
      const session = await openSession(runtime, bytes);
      if (session === null) return null;
      return {
        async evaluate(points) {
          const results: Map<string, Float64Array>[] = [];
          for (const point of points) results.push(await run(runtime, session, point));
          return results;
        },
        close: () => session.release(),
      };
    },
  };
}

async function openSession(runtime: Runtime, bytes: Uint8Array): Promise<InferenceSession | null> {
  try {
    return await runtime.InferenceSession.create(bytes, { graphOptimizationLevel: "disabled", logSeverityLevel: 4 });
  } catch {
    return null;
  }
}

async function run(
  runtime: Runtime,
  session: InferenceSession,
  point: Float64Array,
): Promise<Map<string, Float64Array>> {
  const [input] = session.inputMetadata;
  if (input === undefined || !input.isTensor) throw new RangeError("the model's input is no tensor");
  const shape = input.shape.map((size) => typeof size === "number" ? size : 1);
  const tensor = input.type === "float64"
    ? new runtime.Tensor("float64", point, shape)
    : new runtime.Tensor("float32", Float32Array.from(point), shape);
  const outputs = await session.run({ [input.name]: tensor });
  return new Map(
    Object.entries(outputs).map(([name, { data }]) => [name, Float64Array.from(data as ArrayLike<number>)]),
  );
}
