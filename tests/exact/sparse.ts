/** Convolutions and selections over the rationals: sums over the entries that their definitions name, no matrix. */
import type { ConvolutionNode, SelectionNode, Windows } from "../../shared/graph.ts";
import { constantMatrix, type ExactMatrix, type ExactVector } from "./vector.ts";

/** The entries of a convolution's matrix: entry e is W[coarse[e], fine[e]] = kernel[tap[e]]; ascending in coarse. */
export interface Entries {
  readonly coarse: readonly number[];
  readonly fine: readonly number[];
  readonly tap: readonly number[];
}

const known = new WeakMap<Windows, Entries>();

/** Walks over the coarse positions and the taps of each: o covers o stride - begin + k dilation where that exists. */
export function entriesOf(windows: Windows): Entries {
  let entries = known.get(windows);
  if (entries === undefined) known.set(windows, entries = enumerate(windows));
  return entries;
}

function enumerate({ batch, groups, coarse, fine, kernel, stride, dilation, begin }: Windows): Entries {
  const entries = { coarse: [] as number[], fine: [] as number[], tap: [] as number[] };
  const [tall, wide] = kernel, perGroup = fine.channels / groups;
  let row = 0;
  for (let n = 0; n < batch; n++) {
    for (let c = 0; c < coarse.channels; c++) {
      const first = Math.floor(c / (coarse.channels / groups)) * perGroup;
      for (let y = 0; y < coarse.height; y++) {
        for (let x = 0; x < coarse.width; x++, row++) {
          for (let i = 0; i < perGroup; i++) {
            for (let ky = 0; ky < tall; ky++) {
              for (let kx = 0; kx < wide; kx++) {
                const down = y * stride[0] - begin[0] + ky * dilation[0];
                const along = x * stride[1] - begin[1] + kx * dilation[1];
                if (down < 0 || down >= fine.height || along < 0 || along >= fine.width) continue;
                const plane = n * fine.channels + first + i;
                entries.coarse.push(row);
                entries.fine.push((plane * fine.height + down) * fine.width + along);
                entries.tap.push(((c * perGroup + i) * tall + ky) * wide + kx);
              }
            }
          }
        }
      }
    }
  }
  return entries;
}

/** The matrix of a convolution times x (no bias), or its transpose times x when `adjoint`: [size] values. */
export function convolve(node: ConvolutionNode, x: ExactVector, size: number, adjoint = false): ExactVector {
  return convolveWith(constantMatrix(node.kernel), node, x, size, adjoint);
}

/** {@link convolve} with another kernel of the same shape. */
export function convolveWith(
  kernel: ExactMatrix,
  { windows, transposed }: ConvolutionNode,
  x: ExactVector,
  size: number,
  adjoint: boolean,
): ExactVector {
  const { coarse, fine, tap } = entriesOf(windows);
  const [to, from] = transposed === adjoint ? [coarse, fine] : [fine, coarse];
  const out = new Array<bigint>(size).fill(0n);
  for (let e = 0; e < tap.length; e++) out[to[e]] += kernel.entries[tap[e]] * x.numerators[from[e]];
  return { numerators: out, exponent: kernel.exponent + x.exponent, denominator: x.denominator };
}

/** A selection of x, or its transpose of x when `adjoint`: [size] values. */
export function select({ map, transposed }: SelectionNode, x: ExactVector, size: number, adjoint = false): ExactVector {
  const out = new Array<bigint>(size).fill(0n);
  map.forEach((place, i) => {
    if (place < 0) return;
    if (transposed === adjoint) out[i] += x.numerators[place];
    else out[place] += x.numerators[i];
  });
  return { ...x, numerators: out };
}
