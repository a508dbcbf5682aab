/** Calls of the block and window kernels on drawn layouts and geometries, and their results from dense twins. */
import { paddedLength } from "../../shared/kernels/kernels.ts";
import type { KernelCase } from "./kernel_cases.ts";
import {
  box,
  generator,
  indices,
  padded,
  poison,
  productSum,
  roundingTo,
  rowSum,
  type Shape,
  table,
} from "./kernel_numbers.ts";
import { denseWindows, drawLayout, drawWindows, kernelLength, packBlocks, someOf } from "./window_geometries.ts";

function addRowsAt(shape: Shape, fresh: boolean): KernelCase {
  const { rows, columns, inner } = shape, outColumns = columns + inner, random = generator(shape.seed);
  const places = someOf(random, outColumns, 1).sort(() => random() - 0.5).slice(0, columns).sort((a, b) => a - b);
  const stride = paddedLength(columns), outStride = paddedLength(outColumns);
  return {
    inputs: {
      before: fresh ? poison(rows * outStride) : padded(random, shape.wild, rows, outColumns),
      a: padded(random, shape.wild, rows, columns),
    },
    async run(kernels, inputs) {
      const out = kernels.uploadCoefficients(inputs.before), a = kernels.uploadCoefficients(inputs.a);
      const where = { outColumns, places: kernels.uploadIndices(places) };
      kernels.addRows({ out, a, rows, columns, ...where, sign: -1, fresh });
      return { out: await kernels.read(out) };
    },
    expected({ before, a }, precision) {
      const round = roundingTo(precision);
      const next = (r: number, at: number) => {
        const j = places.indexOf(at), old = round(before[r * outStride + at]);
        if (j < 0) return fresh ? 0 : old;
        return fresh ? -round(a[r * stride + j]) : round(old - round(a[r * stride + j]));
      };
      return { out: table(rows, outColumns, next) };
    },
  };
}

/** Columns that a layout reads and outputs that it writes are apart, so that it can run in place. */
function inPlaceLayout(random: () => number, size: number) {
  const layout = drawLayout(random, size, size), written = new Set(someOf(random, size, 0.5));
  return {
    ...layout,
    blocks: layout.blocks.map(({ columns, outputs }) => ({
      columns: columns.filter((column) => !written.has(column)),
      outputs: outputs.filter((output) => written.has(output)),
    })),
  };
}

function gemmBlocks(shape: Shape, mode: "fresh" | "accumulate" | "in place"): KernelCase {
  const { rows, wild } = shape, random = generator(shape.seed), inPlace = mode === "in place";
  const k = shape.inner, n = inPlace ? k : shape.columns;
  const layout = inPlace ? inPlaceLayout(random, k) : drawLayout(random, k, n);
  const b = padded(random, wild, k, n), aStride = paddedLength(k), stride = paddedLength(n);
  const before = inPlace
    ? new Float64Array()
    : mode === "fresh"
    ? poison(rows * stride)
    : padded(random, wild, rows, n);
  return {
    inputs: { a: padded(random, wild, rows, k), b, before },
    async run(kernels, inputs) {
      const a = kernels.uploadCoefficients(inputs.a), out = inPlace ? a : kernels.uploadCoefficients(inputs.before);
      const blocks = kernels.uploadBlocks(layout);
      const packed = packBlocks(layout, kernels.precision, (at, i, j) => {
        return inputs.b[layout.blocks[at].columns[i] * stride + layout.blocks[at].outputs[j]];
      });
      const accumulate = mode !== "fresh";
      kernels.gemmBlocks({ out, a, blocks, packed: kernels.uploadCoefficients(packed), rows, accumulate });
      return { out: await kernels.read(out) };
    },
    expected({ a, b, before }, precision) {
      const old = inPlace ? a : before, round = roundingTo(precision);
      return {
        out: table(rows, n, (r, j) => {
          let value = mode === "fresh" ? 0 : round(old[r * stride + j]);
          for (const { columns, outputs } of layout.blocks) {
            if (!outputs.includes(j)) continue;
            const row = (i: number) => a[r * aStride + columns[i]], matrix = (i: number) => b[columns[i] * stride + j];
            value = round(value + productSum(columns.length, outputs.length, precision, row, matrix));
          }
          return value;
        }),
      };
    },
  };
}

function packWindows(shape: Shape, transposed: boolean): KernelCase {
  const random = generator(shape.seed), windows = drawWindows(random), dense = denseWindows(windows, transposed);
  // Repeated and unordered rows and inputs are allowed.
  const rows = indices(random, shape.inner, dense.length), inputs = indices(random, shape.columns, dense[0].length);
  const layout = drawLayout(random, rows.length, inputs.length);
  return {
    inputs: { kernel: padded(random, shape.wild, 1, kernelLength(windows)) },
    async run(kernels, { kernel }) {
      const blocks = kernels.uploadBlocks(layout), out = kernels.uploadCoefficients(poison(blocks.packedLength));
      kernels.packWindows({
        out,
        blocks,
        rows: kernels.uploadIndices(rows),
        inputs: kernels.uploadIndices(inputs),
        kernel: kernels.upload(kernel),
        windows,
        transposed,
      });
      return { out: await kernels.read(out) };
    },
    expected: ({ kernel }, precision) => ({
      out: packBlocks(layout, precision, (b, i, j) => {
        const { columns, outputs } = layout.blocks[b], entry = dense[rows[columns[i]]][inputs[outputs[j]]];
        return entry < 0 ? 0 : roundingTo(precision)(kernel[entry]);
      }),
    }),
  };
}

function windowsBox(shape: Shape, transposed: boolean, some: boolean, ordered = true): KernelCase {
  const { groups } = shape, random = generator(shape.seed), windows = drawWindows(random);
  const dense = denseWindows(windows, transposed), columns = dense[0].length, stride = paddedLength(columns);
  const rows = some ? someOf(random, dense.length, random()) : null;
  const asked = rows === null ? dense : [...rows].map((row) => dense[row]);
  return {
    inputs: {
      kernel: padded(random, shape.wild, 1, kernelLength(windows)),
      box: ordered ? box(random, { ...shape, columns }) : padded(random, shape.wild, groups * 2, columns),
    },
    async run(kernels, inputs) {
      const out = kernels.upload(poison(groups * 4 * paddedLength(asked.length)));
      kernels.windowsBox({
        out,
        rows: rows && kernels.uploadIndices(rows),
        kernel: kernels.upload(inputs.kernel),
        windows,
        transposed,
        box: kernels.upload(inputs.box),
        groups,
      });
      return { out: await kernels.read(out) };
    },
    expected: ({ kernel, box }) => ({
      out: table(groups * 4, asked.length, (t, i) => {
        const lower = 2 * Math.floor(t / 4) * stride, terms: number[] = [];
        asked[i].forEach((entry, j) => {
          if (entry < 0) return;
          const x = kernel[entry] * box[lower + j], y = kernel[entry] * box[lower + stride + j];
          const end = t % 4 < 2 ? Math.min(x, y) : Math.max(x, y);
          terms.push(t % 2 === 0 ? end : Math.abs(end));
        });
        return rowSum(terms);
      }),
    }),
  };
}

export const WINDOW_CASES: Readonly<Record<string, (shape: Shape) => KernelCase>> = {
  "addRows() subtracts at places": (shape) => addRowsAt(shape, false),
  "addRows() hands on to places": (shape) => addRowsAt(shape, true),
  "gemmBlocks() multiplies": (shape) => gemmBlocks(shape, "fresh"),
  "gemmBlocks() adds to what is there": (shape) => gemmBlocks(shape, "accumulate"),
  "gemmBlocks() adds in place": (shape) => gemmBlocks(shape, "in place"),
  "packWindows() fills blocks": (shape) => packWindows(shape, false),
  "packWindows() fills blocks of the transpose": (shape) => packWindows(shape, true),
  "windowsBox() sums over all rows": (shape) => windowsBox(shape, false, false),
  "windowsBox() sums where ends of the box are exchanged": (shape) => windowsBox(shape, false, false, false),
  "windowsBox() sums over some rows": (shape) => windowsBox(shape, false, true),
  "windowsBox() sums over all rows of the transpose": (shape) => windowsBox(shape, true, false),
  "windowsBox() sums over some rows of the transpose": (shape) => windowsBox(shape, true, true),
};
