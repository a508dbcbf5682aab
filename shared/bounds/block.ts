import { type AbsorbRows, type Buffer, type Kernels, paddedLength } from "../kernels/kernels.ts";
import type { Coefficients, Step } from "../operators/operator.ts";
import type { Arrival, Path } from "./path.ts";

/** How many blocks of rows are held at most: those that wait, a product's result, copies for a second place. */
export function buffersOf({ start, moves }: Path): number {
  const waiting = new Set([start]);
  let most = 1;
  for (const { from, step, to } of moves) {
    let held = waiting.size;
    if (step.product) most = Math.max(most, held + 1);
    waiting.delete(from);
    to.forEach((arrival, at) => {
      waiting.add(arrival.place);
      if (arrival.isFirst && !takesBuffer(arrival, at === to.length - 1)) most = Math.max(most, ++held);
    });
  }
  return most;
}

/** Runs a step on a block of rows; a product needs a free buffer and gives the old one back. */
export function takeStep(kernels: Kernels, step: Step, call: AbsorbRowsCall, free: Buffer[]): Coefficients {
  const { coefficients, columns, rows } = call;
  const seen = step.window
    ? { ...call, columns: step.window.columns, window: { first: step.window.first, stride: paddedLength(columns) } }
    : call;
  if (step.table) kernels.relaxRows({ ...seen, table: step.table });
  if (step.absorb) kernels.absorbRows({ ...seen, ...step.absorb });
  if (step.scale) kernels.scaleColumns({ coefficients, rows, columns, ...step.scale });
  if (!step.product) return { layout: "dense", buffer: coefficients, columns };
  const { product } = step;
  if (product.layout === "blocks" && product.accumulate) {
    kernels.gemmBlocks({ ...product, out: coefficients, a: coefficients, rows });
    return { layout: "dense", buffer: coefficients, columns };
  }
  const out = free.pop()!;
  if (product.layout === "dense") kernels.gemm({ ...product, out, a: coefficients, rows });
  else kernels.gemmBlocks({ ...product, out, a: coefficients, rows });
  free.push(coefficients);
  return { layout: "dense", buffer: out, columns: product.n };
}

export type AbsorbRowsCall = Omit<AbsorbRows, "bias" | "q">;

/**
 * Hands coefficients on: the last place to take them first and unsigned gets the buffer itself. An addition rounds its own
 * sum, which a later one may cancel, so each is charged at once (shared/README.md (19)).
 */
export function handOn(
  kernels: Kernels,
  handed: Coefficients,
  call: AbsorbRowsCall,
  to: readonly Arrival[],
  waiting: Map<number, Coefficients>,
  free: Buffer[],
): void {
  const { rows } = call;
  const { buffer, columns } = handed;
  to.forEach((arrival, at) => {
    const { place, sign, width, places, isFirst, charge } = arrival;
    const isLast = at === to.length - 1;
    if (takesBuffer(arrival, isLast)) {
      waiting.set(place, handed);
      return;
    }
    const out = isFirst ? free.pop()! : waiting.get(place)!.buffer;
    const where = places && { outColumns: width, places };
    kernels.addRows({ out, a: buffer, rows, columns, sign, fresh: isFirst, ...where });
    if (isFirst) waiting.set(place, { ...handed, buffer: out, columns: width });
    else kernels.absorbRows({ ...call, coefficients: out, columns: width, bias: null, q: charge! });
    if (isLast) free.push(buffer);
  });
}

/** Whether the last place to take coefficients may have them as they are. */
function takesBuffer({ sign, places, isFirst }: Arrival, isLast: boolean): boolean {
  return isLast && isFirst && sign === 1 && places === null;
}
