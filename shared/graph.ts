/** Id of a node: its index in {@link Graph.nodes}. */
export type NodeId = number;

interface NodeBase {
  /** Ids of the nodes it reads, all smaller than its own. */
  readonly inputs: readonly NodeId[];
  /** Number of values (the tensor flattened row-major, batch dimension 1). */
  readonly size: number;
  /** The ONNX node (or its output) it comes from, for messages. */
  readonly name: string;
}

/** The one non-constant input x. */
export interface InputNode extends NodeBase {
  readonly operator: "input";
}

/** y = W x + b; `weights` is row-major [size, size of the input], or its transpose when `transposed`. */
export interface AffineNode extends NodeBase {
  readonly operator: "affine";
  readonly weights: Float64Array;
  readonly transposed?: boolean;
  readonly bias: Float64Array | null;
}

/** Channels and positions of a feature map; its values are stored channel by channel, rows of positions in each. */
export interface Grid {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** One number for the vertical axis, one for the horizontal. */
export type Pair = readonly [number, number];

/**
 * How the windows of a convolution lie between its two grids: the coarse position o covers the fine positions o stride -
 * begin + k dilation, k < kernel, as far as they exist (what would lie in the padding is 0 and left out).
 */
export interface Windows {
  readonly batch: number;
  readonly groups: number;
  readonly coarse: Grid;
  readonly fine: Grid;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  /** Padding before the first position. */
  readonly begin: Pair;
}

/**
 * y = W x + b with the matrix of a convolution, given by its kernel [coarse channels, fine channels / groups, height,
 * width]: from the fine grid to the coarse one, or back when `transposed`. `bias` has a number for every value.
 */
export interface ConvolutionNode extends NodeBase {
  readonly operator: "convolution";
  readonly kernel: Float64Array;
  readonly windows: Windows;
  readonly transposed: boolean;
  readonly bias: Float64Array | null;
}

/** y_i = x_{map_i}, or 0 where map_i = -1; when `transposed` y_j is the sum of the x_i with map_i = j. */
export interface SelectionNode extends NodeBase {
  readonly operator: "selection";
  readonly map: Int32Array;
  readonly transposed: boolean;
}

/**
 * y_i = x_i f_i, or x_i / f_i when `inverse`: a node of its own where folding would round.
 *
 * With `roundings` = k the real factor is f_i (1 + d) with |d| <= gamma_k: the stored one came out of k roundings.
 */
export interface ScaleNode extends NodeBase {
  readonly operator: "scale";
  readonly factors: Float64Array;
  readonly inverse: boolean;
  readonly roundings?: number;
}

/** y_i = signs[0] a_i + signs[1] b_i over its two inputs: branches meet again. */
export interface AddNode extends NodeBase {
  readonly operator: "add";
  readonly signs: readonly [1 | -1, 1 | -1];
}

/** y_i = x_i for x_i >= 0, slopes_i x_i below: any finite slope, negative or above 1 too. */
export interface LeakyReluNode extends NodeBase {
  readonly operator: "leaky_relu";
  readonly slopes: Float64Array;
}

/** y_i = min(max(x_i, lower_i), upper_i); the ends may be infinite, and lower_i <= upper_i. */
export interface ClipNode extends NodeBase {
  readonly operator: "clip";
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/** y = x + t. */
export interface ShiftNode extends NodeBase {
  readonly operator: "shift";
  readonly offsets: Float64Array;
}

/** y = max(x, 0). */
export interface ReluNode extends NodeBase {
  readonly operator: "relu";
}

/** g = p d with d anywhere in the Clarke derivative range of the activation `of` (a node of the forward graph). */
export interface DerivativeProductNode extends NodeBase {
  readonly operator: "derivative_product";
  readonly of: NodeId;
}

/** y = |x|. */
export interface AbsNode extends NodeBase {
  readonly operator: "abs";
}

/** A node of the network or of the graph of its Clarke Jacobian; the union grows by one line an operator. */
export type Node =
  | InputNode
  | AffineNode
  | ConvolutionNode
  | SelectionNode
  | ScaleNode
  | ShiftNode
  | AddNode
  | ReluNode
  | LeakyReluNode
  | ClipNode
  | DerivativeProductNode
  | AbsNode;

export type OperatorName = Node["operator"];

/** Nodes in topological order; node 0 is the input, the last node is the output. All constants are finite. */
export interface Graph {
  readonly nodes: readonly Node[];
}
