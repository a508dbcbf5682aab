import type { ConvolutionNode } from "../graph.ts";
import { paddedLength } from "../kernels/kernels.ts";
import { chunkedRoundings } from "../kernels/packed.ts";
import { allColumns, boxTable, chargeTable, groupTable, type LinearOperator, magnitudeSum } from "./operator.ts";
import { settleImage } from "./image.ts";
import { convolutionPlain } from "./convolution_plain.ts";
import { columnsReached, entriesOf, fillRows, sizeOf, stencilOf, tilesOf } from "./windows.ts";

/**
 * y = W x + b, W the matrix of a convolution or its transpose, given by the kernel: never laid out as a whole.
 *
 * The rules are those of a matrix (shared/README.md (3), (9)), with as many roundings as a row or a column has entries.
 * A walk multiplies with dense blocks: neighbouring outputs and the coefficients that reach them (20).
 * The adjoint is the same kernel, transposed the other way.
 */
export const convolution: LinearOperator<ConvolutionNode> = {
  kind: "linear",
  offset: (node, i) => node.bias?.[i] ?? 0,
  plain: convolutionPlain,

  matrix: {
    constants: (node) => [node.kernel],
    entries: (node) => entriesOf(stencilOf(node)),
    grid: (node) => stencilOf(node).rows,
    reached: (node, rows) => columnsReached(stencilOf(node), rows),
    rowMatrix: () => null,

    rows(node, indices, { kernels, inputColumns }) {
      const stencil = stencilOf(node);
      const size = sizeOf(node.windows.batch, stencil.columns);
      const padded = paddedLength(inputColumns?.length ?? size);
      const rows = new Float64Array(indices.length * padded);
      fillRows(stencil, node.kernel, indices, placesOf(inputColumns, size), rows, padded);
      return kernels.upload(rows);
    },
  },

  async image(node, _rowMatrix, context) {
    const { kernels, inputs, demand, uploaded } = context;
    const { windows, transposed, kernel } = node;
    const count = demand?.indices.length ?? node.size;
    const sums = await kernels.scope(async () => {
      const out = kernels.allocate(inputs.length * 4 * paddedLength(count));
      const box = kernels.upload(boxTable(inputs, null, inputs[0].lower.length));
      const rows = demand && kernels.uploadIndices(demand.indices);
      kernels.windowsBox({ out, rows, kernel: uploaded(kernel), windows, transposed, box, groups: inputs.length });
      return await kernels.read(out);
    });
    return settleImage(node, context, sums, { terms: stencilOf(node).rowEntries, weights: kernel });
  },

  prepare(node, image, columns, { kernels, inputs, inputColumns, uploaded }) {
    const rows = columns ?? allColumns(node.size);
    const wanted = inputColumns ?? allColumns(inputs[0].lower.length);
    const [k, n] = [rows.length, wanted.length];
    const blocks = kernels.uploadBlocks({ k, n, blocks: tilesOf(stencilOf(node), rows, wanted) });
    const packed = kernels.allocateCoefficients(blocks.packedLength);
    kernels.packWindows({
      out: packed,
      blocks,
      rows: kernels.uploadIndices(rows),
      inputs: kernels.uploadIndices(wanted),
      kernel: uploaded(node.kernel),
      windows: node.windows,
      transposed: node.transposed,
    });
    const padded = paddedLength(k), roundings = 1 + chunkedRoundings(blocks.deepest, blocks.mostWrites);
    return {
      window: null,
      table: null,
      absorb: {
        bias: node.bias && kernels.upload(groupTable([node.bias], columns, padded)),
        q: kernels.upload(chargeTable(kernels, image.q, columns, padded, roundings)),
      },
      scale: null,
      product: { layout: "blocks", blocks, packed, k, n, accumulate: false },
      coefficientRoundings: stencilOf(node).columnEntries + 2,
    };
  },

  underflow: (node, { inputs }) =>
    Float64Array.from(inputs, (box) => stencilOf(node).columnEntries * (magnitudeSum(box) + 2)),

  adjoint: (node, inputSize) => ({
    operator: "convolution",
    size: inputSize,
    name: `${node.name}'`,
    kernel: node.kernel,
    windows: node.windows,
    bias: null,
    transposed: !node.transposed,
  }),
};

/** Where each index stands in a list (null: itself), -1 where it does not. */
export function placesOf(columns: Int32Array | null, size: number): Int32Array {
  if (columns === null) return allColumns(size);
  const places = new Int32Array(size).fill(-1);
  columns.forEach((index, place) => places[index] = place);
  return places;
}
