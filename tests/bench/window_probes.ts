/** The block and window kernels on the parts of a convolution that a pass meets. */
import type { Windows } from "../../shared/graph.ts";
import { type BlockLayout, type Kernels, paddedLength } from "../../shared/kernels/kernels.ts";
import { coarseSize, fineSize, kernelSize, windowsEntries } from "../../shared/kernels/windows.ts";
import type { Probe } from "./kernels_bench.ts";

/** A convolution of 3 x 3 taps from `fine` to `coarse` positions of so many channels. */
function square(coarse: number, fine: number, channels: number, stride: number, begin: number): Windows {
  return {
    batch: 1,
    groups: 1,
    coarse: { channels, height: coarse, width: coarse },
    fine: { channels, height: fine, width: fine },
    kernel: [3, 3],
    stride: [stride, stride],
    dilation: [1, 1],
    begin: [begin, begin],
  };
}

/** A block for each `span` neighbouring fine positions: from all coarse values that their channels meet. */
function layoutOf(windows: Windows, span: number): BlockLayout {
  const { coarse, fine, kernel, stride, begin } = windows;
  const met = (o: number, axis: 0 | 1, at: number) => {
    const tap = at + begin[axis] - o * stride[axis];
    return tap >= 0 && tap < kernel[axis];
  };
  const blocks: { columns: Int32Array; outputs: Int32Array }[] = [];
  for (let y = 0; y < fine.height; y++) {
    for (let first = 0; first < fine.width; first += span) {
      const xs = Array.from({ length: Math.min(span, fine.width - first) }, (_, i) => first + i);
      const columns: number[] = [], area = coarse.height * coarse.width;
      for (let i = 0; i < coarse.channels * area; i++) {
        if (met(Math.floor(i % area / coarse.width), 0, y) && xs.some((x) => met(i % coarse.width, 1, x))) {
          columns.push(i);
        }
      }
      const outputs = Int32Array.from(
        { length: fine.channels * xs.length },
        (_, j) => (Math.floor(j / xs.length) * fine.height + y) * fine.width + xs[j % xs.length],
      );
      blocks.push({ columns: Int32Array.from(columns), outputs });
    }
  }
  return { k: coarseSize(windows), n: fineSize(windows), blocks };
}

const wave = (length: number): Float64Array => Float64Array.from({ length }, (_, i) => Math.sin(i));
const count = (length: number): Int32Array => Int32Array.from({ length }, (_, i) => i);

function probesOf(kernels: Kernels, name: string, rows: number, windows: Windows, span = 1): Probe[] {
  const layout = layoutOf(windows, span), blocks = kernels.uploadBlocks(layout), { k, n, products } = blocks;
  const packed = kernels.allocateCoefficients(blocks.packedLength), kernel = kernels.upload(wave(kernelSize(windows)));
  const all = { rows: kernels.uploadIndices(count(k)), inputs: kernels.uploadIndices(count(n)) };
  const a = kernels.uploadCoefficients(wave(rows * paddedLength(k)));
  const out = kernels.allocateCoefficients(rows * paddedLength(n));
  const pack = () => kernels.packWindows({ out: packed, blocks, ...all, kernel, windows, transposed: false });
  pack();
  const box = (transposed: boolean): Probe => {
    const [count, inputs] = transposed ? [n, k] : [k, n], image = kernels.allocate(4 * paddedLength(count));
    const stride = paddedLength(inputs), ends = kernels.upload(wave(2 * stride).map((x, i) => i < stride ? x : x + 2));
    return {
      name: `windowsBox ${transposed ? "back " : ""}${name}`,
      operations: windowsEntries(windows),
      unit: "entries",
      run: () => kernels.windowsBox({ out: image, rows: null, kernel, windows, transposed, box: ends, groups: 1 }),
    };
  };
  return [
    {
      name: `gemmBlocks ${rows} rows, ${name}`,
      operations: 2 * rows * products,
      run: () => kernels.gemmBlocks({ out, a, blocks, packed, rows, accumulate: false }),
    },
    { name: `packWindows ${name}`, operations: blocks.packedLength, unit: "elements", run: pack },
    box(false),
    box(true),
  ];
}

export function windowProbes(kernels: Kernels): Probe[] {
  return [
    ...probesOf(kernels, "5x5x32 of 7x7x32", 64, square(5, 7, 32, 1, 0)),
    ...probesOf(kernels, "16x16x32", 64, square(16, 16, 32, 1, 1)),
    ...probesOf(kernels, "16x16x32 by 4", 64, square(16, 16, 32, 1, 1), 4).slice(0, 2),
    ...probesOf(kernels, "8x8x16 of 16x16x16", 40, square(8, 16, 16, 2, 1)),
  ];
}
