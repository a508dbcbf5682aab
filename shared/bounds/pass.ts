import type { Graph, Node, NodeId } from "../graph.ts";
import type { Buffer, Kernels } from "../kernels/kernels.ts";
import type { Box } from "../numeric/box.ts";
import type { Components } from "./components.ts";
import type {
  Demand,
  DerivativeRange,
  ElementwiseContext,
  ElementwiseOperator,
  LinearContext,
  LinearImage,
  LinearOperator,
  Phases,
  PieceRule,
  ProductRule,
  Relaxation,
  Step,
} from "../operators/operator.ts";
import { operatorOf } from "../operators/registry.ts";

/**
 * One thing to bound a graph over: a domain of the network, or a domain and a row of its outputs in the graph of the
 * Jacobian. Rows name their group; tables are per group, weights are shared; the bits of a group do not depend on the
 * others it is bounded with.
 */
export interface Group {
  /** Box of the graph's input. */
  readonly box: Box;
  /** Bounds already proved for this group (a parent's), by node id; every new bound is intersected with them. */
  readonly inherited?: ReadonlyMap<NodeId, Box>;
  /** Decided phases by id of the activation's node. */
  readonly phases?: ReadonlyMap<NodeId, Phases>;
  /** Range of d by id of the `derivative_product` node. */
  readonly ranges?: ReadonlyMap<NodeId, DerivativeRange>;
}

/** What was computed, counted from shapes: the same on every backend. */
export interface Work {
  flops: number;
  rows: number;
}

/** Everything a run of the engine is handed: backend, cancellation, counters. */
export interface Run {
  readonly kernels: Kernels;
  readonly signal?: AbortSignal;
  readonly work: Work;
  /** The networks' constants in the backend's memory, uploaded once for all passes of the run. */
  readonly uploads: ReadonlyMap<Float64Array, Buffer>;
  readonly onProgress?: (progress: { readonly rows: number; readonly flops: number }) => void;
  /** The largest rounding radius of a walk from a graph's last node, whose bounds are those that are reported. */
  readonly reported?: { radius: number };
}

export interface BoundOptions {
  /** Walk coefficient rows for the neurons that intervals leave undetermined, or not. */
  readonly refine: "interval" | "linear";
  readonly rule: ProductRule;
  readonly pieces?: PieceRule;
  /** Walk the rows of a Jacobian on the region's unstable neurons: where that costs less, or wherever it can be done. */
  readonly condense?: "cheaper" | "always";
}

/** What is known of one node while and after a graph is bounded. */
export interface NodeState {
  /** Bounds of the node's values, one box a group. */
  readonly boxes: Box[];
  /** Lines used, one a group; null for linear nodes. */
  readonly relaxations: Relaxation[] | null;
  readonly image: LinearImage | null;
  /** Indices computed at all (null: every one). */
  readonly demand: Demand | null;
  /** Indices that matter to walks (null: all), set when the node's component is complete. */
  columns: Int32Array | null;
  /** The walk's step over `columns`, and over all indices while the component is open. */
  closedStep: Step | null;
  openStep: Step | null;
  /** What the step may lose to underflow per group, and the magnitudes of the values: computed when first needed. */
  underflow: Float64Array | null;
  magnitudes: Float64Array[] | null;
  /** The demanded rows of a matrix node in the backend: interval images and unit rows start from it. */
  rowMatrix: Buffer | null;
}

/**
 * A graph being bounded: plain state that the passes fill in topological order.
 *
 * When a droppable component is complete, the indices that no group needs any more are dropped from all its nodes: their
 * value, or their coefficient, is 0.
 */
export interface Pass {
  readonly graph: Graph;
  readonly groups: readonly Group[];
  readonly options: BoundOptions;
  readonly run: Run;
  readonly states: NodeState[];
  readonly components: Components;
  /** Groups whose bounds crossed: empty domains (only with phases or inherited bounds). */
  readonly empty: Uint8Array;
}

export type Rules = ElementwiseOperator | LinearOperator;

export function rulesOf(node: Node): Rules | null {
  return node.operator === "input" ? null : operatorOf(node.operator);
}

export function isMixing(node: Node): boolean {
  const rules = rulesOf(node);
  return rules !== null && rules.kind === "linear" && rules.matrix !== null;
}

/** While a component is open its nodes keep all indices; one that is not droppable stays so. */
export function isOpen(pass: Pass, id: NodeId): boolean {
  const component = pass.components.of[id];
  return !pass.components.droppable[component] || pass.components.members[component].at(-1)! >= pass.states.length;
}

export function elementwiseContext(pass: Pass, node: NodeId, group: number): ElementwiseContext {
  const range = pass.groups[group].ranges?.get(node) ?? null;
  const { rule, pieces } = pass.options;
  return { range, rule, pieces, node: pass.graph.nodes[node] };
}

/** The indices of a node that walks keep (null: all). */
export function keptAt(pass: Pass, id: NodeId): Int32Array | null {
  return isOpen(pass, id) ? null : pass.states[id].columns;
}

export function linearContext(
  pass: Pass,
  node: Node,
  demand: Demand | null,
  inputColumns: Int32Array | null = pass.states[node.inputs[0]].columns,
): LinearContext {
  const input = pass.states[node.inputs[0]];
  const other = node.inputs.length > 1 ? pass.states[node.inputs[1]] : null;
  return {
    kernels: pass.run.kernels,
    inputs: input.boxes,
    others: other && other.boxes,
    inputColumns,
    demand,
    uploaded(constant) {
      const buffer = pass.run.uploads.get(constant);
      if (!buffer) throw new RangeError(`Cannot bound node ${node.name}: its constants were not uploaded`);
      return buffer;
    },
  };
}
