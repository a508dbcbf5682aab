import type { SelectionNode } from "../graph.ts";
import { type Kernels, paddedLength } from "../kernels/kernels.ts";
import { chunkedRoundings, packedLength, packedPlace } from "../kernels/packed.ts";
import { type Box, magnitudes } from "../numeric/box.ts";
import { addDown, addUp } from "../numeric/rounding.ts";
import { placesOf } from "./convolution.ts";
import { allColumns, chargeTable, type LinearOperator, magnitudeSum } from "./operator.ts";
import { mostReaders, selectionPlain } from "./selection_plain.ts";

/**
 * y_i = x_{map_i}, 0 where map_i = -1, or the sums that its transpose takes: slices, pads, permutations, parts.
 *
 * Images are copies (exact); a walk adds up the coefficients of all that read one value.
 */
export const selection: LinearOperator<SelectionNode> = {
  kind: "linear",
  offset: () => 0,
  plain: selectionPlain,

  matrix: {
    constants: () => [],
    entries: (node) => node.map.length,
    grid: () => null,
    reached(node, rows) {
      const asked = rows && placesOf(rows, node.size);
      const read = new Set<number>();
      eachEntry(node, (i, j) => {
        if (asked === null || asked[i] >= 0) read.add(j);
      });
      return Int32Array.from(read).sort();
    },
    rowMatrix: () => null,
    rows(node, indices, { kernels, inputs, inputColumns }) {
      const places = placesOf(inputColumns, inputs[0].lower.length);
      const padded = paddedLength(inputColumns?.length ?? places.length);
      const rows = new Float64Array(indices.length * padded);
      const rowOf = placesOf(indices, node.size);
      eachEntry(node, (i, j) => {
        if (rowOf[i] >= 0 && places[j] >= 0) rows[rowOf[i] * padded + places[j]] = 1;
      });
      return kernels.upload(rows);
    },
  },

  image(node, _rowMatrix, { inputs }) {
    const boxes = inputs.map((box) => (node.transposed ? summed(node, box) : picked(node, box)));
    // |y_i| and the magnitudes of its terms: for a sum those of the terms, added up.
    const q = inputs.map((box) => {
      const sizes = magnitudes(box);
      const sums = new Float64Array(node.size);
      eachEntry(node, (i, j) => sums[i] += sizes[j]);
      return sums.map((sum) => sum * INFLATION);
    });
    return Promise.resolve({ boxes, q });
  },

  prepare(node, image, columns, { kernels, inputs, inputColumns }) {
    const rows = columns ?? allColumns(node.size);
    const wanted = inputColumns ?? allColumns(inputs[0].lower.length);
    const [k, n] = [rows.length, wanted.length];
    const { layout, values } = blocksOf(node, rows, wanted, kernels);
    const blocks = kernels.uploadBlocks({ k, n, blocks: layout });
    const roundings = 1 + chunkedRoundings(blocks.deepest, blocks.mostWrites);
    return {
      window: null,
      table: null,
      absorb: {
        bias: null,
        q: kernels.upload(chargeTable(kernels, image.q, columns, paddedLength(k), roundings)),
      },
      scale: null,
      product: {
        layout: "blocks",
        blocks,
        packed: kernels.uploadCoefficients(values),
        k,
        n,
        accumulate: false,
      },
      coefficientRoundings: mostReaders(node) + 2,
    };
  },

  underflow: (node, { inputs }) => Float64Array.from(inputs, (box) => mostReaders(node) * (magnitudeSum(box) + 2)),

  adjoint: (node, inputSize) => ({
    operator: "selection",
    size: inputSize,
    name: `${node.name}'`,
    map: node.map,
    transposed: !node.transposed,
  }),
};

/** Covers the roundings of sums of magnitudes. */
const INFLATION = 1 + 2 ** -20;

/** Every entry 1 of the matrix, rows ascending for a plain selection and columns ascending for a transposed one. */
function eachEntry({ map, transposed }: SelectionNode, visit: (row: number, column: number) => void): void {
  map.forEach((from, i) => {
    if (from < 0) return;
    if (transposed) visit(from, i);
    else visit(i, from);
  });
}

function picked({ map }: SelectionNode, { lower, upper }: Box): Box {
  const pick = (ends: Float64Array) => Float64Array.from(map, (from) => (from < 0 ? 0 : ends[from]));
  return { lower: pick(lower), upper: pick(upper) };
}

/** Infinite ends stay infinite. */
function summed({ map, size }: SelectionNode, box: Box): Box {
  const lower = new Float64Array(size), upper = new Float64Array(size);
  map.forEach((to, j) => {
    if (to < 0) return;
    lower[to] = lower[to] === -Infinity || box.lower[j] === -Infinity ? -Infinity : addDown(lower[to], box.lower[j]);
    upper[to] = upper[to] === Infinity || box.upper[j] === Infinity ? Infinity : addUp(upper[to], box.upper[j]);
  });
  return { lower, upper };
}

const BLOCK = 32;

/** Blocks of neighbouring outputs with the columns of coefficients that reach them, packed as the kernels take them. */
function blocksOf(node: SelectionNode, rows: Int32Array, wanted: Int32Array, { precision }: Kernels) {
  const rowOf = placesOf(rows, node.size);
  const reads: number[][] = Array.from({ length: Math.ceil(wanted.length / BLOCK) }, () => []);
  const outputOf = new Map<number, number>();
  wanted.forEach((column, place) => outputOf.set(column, place));
  eachEntry(node, (i, j) => {
    const output = outputOf.get(j);
    if (rowOf[i] >= 0 && output !== undefined) reads[Math.floor(output / BLOCK)].push(rowOf[i], output);
  });
  const blocks: { columns: Int32Array; outputs: Int32Array }[] = [];
  const parts: Float64Array[] = [];
  reads.forEach((pairs, b) => {
    if (pairs.length === 0) return;
    const columns = Int32Array.from(new Set(pairs.filter((_, at) => at % 2 === 0))).sort();
    const place = new Map(Array.from(columns, (column, at) => [column, at]));
    const outputs = allColumns(Math.min(BLOCK, wanted.length - b * BLOCK)).map((j) => b * BLOCK + j);
    const [k, n] = [columns.length, outputs.length];
    const part = new Float64Array(packedLength(k, n, precision));
    for (let at = 0; at < pairs.length; at += 2) {
      part[packedPlace(k, n, place.get(pairs[at])!, pairs[at + 1] - b * BLOCK, precision)] = 1;
    }
    blocks.push({ columns, outputs });
    parts.push(part);
  });
  const values = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    values.set(part, at);
    at += part.length;
  }
  return { layout: blocks, values };
}
