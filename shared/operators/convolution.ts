import type { AffineNode, ConvolutionNode } from "../graph.ts";
import { type AffineBox, type Buffer, type Kernels, paddedLength } from "../kernels/kernels.ts";
import { convolutionMatrix } from "../../tests/exact/unroll.ts";
import { affine } from "./affine.ts";
import { allColumns, type LinearContext, type LinearOperator } from "./operator.ts";

const twins = new WeakMap<object, { of: ConvolutionNode; as: AffineNode }[]>();

/** STAND-IN: the rules of the dense twin, with the window kernels where they fit. */
function twin(node: ConvolutionNode, inputSize: number): AffineNode {
  let known = twins.get(node.kernel);
  if (!known) twins.set(node.kernel, known = []);
  const found = known.find(({ of }) =>
    of.windows === node.windows && of.transposed === node.transposed && of.bias === node.bias
  );
  if (found) return found.as;
  const { inputs, size, name, bias } = node;
  const as: AffineNode = { operator: "affine", inputs, size, name, bias, weights: convolutionMatrix(node, inputSize) };
  known.push({ of: node, as });
  return as;
}

const inputSizeOf = ({ inputs }: LinearContext) => inputs[0].lower.length;
const dense = (node: ConvolutionNode, context: LinearContext): [AffineNode, LinearContext] => {
  const as = twin(node, inputSizeOf(context));
  return [as, { ...context, uploaded: () => context.kernels.upload(as.weights) }];
};

export const convolution: LinearOperator<ConvolutionNode> = {
  kind: "linear",
  mixes: true,
  offset: (node, i) => node.bias?.[i] ?? 0,
  plain: {
    apply: (node, inputs, withOffset) => affine.plain.apply(twin(node, inputs[0].length), inputs, withOffset),
    pullBack: (node, p, k, size) => affine.plain.pullBack(twin(node, size), p, k, size),
    reach: (node, magnitudes) => affine.plain.reach(twin(node, magnitudes[0].length), magnitudes),
    terms: (_node, inputSize) => inputSize,
  },
  rowMatrix: (node, context) => affine.rowMatrix(...dense(node, context)),
  image(node, rowMatrix, context) {
    const [as, changed] = dense(node, context);
    if (context.inputColumns !== null) return affine.image(as, rowMatrix, changed);
    const { kernels: real } = context;
    const affineBox = ({ out, box, groups }: AffineBox) => {
      const rows = context.demand ? real.uploadIndices(context.demand.indices) : null;
      const { windows, transposed } = node;
      real.windowsBox({ out, box, groups, rows, kernel: real.upload(node.kernel), windows, transposed });
    };
    const kernels = {
      scope: (body: () => Promise<unknown>) => real.scope(body),
      allocate: (length: number) => real.allocate(length),
      upload: (values: Float64Array) => real.upload(values),
      read: (buffer: Buffer) => real.read(buffer),
      affineBox,
    } as unknown as Kernels;
    return affine.image(as, rowMatrix, { ...changed, kernels });
  },
  prepare(node, image, columns, context) {
    const [as, changed] = dense(node, context);
    const step = affine.prepare(as, image, columns, changed);
    const { kernels } = context;
    const rows = columns ?? allColumns(node.size), inputs = context.inputColumns ?? allColumns(inputSizeOf(context));
    if (rows.length === 0 || inputs.length === 0) return step;
    const layout = { k: rows.length, n: inputs.length };
    const all = { columns: allColumns(layout.k), outputs: allColumns(layout.n) };
    const blocks = kernels.uploadBlocks({ ...layout, blocks: [all] });
    const packed = kernels.allocate(Math.max(blocks.packedLength, paddedLength(layout.n) * layout.k));
    const kernel = kernels.upload(node.kernel);
    const { windows, transposed } = node;
    const indices = { rows: kernels.uploadIndices(rows), inputs: kernels.uploadIndices(inputs) };
    kernels.packWindows({ out: packed, blocks, ...indices, kernel, windows, transposed });
    const taps = windows.kernel[0] * windows.kernel[1] * Math.max(windows.coarse.channels, windows.fine.channels);
    return { ...step, product: { ...step.product!, packed }, coefficientRoundings: taps + 1 };
  },
  adjoint: (node, inputSize) => ({
    ...node,
    size: inputSize,
    name: `${node.name}'`,
    transposed: !node.transposed,
    bias: null,
  }),
};
