/** Layouts of dense blocks as one array of integers, the same on every backend. */
import { type BlockLayout, packedLengthOf, paddedLength } from "./kernels.ts";

/** Integers that describe a block: k, n, and where its columns and its outputs start in the array. */
export const BLOCK_FIELDS = 4;

/** A checked layout: what a call needs to know of it without reading its indices again. */
export interface EncodedBlocks {
  readonly k: number;
  readonly n: number;
  readonly count: number;
  readonly packedLength: number;
  readonly products: number;
  /** Most outputs of a block. */
  readonly widest: number;
  /** Whether no column that a block reads is an output that a block writes. */
  readonly disjoint: boolean;
  /** Whether no output is written twice. */
  readonly exclusive: boolean;
  /** Whether every output is written. */
  readonly complete: boolean;
  /** [count][BLOCK_FIELDS], then the columns and the outputs of each block. */
  readonly integers: Int32Array;
}

function checkAscending(name: string, values: Int32Array, limit: number): void {
  for (let i = 0; i < values.length; i++) {
    if (values[i] < 0 || values[i] >= limit || (i > 0 && values[i] <= values[i - 1])) {
      throw new RangeError(`Cannot lay out blocks: ${name} ${values[i]} is out of order or not below ${limit}`);
    }
  }
}

/** Throws: `RangeError` for a column or an output out of range, or not above the one before it. */
export function encodeBlocks(layout: BlockLayout): EncodedBlocks {
  const { k, n, blocks } = layout;
  for (const [name, count] of Object.entries({ k, n })) {
    if (!Number.isSafeInteger(count) || count < 0) throw new RangeError(`Cannot lay out blocks: ${name} is ${count}`);
  }
  let length = blocks.length * BLOCK_FIELDS;
  for (const { columns, outputs } of blocks) length += columns.length + outputs.length;
  const integers = new Int32Array(length);
  const isRead = new Uint8Array(k), writes = new Int32Array(n);
  let products = 0, widest = 0, at = blocks.length * BLOCK_FIELDS;
  blocks.forEach(({ columns, outputs }, b) => {
    checkAscending("column", columns, k);
    checkAscending("output", outputs, n);
    integers.set([columns.length, outputs.length, at, at + columns.length], b * BLOCK_FIELDS);
    integers.set(columns, at);
    integers.set(outputs, at + columns.length);
    at += columns.length + outputs.length;
    products += columns.length * outputs.length;
    widest = Math.max(widest, outputs.length);
    for (let i = 0; i < columns.length; i++) isRead[columns[i]] = 1;
    for (let j = 0; j < outputs.length; j++) writes[outputs[j]]++;
  });
  const packedLength = packedLengthOf(layout);
  return {
    k,
    n,
    count: blocks.length,
    packedLength,
    products,
    widest,
    disjoint: writes.every((times, j) => times === 0 || j >= k || isRead[j] === 0),
    exclusive: writes.every((times) => times <= 1),
    complete: writes.every((times) => times >= 1),
    integers,
  };
}

/** Rows of A that are multiplied with a block at a time, for the sums of which there is room. */
export const BLOCK_ROWS = 60;

/** Bytes that a backend may use beside the buffers of a call of `gemmBlocks`; counted on every backend. */
export function gemmBlocksScratch(blocks: EncodedBlocks): number {
  return BLOCK_ROWS * paddedLength(blocks.widest) * 8 + BLOCK_ROWS * 512 * 8;
}
