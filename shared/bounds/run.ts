import type { Graph, Node } from "../graph.ts";
import type { Buffer, Kernels, Precision } from "../kernels/kernels.ts";
import { rulesOf, type Run, type Work } from "./pass.ts";
import { countingKernels } from "./work.ts";

/** What a caller of the engine may hand in beside the question. */
export interface RunContext {
  readonly kernels: Kernels;
  readonly signal?: AbortSignal;
  readonly onProgress?: Run["onProgress"];
  /** What coefficients are (default: as the kernels are). */
  readonly precision?: Precision;
}

/** Opens a run: uploads the graphs' matrices, counts the work, and frees everything when `body` ends. */
export async function withRun<T>(
  graphs: readonly Graph[],
  { kernels: given, signal, onProgress, precision }: RunContext,
  body: (run: Run) => Promise<T>,
): Promise<T> {
  const work: Work = { flops: 0, rows: 0 };
  const kernels = precision === "f32" ? given.single : given;
  return await kernels.scope(async () => {
    const uploads = new Map<Float64Array, Buffer>();
    for (const { nodes } of graphs) {
      for (const node of nodes) {
        for (const constant of constantsOf(node)) {
          if (!uploads.has(constant)) uploads.set(constant, kernels.upload(constant));
        }
      }
    }
    return await body({
      kernels: countingKernels(kernels, work),
      signal,
      onProgress,
      work,
      uploads,
      reported: { radius: 0 },
    });
  });
}

/** What a node's kernels read of its constants. */
export function constantsOf(node: Node): readonly Float64Array[] {
  const rules = rulesOf(node);
  return rules?.kind === "linear" ? rules.matrix?.constants(node) ?? [] : [];
}
