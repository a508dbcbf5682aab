/** Layouts of dense blocks, checked and encoded once, the same on every backend. */
import type { BlockLayout } from "./kernels.ts";
import { NARROW_CHUNK, packedLength, paddedLength, type Precision } from "./packed.ts";

/** The sums of a group of blocks are written together: neighbours write to the same cache lines. */
const GROUP_ELEMENTS = 32_768, GROUP_BLOCKS = 16;
/** Integers that describe a group and a block in {@link EncodedBlocks.integers}. */
const GROUP_FIELDS = 4, BLOCK_FIELDS = 5;
/** Rows that are multiplied with a block at a time, and at most so few that they need a copy of their columns. */
const BLOCK_ROWS = 5, THIN_ROWS = 2;

interface Block {
  readonly columns: Int32Array;
  readonly outputs: Int32Array;
}

/** A checked layout: what a call needs to know of it without reading its indices again. */
export interface EncodedBlocks {
  readonly precision: Precision;
  readonly k: number;
  readonly n: number;
  readonly blocks: readonly Block[];
  readonly groups: number;
  readonly packedLength: number;
  readonly products: number;
  /** Most outputs and most columns of a block, and most blocks that write one output. */
  readonly widest: number;
  readonly deepest: number;
  readonly mostWrites: number;
  /** Bytes that a backend may use beside the buffers of a call of `gemmBlocks`; counted on every backend. */
  readonly scratchBytes: number;
  /** Whether no column that a block reads is an output that a block writes. */
  readonly disjoint: boolean;
  /** Whether no output is written twice. */
  readonly exclusive: boolean;
  /** Whether every output is written. */
  readonly complete: boolean;
  /**
   * What a backend's kernels read. "At" is an index into this array, and sums of a group lie in rows of `sums` numbers.
   *
   * [groups][GROUP_FIELDS]: number of blocks; outputs, at (pairs of an output and its place in a row of sums, by output, of
   * several blocks in their order); sums.
   * [blocks][BLOCK_FIELDS]: k, n, at (its columns), at (its outputs), place of its sums.
   */
  readonly integers: Int32Array;
}

function checkAscending(name: string, values: Int32Array, limit: number): void {
  for (let i = 0; i < values.length; i++) {
    if (values[i] < 0 || values[i] >= limit || (i > 0 && values[i] <= values[i - 1])) {
      throw new RangeError(`Cannot lay out blocks: ${name} ${values[i]} is out of order or not below ${limit}`);
    }
  }
}

/** Consecutive blocks, as many as a group may have. */
function groupsOf(blocks: readonly Block[]): Block[][] {
  const groups: Block[][] = [];
  let elements = Infinity;
  for (const block of blocks) {
    const size = block.columns.length * paddedLength(block.outputs.length);
    if (elements + size > GROUP_ELEMENTS || groups[groups.length - 1].length === GROUP_BLOCKS) {
      groups.push([]);
      elements = 0;
    }
    groups[groups.length - 1].push(block);
    elements += size;
  }
  return groups;
}

const sumsOf = (group: readonly Block[]) => group.reduce((sum, { outputs }) => sum + paddedLength(outputs.length), 0);

/** Pairs of an output and the place of its sum in a row of sums. */
function scatterOf(group: readonly Block[]): Int32Array {
  const stride = sumsOf(group) + 1, keys: number[] = [];
  let first = 0;
  for (const { outputs } of group) {
    for (let j = 0; j < outputs.length; j++) keys.push(outputs[j] * stride + first + j);
    first += paddedLength(outputs.length);
  }
  const sorted = Float64Array.from(keys).sort(), pairs = new Int32Array(2 * keys.length);
  sorted.forEach((key, t) => {
    pairs[2 * t] = Math.floor(key / stride);
    pairs[2 * t + 1] = key % stride;
  });
  return pairs;
}

function encodeGroups(count: number, groups: readonly Block[][]): Int32Array {
  const heads: number[] = [], blockHeads: number[] = [], lists: Int32Array[] = [];
  let at = groups.length * GROUP_FIELDS + count * BLOCK_FIELDS;
  const append = (list: Int32Array): number => {
    lists.push(list);
    at += list.length;
    return at - list.length;
  };
  for (const group of groups) {
    const scatter = scatterOf(group);
    heads.push(group.length, scatter.length / 2, append(scatter), sumsOf(group));
    let sums = 0;
    for (const { columns, outputs } of group) {
      blockHeads.push(columns.length, outputs.length, append(columns), append(outputs), sums);
      sums += paddedLength(outputs.length);
    }
  }
  const integers = new Int32Array(at);
  integers.set(heads);
  integers.set(blockHeads, heads.length);
  at = heads.length + blockHeads.length;
  for (const list of lists) {
    integers.set(list, at);
    at += list.length;
  }
  return integers;
}

/** Throws: `RangeError` for a column or an output out of range, or not above the one before it. */
export function encodeBlocks(layout: BlockLayout, precision: Precision): EncodedBlocks {
  const { k, n } = layout;
  for (const [name, count] of Object.entries({ k, n })) {
    if (!Number.isSafeInteger(count) || count < 0) throw new RangeError(`Cannot lay out blocks: ${name} is ${count}`);
  }
  const blocks = layout.blocks.map(({ columns, outputs }) => ({ columns: columns.slice(), outputs: outputs.slice() }));
  const isRead = new Uint8Array(k), writes = new Int32Array(n);
  let products = 0, packed = 0, widest = 0, deepest = 0;
  for (const { columns, outputs } of blocks) {
    checkAscending("column", columns, k);
    checkAscending("output", outputs, n);
    products += columns.length * outputs.length;
    packed += packedLength(columns.length, outputs.length, precision);
    widest = Math.max(widest, outputs.length);
    deepest = Math.max(deepest, columns.length);
    columns.forEach((column) => isRead[column] = 1);
    outputs.forEach((output) => writes[output]++);
  }
  const groups = groupsOf(blocks), integers = encodeGroups(blocks.length, groups);
  const sums = groups.reduce((most, group) => Math.max(most, sumsOf(group)), 0);
  return {
    precision,
    k,
    n,
    blocks,
    groups: groups.length,
    packedLength: packed,
    products,
    widest,
    deepest,
    mostWrites: writes.reduce((most, times) => Math.max(most, times), 0),
    scratchBytes: 8 * (BLOCK_ROWS * sums + THIN_ROWS * NARROW_CHUNK),
    disjoint: writes.every((times, j) => times === 0 || j >= k || isRead[j] === 0),
    exclusive: writes.every((times) => times <= 1),
    complete: writes.every((times) => times >= 1),
    integers,
  };
}
