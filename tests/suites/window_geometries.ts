/** Drawn convolutions and layouts of blocks, and their dense twins. */
import type { Grid, Pair, Windows } from "../../shared/graph.ts";
import type { BlockLayout } from "../../shared/kernels/kernels.ts";
import type { Precision } from "../../shared/kernels/kernels.ts";
import { chunkLength } from "../../shared/kernels/packed.ts";

export const sizeOf = (batch: number, { channels, height, width }: Grid): number => batch * channels * height * width;

/** Strides, dilations, padding beyond the kernel or negative, groups, one axis, a batch of two: whatever a file may hold. */
export function drawWindows(random: () => number): Windows {
  const upTo = (most: number) => Math.floor(random() * (most + 1));
  const pair = (draw: () => number): Pair => [draw(), draw()];
  const flat = random() < 0.25, groups = 1 + upTo(2) * upTo(1);
  const grid = (height: number): Grid => ({
    channels: groups * (1 + upTo(2)),
    height: flat ? 1 : height,
    width: 1 + upTo(7),
  });
  const kernel = pair(() => 1 + upTo(3)), begin = pair(() => upTo(6) - 1);
  return {
    batch: 1 + upTo(1) * upTo(1),
    groups,
    coarse: grid(1 + upTo(5)),
    fine: grid(1 + upTo(6)),
    kernel: flat ? [1, kernel[1]] : kernel,
    stride: pair(() => 1 + upTo(2)),
    dilation: pair(() => 1 + upTo(2)),
    begin: flat ? [0, begin[1]] : begin,
  };
}

export const kernelLength = ({ coarse, fine, groups, kernel }: Windows): number =>
  coarse.channels * fine.channels / groups * kernel[0] * kernel[1];

/** For each coarse value (each fine one when `transposed`) the place in the kernel of its entry with each other value, or -1. */
export function denseWindows(windows: Windows, transposed: boolean): Int32Array[] {
  const { batch, groups, coarse, fine, kernel, stride, dilation, begin } = windows;
  const [coarseSize, fineSize] = [sizeOf(batch, coarse), sizeOf(batch, fine)];
  const rows = Array.from({ length: transposed ? fineSize : coarseSize }, () => {
    return new Int32Array(transposed ? coarseSize : fineSize).fill(-1);
  });
  const perGroup = fine.channels / groups;
  let coarseIndex = 0;
  for (let b = 0; b < batch; b++) {
    for (let c = 0; c < coarse.channels; c++) {
      const firstChannel = Math.floor(c / (coarse.channels / groups)) * perGroup;
      for (let oy = 0; oy < coarse.height; oy++) {
        for (let ox = 0; ox < coarse.width; ox++, coarseIndex++) {
          for (let f = 0; f < perGroup; f++) {
            for (let ky = 0; ky < kernel[0]; ky++) {
              for (let kx = 0; kx < kernel[1]; kx++) {
                const y = oy * stride[0] - begin[0] + ky * dilation[0];
                const x = ox * stride[1] - begin[1] + kx * dilation[1];
                if (y < 0 || y >= fine.height || x < 0 || x >= fine.width) continue;
                const fineIndex = ((b * fine.channels + firstChannel + f) * fine.height + y) * fine.width + x;
                const entry = ((c * perGroup + f) * kernel[0] + ky) * kernel[1] + kx;
                if (transposed) rows[fineIndex][coarseIndex] = entry;
                else rows[coarseIndex][fineIndex] = entry;
              }
            }
          }
        }
      }
    }
  }
  return rows;
}

/** Ascending numbers below `limit`, each with probability `share`. */
export function someOf(random: () => number, limit: number, share: number): Int32Array {
  return Int32Array.from(Array.from({ length: limit }, (_, i) => i).filter(() => random() < share));
}

/** Up to five blocks, empty ones and ones that write the same outputs among them. */
export function drawLayout(random: () => number, k: number, n: number): BlockLayout {
  const blocks = Array.from({ length: Math.floor(random() * 6) }, () => {
    const [columnShare, outputShare] = [random() * 1.2, random() * 1.2];
    return { columns: someOf(random, k, columnShare), outputs: someOf(random, n, outputShare) };
  });
  return { k, n, blocks };
}

/** A block for each list of outputs, which reads the columns that meet one of them. */
export function layoutByOutputs(
  k: number,
  outputLists: readonly (readonly number[])[],
  n: number,
  meets: (column: number, output: number) => boolean,
): BlockLayout {
  const blocks = outputLists.map((outputs) => ({
    columns: Int32Array.from({ length: k }, (_, i) => i).filter((column) => outputs.some((j) => meets(column, j))),
    outputs: Int32Array.from(outputs),
  }));
  return { k, n, blocks };
}

/** The packed blocks of a layout whose block b has `entry(b, i, j)` at row i and column j. */
export function packBlocks(
  { blocks }: BlockLayout,
  precision: Precision,
  entry: (b: number, i: number, j: number) => number,
): Float64Array {
  const out: number[] = [], width = precision === "f64" ? 4 : 8;
  blocks.forEach(({ columns, outputs }, b) => {
    const k = columns.length, n = outputs.length, chunk = chunkLength(k, n, precision);
    for (let first = 0; first < k; first += chunk) {
      for (let panel = 0; panel < n; panel += width) {
        for (let i = first; i < Math.min(k, first + chunk); i++) {
          for (let j = panel; j < panel + width; j++) out.push(j < n ? entry(b, i, j) : 0);
        }
      }
    }
  });
  return Float64Array.from(out);
}
