/**
 * Engines with one mistake each about windows and selections; every one must be caught by exact values or by counting.
 *
 * Some are backends, some are rules of an operator exchanged for the time of a test, some bound another graph than asked.
 */
import type { Graph, SelectionNode } from "../../shared/graph.ts";
import type {
  AddRows,
  BlockLayout,
  Blocks,
  Buffer,
  GemmBlocks,
  PackWindows,
  WindowsBox,
} from "../../shared/kernels/kernels.ts";
import { convolution } from "../../shared/operators/convolution.ts";
import { selection } from "../../shared/operators/selection.ts";
import { entriesOf } from "../exact/sparse.ts";
import { WrappedKernels } from "./wrapped_kernels.ts";

/** A mistake counts how often it was made: a test without one proves nothing. */
abstract class CountingMutant extends WrappedKernels {
  made = 0;
}

/** Kernels of convolutions lose their largest tap. */
abstract class ForgottenTap extends CountingMutant {
  readonly #uploads = new Map<Buffer, Float64Array>();

  override upload(values: Float64Array): Buffer {
    const buffer = super.upload(values);
    this.#uploads.set(buffer, values.slice());
    return buffer;
  }

  protected withoutTap(kernel: Buffer): Buffer {
    const taps = this.#uploads.get(kernel)!.slice();
    const largest = taps.reduce((most, tap) => Math.max(most, Math.abs(tap)), 0);
    taps[taps.findIndex((tap) => Math.abs(tap) === largest)] = 0;
    this.made++;
    return super.upload(taps);
  }
}

/** Walks forget a tap of every window. */
export class ForgottenTapInWalks extends ForgottenTap {
  override packWindows(call: PackWindows): void {
    super.packWindows({ ...call, kernel: this.withoutTap(call.kernel) });
  }
}

/** Interval images forget a tap of every window. */
export class ForgottenTapInImages extends ForgottenTap {
  override windowsBox(call: WindowsBox): void {
    super.windowsBox({ ...call, kernel: this.withoutTap(call.kernel) });
  }
}

/** A tile drops a column that is alive: the last that each block reads. */
export class DroppedColumn extends CountingMutant {
  override uploadBlocks(layout: BlockLayout): Blocks {
    const blocks = layout.blocks.map(({ columns, outputs }) => {
      if (columns.length > 1) this.made++;
      return { columns: columns.length > 1 ? columns.slice(0, -1) : columns, outputs };
    });
    return super.uploadBlocks({ ...layout, blocks });
  }
}

/** Where branches meet, what comes later overwrites what is there. */
export class OverwrittenBranch extends CountingMutant {
  override addRows(call: AddRows): void {
    if (!call.fresh) this.made++;
    super.addRows({ ...call, fresh: true });
  }
  override gemmBlocks(call: GemmBlocks): void {
    if (call.accumulate && call.out !== call.a) this.made++;
    super.gemmBlocks(call.out === call.a ? call : { ...call, accumulate: false });
  }
}

/** Runs `body` with other rules of an operator, and puts the right ones back. */
export async function withRules<O extends object, T>(
  operator: O,
  change: (rules: O) => Partial<O>,
  body: () => Promise<T>,
): Promise<T> {
  const rules = { ...operator };
  Object.assign(operator, change(rules));
  try {
    return await body();
  } finally {
    Object.assign(operator, rules);
  }
}

/** The roundings of a convolution's coefficients count as 0. */
export function withoutRoundings<T>(body: () => Promise<T>): Promise<T> {
  return withRules(convolution, ({ prepare }) => ({
    prepare: (...given) => ({ ...prepare(...given), coefficientRoundings: 0 }),
  }), body);
}

/** In the graph of the Jacobian a value that was selected twice gets its gradient once. */
export function withForgottenRepeats<T>(body: () => Promise<T>): Promise<T> {
  return withRules(selection, ({ adjoint }) => ({
    adjoint: (node, inputSize) => adjoint(withoutRepeats(node), inputSize),
  }), body);
}

function withoutRepeats(node: SelectionNode): SelectionNode {
  return { ...node, map: node.map.map((place, i) => node.map.indexOf(place) === i ? place : -1) };
}

/** The graph with every window one place further on. */
export function shiftedWindows(graph: Graph): Graph {
  return {
    nodes: graph.nodes.map((node) =>
      node.operator !== "convolution" ? node : {
        ...node,
        windows: { ...node.windows, begin: [node.windows.begin[0], node.windows.begin[1] - 1] },
      }
    ),
  };
}

/** The graph with the weights of every convolution handed to the channels of its groups in another order. */
export function exchangedGroups(graph: Graph): Graph {
  return {
    nodes: graph.nodes.map((node) => {
      if (node.operator !== "convolution" || node.windows.groups === 1) return node;
      const half = node.kernel.length / node.windows.groups;
      return { ...node, kernel: Float64Array.from([...node.kernel.slice(half), ...node.kernel.slice(0, half)]) };
    }),
  };
}

/**
 * Steps of convolutions that `body` lays out with fewer roundings of a coefficient than the longest sum of products and the
 * slope before it have, in words.
 */
export async function falseRoundings(body: () => Promise<unknown>): Promise<{ found: string[]; steps: number }> {
  const found: string[] = [];
  let steps = 0;
  await withRules(convolution, ({ prepare }) => ({
    prepare(node, ...given) {
      const step = prepare(node, ...given), { coefficientRoundings: counted } = step;
      const { coarse, fine } = entriesOf(node.windows);
      const least = mostRepeated(node.transposed ? coarse : fine) + 1;
      steps++;
      if (counted < least) found.push(`${node.name} counts ${counted} roundings of a coefficient, it has ${least}`);
      return step;
    },
  }), body);
  return { found, steps };
}

function mostRepeated(values: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return Math.max(0, ...counts.values());
}
