/** Convolutions and selections in plain floating point, against their matrices written out; on whole numbers nothing rounds. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { ConvolutionNode, SelectionNode, Windows } from "../../../shared/graph.ts";
import { convolution } from "../../../shared/operators/convolution.ts";
import type { LinearOperator } from "../../../shared/operators/operator.ts";
import { selection } from "../../../shared/operators/selection.ts";

const SEED = 2424;
const RUNS = 400;

/** A matrix row by row. */
type Matrix = readonly Float64Array[];

const wholes = (length: number, shift: number) =>
  Float64Array.from({ length }, (_, i) => ((i + shift) * 37 + 11) % 15 - 7);

/** W of the definition: the kernel's entry wherever a window's position exists, from the fine grid to the coarse one. */
function matrixOf(kernel: Float64Array, windows: Windows): Matrix {
  const { batch, groups, coarse, fine, kernel: [height, width], stride, dilation, begin } = windows;
  const coarseArea = coarse.height * coarse.width, fineArea = fine.height * fine.width;
  const columns = batch * fine.channels * fineArea;
  const matrix = Array.from({ length: batch * coarse.channels * coarseArea }, () => new Float64Array(columns));
  matrix.forEach((row, i) => {
    const image = Math.floor(i / (coarse.channels * coarseArea));
    const channel = Math.floor(i / coarseArea) % coarse.channels;
    const top = Math.floor(i % coarseArea / coarse.width) * stride[0] - begin[0];
    const left = i % coarse.width * stride[1] - begin[1];
    const perGroup = fine.channels / groups;
    const firstFine = Math.floor(channel / (coarse.channels / groups)) * perGroup;
    for (let f = 0; f < perGroup; f++) {
      for (let k = 0; k < height; k++) {
        for (let l = 0; l < width; l++) {
          const r = top + k * dilation[0], c = left + l * dilation[1];
          if (r < 0 || r >= fine.height || c < 0 || c >= fine.width) continue;
          const column = ((image * fine.channels + firstFine + f) * fine.height + r) * fine.width + c;
          row[column] = kernel[((channel * perGroup + f) * height + k) * width + l];
        }
      }
    }
  });
  return matrix;
}

const transpose = (matrix: Matrix): Matrix =>
  Array.from(matrix[0], (_, j) => Float64Array.from(matrix, (row) => row[j]));
const product = (matrix: Matrix, x: Float64Array, start: Float64Array | null): Float64Array =>
  Float64Array.from(matrix, (row, i) => row.reduce((sum, w, j) => sum + w * x[j], start === null ? 0 : start[i]));
const zeros = (values: Float64Array) => values.map((value) => value + 0); // -0 and 0 are the same sum

/** All rules of the node say what its matrix says. */
function agrees<N extends ConvolutionNode | SelectionNode>(
  rules: LinearOperator<N>,
  node: N,
  matrix: Matrix,
  bias: Float64Array | null,
): void {
  const inputSize = matrix[0].length;
  const x = wholes(inputSize, 3), p = wholes(matrix.length, 5);
  const { apply, pullBack, reach, terms } = rules.plain;
  assert.deepEqual(zeros(apply(node, [x], true)), zeros(product(matrix, x, bias)));
  assert.deepEqual(zeros(apply(node, [x], false)), zeros(product(matrix, x, null)));
  const back = zeros(product(transpose(matrix), p, null));
  assert.deepEqual(zeros(pullBack(node, p, 0, inputSize)), back);
  const adjoint = rules.adjoint(node, inputSize);
  assert.ok(adjoint !== null && adjoint.size === inputSize);
  const reversed: N = { ...node, ...adjoint };
  assert.deepEqual(zeros(rules.plain.apply(reversed, [p], true)), back);
  assert.deepEqual(zeros(rules.plain.pullBack(reversed, x, 0, matrix.length)), zeros(product(matrix, x, null)));
  assert.deepEqual(
    reach(node, [x.map(Math.abs)]),
    product(matrix.map((row) => row.map(Math.abs)), x.map(Math.abs), null),
  );
  const most = Math.max(...matrix.map((row) => row.filter((w) => w !== 0).length));
  assert.ok(most <= 1 || terms(node, inputSize) >= most, `${terms(node, inputSize)} terms where there are ${most}`);
  matrix.forEach((_, i) => assert.equal(rules.offset(node, i), bias?.[i] ?? 0));
}

const axis = fc.record({
  coarse: fc.integer({ min: 1, max: 5 }),
  fine: fc.integer({ min: 1, max: 6 }),
  kernel: fc.integer({ min: 1, max: 4 }),
  stride: fc.integer({ min: 1, max: 3 }),
  dilation: fc.integer({ min: 1, max: 3 }),
  begin: fc.integer({ min: -2, max: 5 }),
});

Deno.test(`the plain rules of a convolution are those of its matrix, both ways (seed ${SEED})`, () => {
  const channels = fc.record({
    batch: fc.integer({ min: 1, max: 2 }),
    groups: fc.integer({ min: 1, max: 3 }),
    coarse: fc.integer({ min: 1, max: 5 }),
    fine: fc.integer({ min: 1, max: 3 }),
  });
  let outside = 0;
  fc.assert(
    fc.property(channels, axis, axis, fc.boolean(), fc.boolean(), (sizes, rows, columns, transposed, hasBias) => {
      const windows: Windows = {
        batch: sizes.batch,
        groups: sizes.groups,
        coarse: { channels: sizes.groups * sizes.coarse, height: rows.coarse, width: columns.coarse },
        fine: { channels: sizes.groups * sizes.fine, height: rows.fine, width: columns.fine },
        kernel: [rows.kernel, columns.kernel],
        stride: [rows.stride, columns.stride],
        dilation: [rows.dilation, columns.dilation],
        begin: [rows.begin, columns.begin],
      };
      const kernel = wholes(windows.coarse.channels * sizes.fine * rows.kernel * columns.kernel, 1);
      const forward = matrixOf(kernel, windows);
      const matrix = transposed ? transpose(forward) : forward;
      const bias = hasBias ? wholes(matrix.length, 8) : null;
      const at = { operator: "convolution", inputs: [0], size: matrix.length, name: "c" } as const;
      agrees(convolution, { ...at, kernel, windows, transposed, bias }, matrix, bias);
      if (forward.some((row) => row.every((w) => w === 0))) outside++;
    }),
    { seed: SEED, numRuns: RUNS },
  );
  assert.ok(outside > 20, `${outside} with a window in the padding alone`);
});

Deno.test(`the plain rules of a selection are those of its matrix of 0 and 1, both ways (seed ${SEED})`, () => {
  const cases = fc.integer({ min: 1, max: 6 }).chain((size) =>
    fc.tuple(fc.constant(size), fc.array(fc.integer({ min: -1, max: size - 1 }), { minLength: 1, maxLength: 9 }))
  );
  fc.assert(
    fc.property(cases, fc.boolean(), ([inputs, map], transposed) => {
      const forward = map.map((from) => Float64Array.from({ length: inputs }, (_, j) => j === from ? 1 : 0));
      const matrix = transposed ? transpose(forward) : forward;
      const at = { operator: "selection", inputs: [0], size: matrix.length, name: "s" } as const;
      agrees(selection, { ...at, map: Int32Array.from(map), transposed }, matrix, null);
    }),
    { seed: SEED, numRuns: RUNS },
  );
});
